"""The file in which copier keeps of which template, and with which answers, a project was made."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from dvc_bucket.base.errors import ProjectError
from dvc_bucket.base.paths import Project
from dvc_bucket.git.contents import ended

#: Copier's own default.
FILE = ".copier-answers.yml"

#: The tag of a release, with its version.
TAG = re.compile(r"v(\d+\.\d+\.\d+)")


@dataclass(frozen=True)
class Answers:
    """The content of the file.

    Attributes:
        values: of every key. Those that begin with `_` are copier's, the others are answers.
    """

    values: Mapping[str, Any]

    @property
    def source(self) -> str:
        """URL of the template; empty if the project was made of a clone without one."""
        return str(self.values.get("_src_path", ""))

    @property
    def commit(self) -> str:
        """The template's tag or commit."""
        return str(self.values.get("_commit", ""))

    @property
    def version(self) -> str:
        """The template's version; empty if `commit` is not that of a release."""
        tag = TAG.fullmatch(self.commit)
        return tag[1] if tag else ""


def parse(text: str) -> Answers:
    """The answers in the text of the file.

    Raises:
        ProjectError: it is not the YAML that copier writes.
    """
    try:
        values = YAML(typ="safe", pure=True).load(text)
    except YAMLError:
        values = None
    if not isinstance(values, dict):
        raise ProjectError(
            f"{FILE} is not a file that copier writes. Restore it: git checkout {FILE}"
        )
    return Answers(values)


def read(project: Project) -> Answers | None:
    """The answers of a project; None if it has no such file.

    Raises:
        ProjectError: the file cannot be read.
    """
    try:
        return parse((project.root / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ProjectError(
            f"{FILE} cannot be read ({type(error).__name__}). Restore it: git checkout {FILE}"
        ) from None


def restore(project: Project) -> str:
    """The command that brings the file back; empty if no commit of this branch had it."""
    last = ended(project.root, "log", "-1", "--format=%h", "--diff-filter=AM", "--", FILE).stdout
    return f"git checkout {last.decode().strip()} -- {FILE}" if last.strip() else ""
