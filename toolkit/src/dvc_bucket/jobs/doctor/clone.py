"""This clone: what of it is here and may be written, line ends, hooks; see docs/machines.md."""

from typing import ClassVar

from dvc_bucket.base.errors import ProjectError
from dvc_bucket.base.files import is_writable
from dvc_bucket.dvc import hindrances
from dvc_bucket.dvc.lock import driver
from dvc_bucket.git import partial
from dvc_bucket.git.contents import Repository
from dvc_bucket.git.hooks import commit
from dvc_bucket.jobs.doctor.check import Check, Warn
from dvc_bucket.jobs.doctor.patient import Patient
from dvc_bucket.jobs.doctor.repository import GitThere, git, more


class WholeClone(Check):
    """In a partial clone, plain dvc waits for ever where it looks at an old commit."""

    name = "clone"
    fix = (
        "`git fetch --refetch --no-filter` fetches everything. Until then use `bucket` to read "
        "other commits."
    )
    requires = (GitThere,)

    @staticmethod
    def check(patient: Patient) -> str:
        """Ask git for remotes that promise what is not here, and for the end of the history."""
        if remotes := partial.promisors(patient.project.root):
            raise Warn(f"a partial clone of {remotes[0]}, without files of old commits")
        if Repository.of(patient.project).is_shallow:
            return "shallow: `git fetch --unshallow --tags` gets the rest of the history"
        return "whole"


class SubmodulesHere(Check):
    """A stage that uses code of a submodule fails where its folder is empty."""

    name = "submodules"
    fix = "`git submodule update --init --recursive`"
    requires = (GitThere,)

    @staticmethod
    def check(patient: Patient) -> str:
        """Look at the folders of those that the index names."""
        listed = git(patient, "ls-files", "--stage", "--full-name", "-z", "--", ":/").stdout
        entries = [line.partition("\t") for line in listed.split("\0")]
        paths = [path for head, _, path in entries if head.startswith("160000")]
        root = Repository.of(patient.project).root
        if empty := [path for path in paths if not (root / path / ".git").exists()]:
            raise Warn(f"{empty[0]} is empty{more(len(empty))}")
        return f"{len(paths)}, all here" if paths else "none"


class LineEnds(Check):
    """With other line ends than the commit has, DVC sees other code and runs every stage again."""

    name = "line ends"
    fix = (
        "Add `* text=auto eol=lf` and `data/** -text` to .gitattributes, commit it, and clone "
        "again."
    )
    requires = (GitThere,)

    @staticmethod
    def check(patient: Patient) -> str:
        """Compare those of the index with those of the work tree."""
        listed = git(patient, "ls-files", "--eol", "-z").stdout.split("\0")
        lines = [line.partition("\t") for line in listed if line]
        other = [path for kinds, _, path in lines if kinds.split()[:2] == ["i/lf", "w/crlf"]]
        if other:
            raise Warn(
                f"git has written {other[0]} with Windows line ends (core.autocrlf)"
                f"{more(len(other))}"
            )
        return "those of git"


class Writable(Check):
    """DVC takes its locks in .dvc/tmp: where it cannot, only reading works."""

    name = "clone written"
    fix = "Work in a clone of your own: `git clone`. `bucket ls`, `cat`, `cp` and `verify` work."

    @staticmethod
    def check(patient: Patient) -> str:
        """Ask the system."""
        folder = patient.project.dvc_site_cache.parent
        if not is_writable(folder):
            raise Warn(f"{folder} is not writable")
        return "by this user"


class DataInside(Check):
    """DVC keeps no output behind a link that leads out of the repository."""

    name = "linked data"
    fix = "Replace it by a folder, and move DVC's cache to the other disk: `dvc cache dir --local`."
    requires = (GitThere,)

    @staticmethod
    def check(patient: Patient) -> str:
        """Look at the folders of all outputs, as `bucket repro` does."""
        hindrances.refuse_links(patient.project)
        return "none"


class HooksInPlace(Check):
    """Without them a credential gets into a commit."""

    name = "git hooks"
    fix = (
        "`bucket secrets --install-hook`, as `make setup` does. Your own hook is kept and "
        "still runs."
    )
    requires = (GitThere,)

    #: What a hook of one's own has to run.
    SHARED: ClassVar = b"bucket secrets"

    @staticmethod
    def check(patient: Patient) -> str:
        """Compare those that git runs with those of this version."""
        if git(patient, "check-ignore", "--quiet", ".").returncode == 0:
            return "none: the repository ignores this folder"
        repository = Repository.of(patient.project)
        texts = {hook: hook.found(repository) for hook in commit.HOOKS}
        try:
            lacking = [hook for hook in texts if not hook.is_in_place(patient.project)]
        except ProjectError as error:  # a folder that other repositories share
            if HooksInPlace.SHARED in (texts[commit.HOOK] or b""):
                return f"`bucket secrets` in {repository.hooks}"
            found, _, fix = str(error).partition(". ")
            raise Warn(found, fix) from None
        if lacking:
            text = texts[lacking[0]]
            of_whom = "of another version" if lacking[0].is_ours(text) else "not the toolkit's"
            state = "missing" if text is None else of_whom
            raise Warn(f"{lacking[0].name} is {state}{more(len(lacking))}")
        return ", ".join(hook.name for hook in texts)


class MergeDriver(Check):
    """Git merges dvc.lock line by line, and two branches that ran other stages are in conflict."""

    name = "merge driver"
    fix = "`bucket lock-merge --install`, as `make setup` does."
    requires = (GitThere,)

    @staticmethod
    def check(patient: Patient) -> str:
        """Look whether .gitattributes asks for it, then for what git knows."""
        asked = git(patient, "check-attr", "merge", "--", "dvc.lock").stdout.split()
        if asked[-1:] != [driver.DRIVER]:
            return "git's own; .gitattributes names no other"
        if not driver.is_in_place(patient.project):
            raise Warn(".gitattributes names it, but this clone does not have it")
        return driver.DRIVER
