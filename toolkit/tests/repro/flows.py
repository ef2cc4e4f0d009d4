"""Small pipelines, run by plain DVC and by ours from the same state, and what is left then."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from tests.bucket.git_tools import Repo
from tests.patched.small_repos import make
from tests.repro.forked import Forks

#: What is neither a result nor a record.
PASSED_OVER = {".git", ".dvc", "runs"}


@dataclass(frozen=True)
class Step:
    """A stage.

    Attributes:
        deps: names of the stages whose outputs it reads.
        options: of `dvc.yaml`, such as `frozen`.
        is_folder: its output is a folder.
        is_below: it is in `sub/dvc.yaml`.
        fails: its command does.
    """

    name: str
    deps: tuple[str, ...] = ()
    options: Mapping[str, object] = field(default_factory=dict)
    is_folder: bool = False
    is_below: bool = False
    fails: bool = False

    @property
    def target(self) -> str:
        return f"sub/dvc.yaml:{self.name}" if self.is_below else self.name


def write(repo: Repo, steps: list[Step], *, frozen: bool = True) -> None:
    """Write the files of a pipeline; its frozen stages can be as they were before."""
    out = {step.name: f"{'sub/' if step.is_below else ''}{step.name}.out" for step in steps}
    flows: dict[str, dict[str, object]] = {"": {}, "sub/": {}}
    for step in steps:
        up = "../" if step.is_below else ""
        deps = [f"{up}in.txt", *(f"{up}{out[dep]}" for dep in step.deps)]
        file = PurePosixPath(out[step.name]).name
        made = f"cat {up}in.txt > {file}"
        if step.is_folder:
            made = f"mkdir -p {file} && cp {up}in.txt {file}/x"
        said = f'echo {step.name} >> "$RUNS"; echo {step.name} >&2'
        flows["sub/" if step.is_below else ""][step.name] = {
            "cmd": f"{said}; {made}; exit {3 * step.fails}",
            "deps": deps,
            "params": [{f"{up}params.yaml": ["p"]}],
            "outs": [file],
            **{key: value for key, value in step.options.items() if frozen or key != "frozen"},
        }
    for folder, stages in flows.items():
        if stages:
            repo.write(f"{folder}dvc.yaml", json.dumps({"stages": stages}, indent=1))


def tree(root: Path) -> dict[str, bytes]:
    """All files of a work tree, records of DVC included."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.relative_to(root).parts[0] not in PASSED_OVER
    }


@dataclass
class Outcome:
    """What a command left."""

    status: int
    runs: list[str]
    tree: dict[str, bytes]


def run(forks: Forks, root: Path, words: tuple[str, ...], jobs: int) -> Outcome:
    """Run `dvc repro`, plain or side by side, and look at what it left."""
    runs = root / "runs"
    runs.unlink(missing_ok=True)
    status, _ = forks.run(root, "repro", *words, jobs=jobs, RUNS=str(runs))
    ran = sorted(runs.read_text().split()) if runs.exists() else []
    return Outcome(status, ran, tree(root))


def is_up_to_date(forks: Forks, root: Path) -> bool:
    """Whether plain DVC has nothing to do."""
    _, said = forks.run(root, "status")
    return "Data and pipelines are up to date." in said


def both(
    forks: Forks, root: Path, words: tuple[str, ...], jobs: int = 3
) -> tuple[Outcome, Outcome]:
    """The same command from the same state, by plain DVC and side by side."""
    copies = [root.with_name(f"{root.name}-{way}") for way in ("plain", "ours")]
    for copied in copies:
        shutil.rmtree(copied, ignore_errors=True)
        shutil.copytree(root, copied, symlinks=True)
    plain, ours = copies
    return run(forks, plain, words, 0), run(forks, ours, words, jobs)


def made(root: Path, steps: list[Step], *, frozen: bool = True) -> Repo:
    """A repository with a pipeline, of which nothing has run."""
    repo = make(root, **{"in.txt": "one\n", "params.yaml": "p: 1\n", ".dvcignore": "runs\n"})
    write(repo, steps, frozen=frozen)
    repo.git("add", "--all")
    return repo
