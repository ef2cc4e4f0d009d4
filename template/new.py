"""`make new DIR=../mine`: a project of the last release, with a history of its own.

What copier makes is committed in a folder beside DIR and then renamed: DIR is whole or absent.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import copier
from copier.errors import CopierError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

ROOT = Path(__file__).resolve().parents[1]

#: The wheel of the last release; only `make release` changes it.
WHEELS = "template/project/vendor"


class NewError(Exception):
    """Why no project was made, in one sentence."""


def git(*words: str | Path, cwd: Path = ROOT) -> str:
    """What git prints; an empty text where it fails."""
    done = subprocess.run(["git", *words], cwd=cwd, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def release() -> tuple[str, str]:
    """Name and commit of the last release: the newest tag, else the commit of the wheel.

    Raises:
        NewError: this clone has no release.
    """
    tags = git("tag", "--list", "v[0-9]*", "--sort=-version:refname").split()
    name = tags[0] if tags else git("log", "-1", "--format=%h", "--", f"{WHEELS}/*.whl")
    if not name:
        raise NewError("This clone has no release to make a project of: make release VERSION=0.1.0")
    return name, git("rev-parse", f"{name}^{{commit}}")


def template_url() -> str:
    """URL of this clone's origin without credentials; empty without one."""
    return re.sub(r"^(https?://)[^/@]*@", r"\1", git("remote", "get-url", "origin"))


def checked(folder: str) -> Path:
    """The path of the new project.

    Raises:
        NewError: it is taken, or the commit cannot be made.
    """
    if not folder:
        raise NewError("Which folder? make new DIR=../mine")
    path = Path(folder).expanduser().resolve()
    if path.is_relative_to(ROOT):
        raise NewError(f"DIR={folder} is inside this clone; name a folder beside it: DIR=../mine")
    if not path.parent.is_dir():
        raise NewError(f"There is no folder {path.parent}, in which {path.name} could be made.")
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise NewError(f"{path} exists already; name a folder that does not.")
    if not git("var", "GIT_COMMITTER_IDENT"):
        raise NewError(
            "git does not know your name, which the first commit needs: "
            "git config --global user.name and user.email"
        )
    return path


def answers(given: argparse.Namespace) -> dict[str, Any]:
    """The answers of `--data-file` and `--data`, the latter first.

    Raises:
        NewError: the file has none, or one has no value.
    """
    found: dict[str, Any] = {}
    if given.data_file:
        try:
            found |= YAML(typ="safe").load(Path(given.data_file))
        except (OSError, UnicodeDecodeError, YAMLError, TypeError) as error:
            raise NewError(f"{given.data_file} holds no answers: {error}") from None
    for line in given.data:
        name, equals, value = line.partition("=")
        if not equals:
            raise NewError(f"--data {line} gives no value; such as: --data kind=example")
        found[name] = value
    return found


def render(project: Path, commit: str, given: argparse.Namespace) -> None:
    """Have copier ask what is not answered, and write the files.

    Raises:
        NewError: an answer is wrong or missing.
    """
    data = answers(given) | {"template_url": template_url()}
    try:
        copier.run_copy(
            str(ROOT), project, data, vcs_ref=commit, defaults=given.defaults, quiet=True
        )
    except (CopierError, ValueError) as error:
        raise NewError(f"No project was made: {error}") from None


def make(path: Path, given: argparse.Namespace) -> None:
    """Make the project at `path` and commit it.

    Raises:
        NewError: copier or git failed.
    """
    name, commit = release()
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}-") as beside:
        project = Path(beside) / path.name
        render(project, commit, given)
        git("init", "--quiet", "--initial-branch", "main", cwd=project)
        # Forced: an ignore file of the person's own must not take a file out.
        git("add", "--all", "--force", cwd=project)
        git("commit", "--quiet", "--message", f"A project of the template, {name}", cwd=project)
        if not git("rev-parse", "--quiet", "--verify", "HEAD", cwd=project):
            raise NewError("No project was made: git commit failed. Try it in any other folder.")
        project.rename(path)
    count = len(git("ls-files", cwd=path).splitlines())
    print(f"Created {path} from release {name}: {count} files, one commit.")
    if not re.match(r"(https?|ssh|git)://|[\w.-]+@[^:/]+:", template_url()):
        print(
            "This clone has no origin with a URL, so the project does not know its template. "
            "`make update FROM=URL` names it later."
        )
    print(f"Next: cd {path} && make reproduce")


def words() -> argparse.Namespace:
    """The words after `template/new.py`."""
    parser = argparse.ArgumentParser(prog="make new", description=__doc__)
    parser.add_argument("folder", metavar="DIR")
    parser.add_argument("--defaults", action="store_true", help="ask nothing")
    parser.add_argument("--data", action="append", default=[], metavar="NAME=ANSWER")
    parser.add_argument("--data-file", metavar="FILE", help="answers as YAML")
    return parser.parse_args()


if __name__ == "__main__":
    asked = words()
    try:
        make(checked(asked.folder), asked)
    except NewError as error:
        sys.exit(str(error))
