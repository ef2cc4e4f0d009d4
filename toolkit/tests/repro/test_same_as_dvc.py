"""`repro --jobs` does what `dvc repro` does: records, results, exit status, and the stages run."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.repro.flows import Step, both, is_up_to_date, made, run, write
from tests.repro.forked import Forks

#: As many as the default suite has time for; the soak sets more.
EXAMPLES = int(os.environ.get("FLOW_EXAMPLES", "3"))

#: Two branches, one of them in a folder, that meet; a frozen stage; one that always runs.
STEPS = [
    Step("a"),
    Step("b", ("a",), is_folder=True),
    Step("c", ("a",), is_below=True),
    Step("frozen", ("c",), {"frozen": True}),
    Step("always", (), {"always_changed": True}),
    Step("end", ("b", "c", "frozen")),
]
FLAGS = [
    *(("--force", "--all-pipelines"), ("--dry",), ("--no-commit",), ("--downstream", "b")),
    *(("--force-downstream", "a", "sub/dvc.yaml:c"), ("--single-item", "b", "a")),
]

#: Those that only the soak tries.
MORE_FLAGS = [
    *((flag,) for flag in ("--pull", "--allow-missing", "--keep-going", "--ignore-errors")),
    *(("--pipeline", "b"), ("-R", "sub"), ("--glob", "[ab]*"), ("--no-run-cache", "-P")),
]
if os.environ.get("FLOW_EXAMPLES"):
    FLAGS += MORE_FLAGS


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    with Forks() as running:
        yield running


@pytest.fixture(scope="module")
def stale(forks: Forks, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline that ran, and of which then much changed."""
    root = tmp_path_factory.mktemp("flow") / "clone"
    repo = made(root, STEPS, frozen=False)
    assert run(forks, root, ("--all-pipelines",), 0).status == 0
    write(repo, STEPS)
    (root / "in.txt").write_text("two\n")
    shutil.rmtree(root / "b.out")
    return root


@pytest.mark.parametrize("words", FLAGS, ids=" ".join)
def test_each_option(forks: Forks, stale: Path, words: tuple[str, ...]) -> None:
    plain, ours = both(forks, stale, words)
    assert ours == plain


def test_a_first_run_records_in_the_order_of_the_plan(forks: Forks, tmp_path: Path) -> None:
    """New entries and lines: the stages that end first are the last ones of the plan."""
    root = tmp_path / "clone"
    steps = [Step(name, (), {"desc": name}) for name in "edcba"]
    repo = made(root, steps)
    text = (root / "dvc.yaml").read_text().replace("cat in.txt", "sleep 0.4; cat in.txt", 1)
    repo.write("dvc.yaml", text)
    plain, ours = both(forks, root, ())
    assert ours == plain
    assert is_up_to_date(forks, root.with_name("clone-ours"))


def test_a_failure_leaves_what_comes_before_it(forks: Forks, tmp_path: Path) -> None:
    root = tmp_path / "clone"
    made(root, [Step("a"), Step("bad", ("a",), fails=True), Step("c", ("bad",)), Step("d")])
    plain, ours = both(forks, root, ())
    assert ours.status == plain.status == 255
    assert set(plain.runs) <= set(ours.runs) <= {"a", "bad", "d"}
    # The run after it brings the same bytes, in the same order.
    for way in ("plain", "ours"):
        flow = root.with_name(f"clone-{way}") / "dvc.yaml"
        flow.write_text(flow.read_text().replace("exit 3", "exit 0"))
    plain = run(forks, root.with_name("clone-plain"), (), 0)
    ours = run(forks, root.with_name("clone-ours"), (), 3)
    assert locks(ours.tree) == locks(plain.tree)
    assert is_up_to_date(forks, root.with_name("clone-ours"))
    # Plain DVC takes the line of `a` out when `bad` fails.
    lines = ours.tree[".gitignore"].decode().splitlines()
    assert lines[-4:] == ["/a.out", "/bad.out", "/c.out", "/d.out"]


OPTIONS = st.fixed_dictionaries(
    {}, optional={"frozen": st.just(True), "always_changed": st.just(True)}
)
SWITCHES = [
    *("-f", "-k", "--ignore-errors", "--no-commit", "--no-run-cache", "--allow-missing"),
    *("--force-downstream", "--dry", "--pull"),
]
WORDS = st.lists(st.sampled_from(SWITCHES), max_size=3, unique=True)
SHAPES = st.sampled_from(["", "--downstream", "--pipeline", "--single-item", "--all-pipelines"])
CHANGES = st.sampled_from(["nothing ran", "input", "params", "output", "cache", "nothing"])


@st.composite
def flows(draw: st.DrawFn) -> list[Step]:
    """Any pipeline of a few stages."""
    steps: list[Step] = []
    for number in range(draw(st.integers(2, 6))):
        names = [step.name for step in steps]
        deps = draw(st.lists(st.sampled_from(names), max_size=3, unique=True)) if names else []
        fails = draw(st.integers(0, 7)) == 0
        options = draw(OPTIONS)
        is_folder, is_below = draw(st.booleans()), draw(st.booleans())
        steps.append(Step(f"s{number}", tuple(deps), options, is_folder, is_below, fails))
    return draw(st.permutations(steps))


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[*HealthCheck])
@given(flows(), WORDS, SHAPES, CHANGES, st.data())
def test_any_pipeline(
    forks: Forks,
    tmp_path_factory: Any,
    steps: list[Step],
    words: list[str],
    shape: str,
    change: str,
    data: st.DataObject,
) -> None:
    root = tmp_path_factory.mktemp("flow") / "clone"
    repo = made(root, steps, frozen=False)
    if change != "nothing ran":
        run(forks, root, ("--all-pipelines", "-k"), 0)
    write(repo, steps)
    if change == "input":
        (root / "in.txt").write_text("two\n")
    elif change == "params":
        (root / "params.yaml").write_text("p: 2\n")
    elif change == "cache":
        shutil.rmtree(root / ".dvc/cache", ignore_errors=True)
    elif change == "output":
        for path in [*root.glob("*.out"), *root.glob("sub/*.out")][:2]:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    targets = [step.target for step in steps if shape and data.draw(st.booleans())]
    if not targets and shape != "--all-pipelines":
        shape = "--all-pipelines"
    plain, ours = both(forks, root, (*words, *filter(None, [shape]), *targets))
    assert ours.status == plain.status
    if plain.status == 0:
        assert ours == plain
    elif {"-k", "--ignore-errors"}.intersection(words):
        assert ours.runs == plain.runs
        assert locks(ours.tree) == locks(plain.tree)
    else:
        assert set(plain.runs) <= set(ours.runs)
    shutil.rmtree(root.parent)


def locks(files: dict[str, bytes]) -> dict[str, bytes]:
    return {path: text for path, text in files.items() if path.endswith(".lock")}
