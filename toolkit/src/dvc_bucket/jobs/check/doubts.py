"""Why a failure may be this machine's fault: then nothing is said against the commit.

A stage that was killed, had no room on the disk or lacked a program says nothing about its
code. Nor do results without a submodule, or with other packages than those of the lock file.
"""

import re
import signal
from collections.abc import Callable, Container, Iterator, Sequence
from pathlib import Path

from packaging.utils import canonicalize_name

from dvc_bucket.base import lock_file, project_settings
from dvc_bucket.base.paths import Project
from dvc_bucket.base.toolkit import installed_version
from dvc_bucket.git.checkout import empty_submodules
from dvc_bucket.git.contents import Repository
from dvc_bucket.git.lfs_layout import POINTER_BYTES, Pointer
from dvc_bucket.jobs.check import machine_faults as faults
from dvc_bucket.jobs.check.runs import CloneRun

#: Signals by which a system, a scheduler or a person ends a program, not its own faults.
KILLED = {
    getattr(signal, name).value
    for name in ("SIGKILL", "SIGTERM", "SIGHUP", "SIGINT", "SIGXCPU", "SIGXFSZ")
}

#: Signals that the machine gives rise to, and how.
GIVEN: dict[int, str] = {
    signal.SIGKILL: "out of memory, for example",
    signal.SIGBUS: "a full disk or a small /dev/shm, for example",
    signal.SIGILL: "a CPU that lacks an instruction, for example",
}

#: DVC's words for the end of a command; a shell adds 128 to the number of a signal.
EXITED = re.compile(r"exited with (-?\d+)")

#: A command that a shell does not find on the PATH; a path with a slash is the commit's own.
NOT_FOUND = re.compile(r"(?:^|: )([^\s:/]+): (?:command )?not found\b", re.MULTILINE)

#: What Python says of a program that is not on the PATH, and of a module.
NO_PROGRAM = re.compile(r"subprocess\.py\"(?s:.*)^FileNotFoundError: .*'([^'/]+)'$", re.MULTILINE)
NO_MODULE = re.compile(r"^ModuleNotFoundError: No module named '(\w+)", re.MULTILINE)

#: What strace says of a program that it may not trace: of one that traces others itself.
NO_TRACE = re.compile(r"^strace: .*", re.MULTILINE)

#: Packages that are named.
MAX_LISTED = 3


def of_clone(clone: Project, *, is_here: bool) -> Iterator[str]:
    """What a clone is without, in sentences: all results depend on it."""
    top = next(path for path in (clone.root, *clone.root.parents) if (path / ".git").exists())
    if empty := list(empty_submodules(top)):
        yield (
            f"The submodule {', '.join(empty)} is not in your clone. Fetch it and run the command "
            "again: `git submodule update --init --recursive`."
        )
    if pointers := list(_pointers(top)):
        yield (
            f"The content of {', '.join(pointers[:MAX_LISTED])} is in Git LFS and not in your "
            "clone. Fetch it and run the command again: `git lfs install`, then `git lfs pull`."
        )
    if is_here and (others := list(_other_packages(clone))):
        more = f" and {len(others) - MAX_LISTED} more" if len(others) > MAX_LISTED else ""
        yield (
            "The current packages differ from those of the commit: "
            f"{', '.join(others[:MAX_LISTED])}{more}. Run the command without --here."
        )


def of_runs(
    runs: Sequence[CloneRun],
    connecting: Container[str],
    why_no_store: Callable[[], str],
    *,
    is_here: bool,
) -> dict[str, str]:
    """By name of the stage, why it could not run here; with those that it kept from running.

    Args:
        runs: of the commit's stages, the first one first.
        connecting: the stages that may use the network.
        why_no_store: asks the store, and says why it does not answer; empty if it does.
        is_here: the packages are the installed ones, not those of the commit.
    """
    reasons: dict[str, str] = {}
    own = set[str]()

    def why(run: CloneRun, name: str, because: str) -> str:
        said = "\n".join([because, *run.output(name)])
        text = _of_stage(name, because, said) or _of_check(name, said, run, runs[0])
        text = text or faults.of_text(said, uses_network=name in connecting)
        if not text and name in connecting and (lacking := why_no_store()):
            text = f"Stage {name} uses the network, but the store cannot be reached: {lacking}"
        return text or (_of_module(name, said, run.clone) if is_here else "")

    for run in runs:
        for name, seen in run.executions.items():
            if seen.state == "failed":
                reasons[name] = why(run, name, seen.because)
                own |= set() if reasons[name] else {name}
            elif seen.state == "not run" and reasons.get(seen.because):
                reasons[name] = reasons[seen.because]
    return {name: text for name, text in reasons.items() if text and name not in own}


def _of_stage(name: str, because: str, said: str) -> str:
    """Why a program that was ended, or that is missing, is no fault of a stage."""
    exited = EXITED.search(because)
    status = int(exited[1]) if exited else 0
    number = -status if status < 0 else status - 128
    if number in KILLED or number in GIVEN:
        how = f" ({GIVEN[number]})" if number in GIVEN else ""
        what = signal.Signals(number).name
        return f"Stage {name} was ended by {what}{how}. Run the command again where it can finish."
    missing = NOT_FOUND.search(said) if status == 127 else NO_PROGRAM.search(said)
    if missing:
        return f"Stage {name} needs the program {missing[1]}, which is not installed. Install it."
    return ""


def _of_check(name: str, said: str, run: CloneRun, first: CloneRun) -> str:
    """Why what a check does with a stage, and DVC does not, may be what makes it fail."""
    if run.tracing and (refused := NO_TRACE.search(said)):
        return f"Stage {name} cannot run while it is traced: {refused[0]}."
    if run.variation.inside and name in first.seconds:
        return (
            f"Stage {name} fails {run.title}, but runs without them, so it is unknown whether its "
            "bytes depend on them."
        )
    return ""


def _of_module(name: str, said: str, clone: Project) -> str:
    """Why a missing module is no fault of a stage: the commit's lock file has a package with it."""
    file = clone.root / project_settings.of(clone).lock_file
    missing = NO_MODULE.search(said)
    if missing and file.is_file():
        versions = lock_file.versions(file.read_text(encoding="utf-8"))
        if (package := canonicalize_name(missing[1])) in versions:
            return (
                f"Stage {name} needs {package}, which is not installed. Run the command without "
                "--here."
            )
    return ""


def _pointers(top: Path) -> Iterator[str]:
    """Files for which the clone has only the pointer of Git LFS, as that is not installed."""
    repository = Repository.of(Project(top))
    for entry in repository.tracked():
        file = top / entry.path
        is_small = file.is_file() and file.stat().st_size < POINTER_BYTES
        if is_small and Pointer.parse(file.read_bytes()):
            yield entry.path


def _other_packages(clone: Project) -> Iterator[str]:
    """Installed packages of another version than the lock file of the commit has."""
    file = clone.root / project_settings.of(clone).lock_file
    if not file.is_file():
        return
    for name, lines in lock_file.packages(file.read_text(encoding="utf-8")).items():
        wanted = set(re.findall(r"==([^\s;\\]+)", lines))
        version = installed_version(name)
        if version and version not in wanted:  # a package for another system has none
            yield f"{name} {version} (lock: {', '.join(sorted(wanted))})"
