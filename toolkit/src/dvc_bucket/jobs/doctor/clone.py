"""This clone: what of the commits is here, submodules, and line ends; see docs/machines.md."""

from dvc_bucket.git import partial
from dvc_bucket.git.contents import Repository
from dvc_bucket.jobs.doctor.check import Check, Warn
from dvc_bucket.jobs.doctor.patient import Patient
from dvc_bucket.jobs.doctor.repository import GitThere, git, more


class WholeClone(Check):
    """In a partial clone, plain dvc waits for ever where it looks at an old commit."""

    name = "clone"
    fix = (
        "`git fetch --refetch --no-filter` gets all of it; until then look at commits by `bucket`."
    )
    requires = (GitThere,)

    @staticmethod
    def check(patient: Patient) -> str:
        """Ask git for remotes that promise what is not here, and for the end of the history."""
        if remotes := partial.promisors(patient.project.root):
            raise Warn(f"a partial clone of {remotes[0]}: files of old commits are not here")
        if Repository.of(patient.project).is_shallow:
            return "shallow: `git fetch --unshallow --tags` gets the rest of the history"
        return "whole"


class SubmodulesHere(Check):
    """A stage that uses code of a submodule fails where its folder is empty."""

    name = "submodules"
    fix = "git submodule update --init --recursive"
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
        "Put `* text=auto eol=lf` and `data/** -text` into .gitattributes, commit that, and clone "
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
