"""The second half, with the new toolkit: the stages that changed, and a summary."""

import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dvc_bucket.base.errors import UpdateError
from dvc_bucket.base.paths import Project
from dvc_bucket.base.programs import ran
from dvc_bucket.base.toolkit import COMMAND
from dvc_bucket.base.words import counted
from dvc_bucket.dvc.snapshot import Snapshot
from dvc_bucket.git import answers as answers_file
from dvc_bucket.git.answers import Answers
from dvc_bucket.git.contents import Repository, ended, git
from dvc_bucket.jobs.update import notes

#: A finding of `bucket check` that is no fault here: that a stage changed is why it is checked.
EXPECTED = "other code"

#: How tests end that found nothing.
PASSED = "passed"

#: Exit statuses.
FINE, FINDING, NOT_SEEN = 0, 1, 3


@dataclass(frozen=True)
class StageProof:
    """What became of the stages that the update changed.

    Attributes:
        stages: their names.
        wrong: what is not as recorded, a clause each.
        unknown: why they could not be run; empty if they were.
    """

    stages: Sequence[str]
    wrong: Sequence[str] = ()
    unknown: str = ""

    def __str__(self) -> str:
        """The summary's line."""
        names = ", ".join(self.stages)
        if not self.stages:
            return "none changed."
        if self.unknown:
            return f"{names} changed and could not be run: {self.unknown}"
        if self.wrong:
            return f"{names} changed: {'; '.join(self.wrong)}."
        return f"{names} changed; the outputs are identical to the recorded ones."


def prove(project: Project, tests: str, say: Callable[[str], None] = print) -> int:
    """Run the stages that changed, and sum up an update that is not committed.

    Args:
        project: the clone with the merged update.
        tests: how the project's tests ended: `passed` or `failed`.
        say: prints a line of the summary.

    Returns:
        0, 1 if a test or a stage failed or a result differs, 3 if stages could not be run.

    Raises:
        UpdateError: a conflict is not resolved, or there is no update to prove.
    """
    repository = Repository.of(project)
    before, after = _answers(project)
    _refuse_conflicts(repository)
    commit = _commit(repository)
    changes = list(_changes(repository, commit))
    proof = _stages(project, commit)
    old, new = (one.version or one.commit for one in (before, after))
    say(f"Update: {old} -> {new}, {', '.join(changes)}.")
    say(f"Tests:  {tests if tests == PASSED else 'FAILED, see above'}.")
    say(f"Stages: {proof}")
    asked = list(notes.to_do(before.version, after.version))
    say("To do:" if asked else "To do:  nothing.")
    for version, lines in asked:
        say(f"for {version}:\n{lines}")
    reproduce = "make reproduce && " if proof.stages else ""
    say(f"Next:   look at it (git diff HEAD), then: {reproduce}git add --all && git commit")
    if tests != PASSED or proof.wrong:
        return FINDING
    return NOT_SEEN if proof.unknown else FINE


def _answers(project: Project) -> tuple[Answers, Answers]:
    """The answers in the last commit and in the work tree.

    Raises:
        UpdateError: they are the same.
    """
    after = answers_file.read(project)
    before = answers_file.parse(git(project.root, "show", f"HEAD:./{answers_file.FILE}").decode())
    if after is None or after.values == before.values:
        raise UpdateError("There is no uncommitted update. Begin one: make update")
    return before, after


def _refuse_conflicts(repository: Repository) -> None:
    """Refuse files that still have both sides.

    Raises:
        UpdateError: naming them.
    """
    unmerged = git(repository.root, "diff", "--name-only", "--diff-filter=U", "-z")
    names = dict.fromkeys(filter(None, os.fsdecode(unmerged).split("\0")))
    # Also those that were added to git with their markers.
    pattern = r"^(<<<<<<< before updating|>>>>>>> after updating)$"
    marked = ("grep", "--name-only", "-z", "-E", "--untracked", "-e", pattern, "--", ":/")
    with_markers = os.fsdecode(ended(repository.root, *marked).stdout)
    names |= dict.fromkeys(filter(None, with_markers.split("\0")))
    if names:
        listed = " ".join(names)
        raise UpdateError(
            f"In conflict: {listed}. Edit them, then: git add {listed} && make updated"
        )


def _changes(repository: Repository, commit: str) -> Iterator[str]:
    """How many files the update changed, and which of them it removed."""
    options = ("-r", "--name-status", "--no-renames", "-z")
    words = os.fsdecode(git(repository.root, "diff-tree", *options, "HEAD", commit)).split("\0")
    kinds = dict(zip(words[1::2], words[::2], strict=False))
    yield f"{counted(len(kinds), 'file')} changed"
    if removed := [path for path, kind in kinds.items() if kind == "D"]:
        yield f"of which removed: {', '.join(removed)}"


def _commit(repository: Repository) -> str:
    """A commit of the work tree as it is, on no branch and with an index of its own."""
    with tempfile.TemporaryDirectory(prefix="bucket-update-") as folder:
        index = str(Path(folder) / "index")
        git(repository.root, "read-tree", "HEAD", GIT_INDEX_FILE=index)
        git(repository.root, "add", "--all", ":/", GIT_INDEX_FILE=index)
        tree = git(repository.root, "write-tree", GIT_INDEX_FILE=index).decode().strip()
    words = ("commit-tree", "-p", "HEAD", "-m", "An update to prove", tree)
    identity = ("-c", "user.name=bucket", "-c", "user.email=bucket")
    return git(repository.root, *identity, *words).decode().strip()


def _stages(project: Project, commit: str) -> StageProof:
    """Run the stages that do not fit `dvc.lock` any more, in a clean clone."""
    snapshot = Snapshot.at(project, commit)
    stale = set(snapshot.stale())
    names = [  # not those that never ran: there is nothing to compare with
        one.name for one in snapshot.stages if one.name in stale and one.run and not one.is_frozen
    ]
    if not names:
        return StageProof(names)
    words = ("check", commit, "--here", "--no-causes", "--json", "--stages", ",".join(names))
    done = ran([Path(sys.executable).with_name(COMMAND), *words], project.root)
    try:
        report = json.loads(done.stdout)
    except json.JSONDecodeError:
        return StageProof(names, unknown=done.stderr.strip())
    wrong = [
        f"{one['path']} {one['verdict']}{': ' if one['detail'] else ''}{one['detail']}"
        for one in report["outputs"]
        if one["verdict"] in {"differs", "missing"}
    ]
    wrong += [one["text"] for one in report["findings"] if one["kind"] != EXPECTED]
    return StageProof(names, wrong)
