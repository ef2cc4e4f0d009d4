"""`bucket gc` looks beyond its own project, and takes no damaged object for a copy."""

import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.stores.access import StoreAccess
from tests.stores.fixtures import access
from tests.verify.published import IGNORED, Published, empty

ALL = ("-c", "-w", "-a", "-T", "-A", "-f")
HERE = ("-w", "-f")


@pytest.fixture(scope="module")
def seaweed(request: pytest.FixtureRequest) -> StoreAccess:
    found: StoreAccess = access(request, "seaweed")
    return found


def gc(made: Published, *options: str) -> subprocess.CompletedProcess[str]:
    return made.clone.run("bucket", "gc", *options, check=False)


@dataclass(frozen=True)
class Pair:
    """Two projects of one repository, with one cache and one remote."""

    one: Published
    other: Published


@pytest.fixture
def pair(seaweed: StoreAccess, tmp_path: Path) -> Pair:
    one = empty(tmp_path / "whole" / "one", seaweed)
    (one.root / ".git").rename(one.root.parent / ".git")
    other = replace(one, root=one.root.with_name("other"))
    (other.root / ".dvc").mkdir(parents=True)
    config = one.project.dvc_config.read_text()
    for made in (one, other):
        cache = f"[cache]\n    dir = {tmp_path / 'cache'}\n"
        made.project.dvc_config.write_text(cache + config)
        (made.root / ".gitignore").write_text(IGNORED)
    (other.root / ".venv").symlink_to((one.root / ".venv").resolve())
    other.project.env_file.write_bytes(one.project.env_file.read_bytes())
    other.project.env_file.chmod(0o600)
    return Pair(one, other)


@pytest.mark.parametrize(("options", "pushed"), [(ALL, True), (HERE, False)])
def test_data_of_other_projects_in_the_repository_is_kept(
    pair: Pair, options: tuple[str, ...], tmp_path: Path, *, pushed: bool
) -> None:
    paths = [pair.one.track("mine.csv", b"of the one")]
    for number, text in enumerate((b"older", b"newer", b"in the stash", b"written")):
        paths.append(pair.other.track("table.csv", text))
        (pair.other.root / ".gitignore").write_text(f"{IGNORED}/table.csv\n")
        if number < 2:
            pair.other.commit(text.decode())
        elif number == 2:
            pair.other.git("stash", "push", "--quiet")
    garbage = pair.other.track("left.csv", b"garbage")
    (pair.other.root / "left.csv.dvc").unlink()
    cached = {path: tmp_path / "cache" / path for path in (*paths, garbage)}
    for made in (pair.one, pair.other):
        for source in (made.root / ".dvc" / "cache").rglob("*"):
            if source.is_file():
                target = tmp_path / "cache" / source.relative_to(made.root / ".dvc" / "cache")
                target.parent.mkdir(parents=True, exist_ok=True)
                source.rename(target)
    if pushed:
        for path, file in cached.items():
            pair.one.put(path, file.read_bytes())
    done = gc(pair.one, *options)
    assert done.returncode == 0, done.stderr
    assert [path for path, file in cached.items() if not file.is_file()] == [garbage]
    assert sorted(pair.one.keys) == (sorted(paths) if pushed else [])


def test_a_damaged_object_of_the_right_size_is_no_copy(
    seaweed: StoreAccess, tmp_path: Path
) -> None:
    made = empty(tmp_path / "clone", seaweed)
    old = made.track("table.csv", b"old")
    made.commit("Old")
    made.put(old, b"bad")
    made.track("table.csv", b"new")
    done = gc(made, *HERE)
    assert done.returncode == 1
    assert "1 of which have no intact copy on the remote" in done.stderr
    assert made.cached(old).read_bytes() == b"old"
    made.put(old, b"old")
    assert gc(made, *HERE).returncode == 0
    assert not made.cached(old).exists()
