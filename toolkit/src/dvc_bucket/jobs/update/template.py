"""The template, cloned to a temporary folder: its releases, and which of them a project gets."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dvc_bucket.base.errors import UpdateError
from dvc_bucket.git.answers import FILE, TAG, Answers
from dvc_bucket.git.contents import ended

#: Copier's short forms of URLs. Source: https://copier.readthedocs.io/en/stable/generating/
FORGES = {"gh:": "https://github.com/", "gl:": "https://gitlab.com/"}

#: How many releases are named where another one was asked for.
NAMED = 5


@dataclass(frozen=True)
class Template:
    """A clone of the template.

    Attributes:
        source: where it was cloned from, without credentials.
        root: folder of the clone.
    """

    source: str
    root: Path

    @property
    def versions(self) -> Sequence[str]:
        """The releases, the newest first."""
        tags = ended(self.root, "tag", "--list", "v*", "--sort=-version:refname").stdout
        return [match[1] for tag in tags.decode().split() if (match := TAG.fullmatch(tag))]

    def choose(self, answers: Answers, wanted: str) -> str:
        """The version that the project gets.

        Args:
            answers: of the project.
            wanted: three numbers; empty for the newest.

        Raises:
            UpdateError: there is no such release, it is older than the project's, or the template
                has not the commit that the project was made of.
        """
        versions, current = self.versions, answers.version
        version = wanted.removeprefix("v") or next(iter(versions), "")
        if version not in versions:
            known = f"it has {', '.join(versions[:NAMED])}" if versions else "it has no releases"
            asked = f"VERSION={wanted}: " if wanted else ""
            raise UpdateError(f"{asked}{self.source} does not have this version; {known}.")
        if current in versions and versions.index(version) > versions.index(current):
            raise UpdateError(
                f"VERSION={wanted} is older than this project's version {current}. To go back, "
                "revert the commit of the update: git revert COMMIT"
            )
        options = ("--verify", "--quiet", "--end-of-options")
        if ended(self.root, "rev-parse", *options, f"{answers.commit}^{{commit}}").returncode:
            raise UpdateError(
                f"{self.source} has no {answers.commit or 'commit'}, which {FILE} names as the "
                "origin of this project. Name the right template: make update FROM=URL"
            )
        return version


def clone(source: str, root: Path) -> Template:
    """Clone the template.

    Args:
        source: URL or path.
        root: folder to make.

    Raises:
        UpdateError: there is no source, or it cannot be reached.
    """
    if not source:
        raise UpdateError(
            f"{FILE} names no template, because the project was created from a clone without a "
            "URL. Name it: make update FROM=URL"
        )
    short = next((forge for forge in FORGES if source.startswith(forge)), "")
    url = FORGES.get(short, "") + source.removeprefix(short).removeprefix("git+")
    shown = re.sub(r"://[^/@]*@", "://", url)
    # Not in a project's folder: its configuration says nothing of how to reach the template.
    done = ended(root.parent, "clone", "--quiet", "--no-checkout", "--", url, str(root))
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        last = re.sub(r"://[^/@]*@", "://", said[0] if said else "")
        raise UpdateError(f"The template {shown} cannot be reached, so nothing was changed: {last}")
    return Template(shown, root)
