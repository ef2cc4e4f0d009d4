"""Git and what it must not hold: `.env` ignored and never committed, no key in a tracked file."""

import subprocess
from typing import ClassVar

from dvc_bucket.base.errors import ProjectError
from dvc_bucket.connection import dvc_config as config
from dvc_bucket.dvc.remote import unseen
from dvc_bucket.git import owner
from dvc_bucket.git.contents import ended
from dvc_bucket.jobs.doctor.check import Check, Problem, Warn
from dvc_bucket.jobs.doctor.patient import Patient


class GitThere(Check):
    """DVC keeps the hashes of the data in git, and refuses to work without it."""

    name = "git"
    fix = "Work in a clone (`git clone`), or make this folder a repository: `git init`."

    @staticmethod
    def check(patient: Patient) -> str:
        """Ask git for the repository."""
        done = git(patient, "rev-parse", "--show-toplevel")
        if done.returncode == 0:
            return "a repository"
        owner.check(done.stderr)
        if dvc_option(patient, "core", "no_scm").lower() == "true":
            return "none; core.no_scm is set"
        raise Problem("this is not a git repository")


class EnvIgnored(Check):
    """`git add .` takes every file that is not ignored."""

    name = ".env ignored"
    fix = "Add a line `.env` to .gitignore."
    requires = (GitThere,)

    @staticmethod
    def check(patient: Patient) -> str:
        """Ask git."""
        if git(patient, "check-ignore", "--quiet", "--no-index", ".env").returncode != 0:
            raise Problem("git does not ignore .env")
        return "by .gitignore"


class EnvNeverCommitted(Check):
    """A secret in any commit is everybody's who can clone, also after it was deleted."""

    name = ".env not in git"
    fix = (
        "Revoke the key and create a new one. Then run `git rm --cached .env`, and remove it from "
        "the history (`git filter-repo --path .env --invert-paths`) before anybody else clones."
    )
    requires = (GitThere,)

    @staticmethod
    def check(patient: Patient) -> str:
        """Look at the index, and at every commit."""
        if git(patient, "ls-files", "--", ".env").stdout:
            raise Problem("git tracks .env", "Run `git rm --cached .env`, and create a new key.")
        log = git(patient, "log", "--all", "--format=%h", "--", ".env")
        if commits := log.stdout.split():
            raise Problem(f"commit {commits[-1]} contains an .env")
        if log.returncode != 0:
            raise Warn(f"git cannot read every commit: {log.stderr.strip()}")
        return "neither tracked nor in any commit"


class DvcConfigClean(Check):
    """.dvc/config is committed: credentials in it are published."""

    name = ".dvc/config"
    fix = (
        "`dvc remote modify --unset NAME OPTION`; if it was ever pushed, create a new key. "
        "Credentials belong in .env."
    )

    #: Options that hold credentials. Source: DVC's reference of `dvc remote modify`, Amazon S3.
    SECRET: ClassVar = {"access_key_id", "secret_access_key", "session_token", "sse_customer_key"}

    @staticmethod
    def check(patient: Patient) -> str:
        """Read the tracked file, then the one of this clone alone."""
        kinds = {patient.project.dvc_config: Problem, patient.project.dvc_config_local: Warn}
        for path, kind in kinds.items():
            for section, options in config.read(path).items():
                if held := sorted(DvcConfigClean.SECRET & set(options)):
                    raise kind(f".dvc/{path.name} holds {', '.join(held)} ({section})")
        return "no credential"


class NoSecretTracked(Check):
    """A key in a script or a notebook is published with the next push."""

    name = "tracked files"
    fix = "Remove it, create a new key, and read it from the environment."
    requires = (GitThere,)

    @staticmethod
    def check(patient: Patient) -> str:
        """Scan them as `bucket secrets` does."""
        from dvc_bucket.git.secrets import scan

        if findings := scan.tracked(patient.project).findings:
            raise Problem(f"{findings[0]}{more(len(findings))}")
        return "no key"


class DvcFilesSeen(Check):
    """DVC skips ignored folders, and says `up to date` of data that it never looked for."""

    name = "DVC's files"
    fix = unseen.FIX
    requires = (GitThere,)

    @staticmethod
    def check(patient: Patient) -> str:
        """Compare the files that git tracks with those that DVC finds."""
        hidden = patient.dvc_files[0]
        for path, why in hidden.items():
            raise Problem(f"{path}: {why}{more(len(hidden))}")
        return "all seen"


def git(patient: Patient, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a git command in the project; its messages are in English.

    Raises:
        Problem: there is no git.
    """
    try:
        done = ended(patient.project.root, *arguments)
    except ProjectError:
        raise Problem("git is not on the PATH", "Install git.") from None
    output, errors = (text.decode(errors="replace") for text in (done.stdout, done.stderr))
    return subprocess.CompletedProcess(done.args, done.returncode, output, errors)


def dvc_option(patient: Patient, section: str, option: str) -> str:
    """An option of DVC's configuration: of this clone, else the tracked one; empty if not set."""
    files = (patient.project.dvc_config_local, patient.project.dvc_config)
    values = (config.read(file).get(section, {}).get(option) for file in files)
    return next((str(value) for value in values if value is not None), "")


def more(findings: int) -> str:
    """What follows the first of several findings."""
    return f", and {findings - 1} more" if findings > 1 else ""
