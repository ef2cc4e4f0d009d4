"""Git and what it must not hold: `.env` ignored and never committed, no key in a tracked file."""

import subprocess
from pathlib import Path
from typing import ClassVar

from dvc_bucket.base.errors import ProjectError, SettingsError
from dvc_bucket.connection import dvc_config as config
from dvc_bucket.dvc.remote import unseen
from dvc_bucket.dvc.remote.outputs import opened
from dvc_bucket.git.contents import ended
from dvc_bucket.jobs.doctor.check import Check, Problem, Skip, Warn
from dvc_bucket.jobs.doctor.patient import Patient


class GitThere(Check):
    """The project is in a git repository."""

    name = "git"
    why = "DVC keeps the hashes of the data in git, and refuses to work without it."
    fix = "Work in a clone (`git clone`), or make this folder a repository: `git init`."

    @staticmethod
    def check(patient: Patient) -> str:
        """Ask git for the repository."""
        done = git(patient, "rev-parse", "--show-toplevel")
        if done.returncode == 0:
            return "a repository"
        if "dubious ownership" in done.stderr:
            raise Problem(
                "git does not trust this folder, which belongs to another user",
                f"git config --global --add safe.directory {patient.project.root}",
            )
        if dvc_options(patient, "core").get("no_scm", "").lower() == "true":
            return "none, and core.no_scm is set"
        raise Problem("this is no git repository")


class EnvIgnored(Check):
    """Git does not see `.env`."""

    name = ".env ignored"
    why = "`git add .` takes every file that is not ignored."
    fix = "Add a line `.env` to .gitignore."
    needs = (GitThere,)

    @staticmethod
    def check(patient: Patient) -> str:
        """Ask git."""
        if git(patient, "check-ignore", "--quiet", "--no-index", ".env").returncode != 0:
            raise Problem("git does not ignore .env")
        return "by .gitignore"


class EnvNeverCommitted(Check):
    """No commit holds `.env`."""

    name = ".env not in git"
    why = "A secret in any commit is everybody's who can clone, also after it was deleted."
    fix = (
        "Have the key revoked and a new one made; then `git rm --cached .env`, and take it out of "
        "the history (git filter-repo --path .env --invert-paths) before anybody else clones."
    )
    needs = (GitThere,)

    @staticmethod
    def check(patient: Patient) -> str:
        """Look at the index, and at every commit."""
        if git(patient, "ls-files", "--", ".env").stdout:
            raise Problem("git tracks .env", "git rm --cached .env, and have a new key made.")
        log = git(patient, "log", "--all", "--format=%h", "--", ".env")
        if commits := log.stdout.split():
            raise Problem(f"commit {commits[-1]} holds an .env")
        if log.returncode != 0:
            raise Warn(f"git cannot read every commit: {log.stderr.strip()}")
        return "neither tracked nor in any commit"


class DvcConfigClean(Check):
    """No credential in DVC's configuration."""

    name = ".dvc/config"
    why = ".dvc/config is committed: credentials in it are published."
    fix = (
        "`dvc remote modify --unset NAME OPTION`; if it was ever pushed, have a new key made. "
        "Credentials belong into .env."
    )

    #: Options that hold credentials. Source: DVC's reference of `dvc remote modify`, Amazon S3.
    SECRET: ClassVar = {"access_key_id", "secret_access_key", "session_token", "sse_customer_key"}

    @staticmethod
    def check(patient: Patient) -> str:
        """Read the tracked file, then the one of this clone alone."""
        for path, kind in (
            (patient.project.dvc_config, Problem),
            (patient.project.dvc_config_local, Warn),
        ):
            for section, options in config.read(path).items():
                held = sorted(DvcConfigClean.SECRET & set(options))
                if held:
                    raise kind(f".dvc/{path.name} holds {', '.join(held)} ({section})")
        return "no credential"


class NoSecretTracked(Check):
    """No key in any tracked file."""

    name = "tracked files"
    why = "A key in a script or a notebook is published with the next push."
    fix = "Take it out, have a new key made, and read it from the environment."
    needs = (GitThere,)

    @staticmethod
    def check(patient: Patient) -> str:
        """Scan them as `bucket secrets` does."""
        from dvc_bucket.git.secrets import scan

        findings = scan.tracked(patient.project).findings
        if findings:
            more = f", and {len(findings) - 1} more" if len(findings) > 1 else ""
            raise Problem(f"{findings[0]}{more}")
        return "no key"


class DvcFilesSeen(Check):
    """DVC sees its files that git tracks."""

    name = "DVC's files"
    why = "DVC skips ignored folders, and says `up to date` of data that it never looked for."
    fix = unseen.FIX
    needs = (GitThere,)

    @staticmethod
    def check(patient: Patient) -> str:
        """Compare the files that git tracks with those that DVC finds."""
        try:
            with opened(patient.project) as repo:
                found = unseen.unseen(patient.project, repo)
        except (ProjectError, SettingsError):
            raise Skip("DVC cannot read the project") from None
        if found:
            path, why = next(iter(found.items()))
            more = f", and {len(found) - 1} more" if len(found) > 1 else ""
            raise Problem(f"{path}: {why}{more}")
        return "all seen"


ALL = (GitThere, EnvIgnored, EnvNeverCommitted, DvcConfigClean, NoSecretTracked, DvcFilesSeen)


def git(patient: Patient, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """A git command in the project, ended, with what it said in English.

    Raises:
        Problem: there is no git.
    """
    try:
        done = ended(patient.project.root, *arguments)
    except ProjectError:
        raise Problem("git is not on the PATH", "Install git.") from None
    said = (text.decode(errors="replace") for text in (done.stdout, done.stderr))
    return subprocess.CompletedProcess(done.args, done.returncode, *said)


def dvc_options(patient: Patient, section: str) -> dict[str, str]:
    """Options of a section of DVC's configuration: tracked, then of this clone alone."""
    files = (patient.project.dvc_config, patient.project.dvc_config_local)
    return {name: value for file in files for name, value in _section(file, section).items()}


def _section(file: Path, section: str) -> dict[str, str]:
    found = config.read(file).get(section, {})
    return {k: ",".join(v) if isinstance(v, list) else str(v) for k, v in found.items()}
