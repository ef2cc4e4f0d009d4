"""Which R packages a script in R uses, found in its text: R itself is not needed for that."""

import re
from collections.abc import Iterable
from pathlib import Path

from dvc_bucket.base.foreign_packages import R, of_r
from dvc_bucket.stages.declared import programs

#: The name of an R package: "Writing R Extensions", 1.1.1 The DESCRIPTION file.
NAME = r"[A-Za-z][A-Za-z0-9.]*[A-Za-z0-9]"

#: Strings and comments of R; what is in raw strings counts as code.
TEXTS = re.compile(r"""("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|#[^\n]*""", re.DOTALL)

#: Calls that load a package; not with a variable in place of its name.
LOADS = re.compile(
    rf"""\b(library|require|requireNamespace|loadNamespace)\(\s*(?:package\s*=\s*)?["']?({NAME})["']?"""
    r"\s*[,)](?![^()]*character\.only)"
)

#: A name of a package's own: `dplyr::filter`.
OWN_NAME = re.compile(rf"\b({NAME}):::?[\w.`]")

#: The call that a script makes to find out whether a package is there.
ASKS = "requireNamespace"


def packages_of(scripts: Iterable[Path]) -> tuple[dict[str, Path], set[str]]:
    """The packages that scripts in R use, each with a script that does, and those that none needs.

    R itself is among them. A script that only asks whether a package is there does not need it.

    Args:
        scripts: of any language; those in others are left out.
    """
    packages: dict[str, Path] = {}
    needed = {R}
    for script in scripts:
        if script.suffix in programs.R:
            text = TEXTS.sub(_plain, script.read_text(encoding="utf-8", errors="replace"))
            calls = [(of_r(name), call != ASKS) for call, name in LOADS.findall(text)]
            calls += [(of_r(name), True) for name in OWN_NAME.findall(text)]
            packages = dict.fromkeys([R, *(name for name, _ in calls)], script) | packages
            needed |= {name for name, is_needed in calls if is_needed}
    return packages, packages.keys() - needed


def _plain(text: "re.Match[str]") -> str:
    """A string that may be a name as it is, another one empty; nothing of a comment."""
    quoted = text[1] or ""
    return quoted if re.fullmatch(rf"[\"']{NAME}[\"']", quoted) else quoted[:1] * 2
