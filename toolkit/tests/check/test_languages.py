"""Stages in R and shell: what a check sees of their files and packages."""

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from dvc_bucket.base import foreign_packages
from dvc_bucket.base.packages import text_of
from tests.check.small import make

HAS_R = bool(shutil.which("Rscript"))

#: A package of R: its files.
TINY = {
    "DESCRIPTION": "Package: tiny.one\nVersion: 0.1-2\nTitle: Tiny\nDescription: Tiny.\n"
    "License: CC0\nAuthor: None\nMaintainer: None <none@example.org>\n",
    "NAMESPACE": "export(two)\n",
    "R/two.R": "two <- function() 2\n",
}

FILES = {
    "src/helper.R": "put <- function(text, path) cat(text, '\\n', file = path)\n",
    "src/good_r.R": "source('src/helper.R')\nput(stats::sd(c(1, 2, 4)), 'good_r.txt')\n",
    "src/loads_r.R": "library(tiny.one)\ncat(two(), file = 'loads_r.txt')\n",
    "src/named_r.R": "cat(tiny.one::two(), file = 'named_r.txt')\n",
    "src/reads_r.R": "cat(readLines('notes'), file = 'reads_r.txt')\n",
    "src/good_sh.sh": "sort src/good_sh.sh >good_sh.txt\n",
    "src/reads_sh.sh": "cat notes >reads_sh.txt\n",
    "notes": "a note\n",
}


def in_shell(name: str) -> dict[str, Any]:
    """A stage that runs src/NAME.sh and makes NAME.txt."""
    return {"cmd": f"sh src/{name}.sh", "deps": [f"src/{name}.sh"], "outs": [f"{name}.txt"]}


def in_r(name: str, *deps: str, packages: Sequence[str] = ("R",)) -> dict[str, Any]:
    """A stage that runs src/NAME.R and makes NAME.txt."""
    script = f"src/{name}.R"
    params = [{"packages.yaml": [*packages]}]
    return {"cmd": f"Rscript {script}", "deps": [script, *deps], "params": params} | {
        "outs": [f"{name}.txt"]
    }


SHELL = {name: in_shell(name) for name in ("good_sh", "reads_sh")}

IN_R = {
    "good_r": in_r("good_r", "src/helper.R"),
    "reads_r": in_r("reads_r"),
    "loads_r": in_r("loads_r"),
    "named_r": in_r("named_r", packages=("R", "R/tiny-one")),
}


def install_tiny(folder: Path) -> Path:
    """Install the package; the library that has it."""
    for name, text in TINY.items():
        (folder / "tiny" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "tiny" / name).write_text(text)
    library = folder / "library"
    library.mkdir()
    options = ("--no-docs", "--no-test-load", "--no-byte-compile")
    command = ["R", "CMD", "INSTALL", *options, "-l", str(library), str(folder / "tiny")]
    subprocess.run(command, check=True, capture_output=True)
    return library


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("languages")
    stages, versions = SHELL, {}
    with pytest.MonkeyPatch.context() as patch:
        if HAS_R:
            patch.setenv("R_LIBS_USER", str(install_tiny(folder)))
            here = foreign_packages.installed(["R", "R/tiny-one"], folder)
            assert here["R/tiny-one"] == "0.1-2"
            stages, versions = SHELL | IN_R, here | {"R/tiny-one": "0.1-1"}
        files = FILES | {"packages.yaml": text_of(versions)}
        made = make(folder / "project", files, stages)
        made.commit()
        yield made.report()


def test_files_and_packages_that_are_not_declared_are_found_and_nothing_else(
    report: dict[str, Any],
) -> None:
    """What R itself and its packages read is no finding, nor a script that another one reads."""
    found = {(one["kind"], one["stage"], one["path"]) for one in report["findings"]}
    of_r = {
        ("undeclared file", "reads_r", "notes"),
        ("undeclared package", "loads_r", "packages.yaml"),
        ("other package", "named_r", "packages.yaml"),
    }
    assert found == {("undeclared file", "reads_sh", "notes")} | (of_r if HAS_R else set())
    texts = {one["stage"]: one["text"] for one in report["findings"]}
    if HAS_R:
        assert texts["loads_r"].startswith("loads_r loads R/tiny-one, which src/loads_r.R imports")
        assert texts["named_r"].startswith("named_r ran with R/tiny-one 0.1-2, but packages.yaml ")
