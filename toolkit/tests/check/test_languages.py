"""Stages in R and shell with one fault each: the check names just its cause."""

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
NO_R = "Rscript is not installed (tests/machines/packages installs it, on Debian)"
NEEDS_R = pytest.mark.skipif(not HAS_R, reason=NO_R)
NO_CLOCK = "libfaketime is not installed (tests/machines/packages installs it, on Debian)"

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
    "src/time_r.R": "cat(format(Sys.time(), '%Y-%m-%d %H:%M'), '\\n', file = 'time_r.txt')\n",
    "src/loads_r.R": "library(tiny.one)\ncat(two(), file = 'loads_r.txt')\n",
    "src/named_r.R": "cat(tiny.one::two(), file = 'named_r.txt')\n",
    "src/reads_r.R": "cat(readLines('notes'), file = 'reads_r.txt')\n",
    "src/good_sh.sh": "sort src/good_sh.sh >good_sh.txt\n",
    "src/time_sh.sh": "date '+%Y-%m-%d %H:%M' >time_sh.txt\n",
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


SHELL = {name: in_shell(name) for name in ("good_sh", "time_sh", "reads_sh")}

IN_R = {
    "good_r": in_r("good_r", "src/helper.R"),
    "time_r": in_r("time_r"),
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
    command = ["R", "CMD", "INSTALL", *options, "-l", library, folder / "tiny"]
    subprocess.run(command, check=True, capture_output=True)
    return library


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What a check finds of stages, of which two have recorded what they made at another time."""
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
        for name in stages.keys() & {"time_sh", "time_r"}:
            (made.root / f"{name}.txt").unlink()  # a link to the cache
            made.repo.write(f"{name}.txt", "2020-02-02 02:02\n")
        made.dvc("commit", "--quiet", "--force")
        made.commit()
        yield made.report()


@pytest.mark.skipif(not shutil.which("faketime"), reason=NO_CLOCK)
@pytest.mark.parametrize("name", ["time_sh", pytest.param("time_r", marks=NEEDS_R)])
def test_the_clock_is_named_as_the_cause(report: dict[str, Any], name: str) -> None:
    assert report["found"][name] == ["clock"], report["causes"][name]


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
        assert texts["named_r"].startswith("named_r ran with R/tiny-one 0.1-2, and packages.yaml ")
