"""Stages in R and shell with one fault each: the check names just its cause."""

import shutil
from typing import Any

import pytest

from tests.check.small import make

NO_R = "Rscript is not installed (tests/machines/packages installs it, on Debian)"
NO_CLOCK = "libfaketime is not installed (tests/machines/packages installs it, on Debian)"

FILES = {
    "src/helper.R": "put <- function(text, path) cat(text, '\\n', file = path)\n",
    "src/good_r.R": "source('src/helper.R')\nput(stats::sd(c(1, 2, 4)), 'good_r.txt')\n",
    "src/time_r.R": "cat(format(Sys.time(), '%Y-%m-%d %H:%M'), '\\n', file = 'time_r.txt')\n",
    "src/reads_r.R": "cat(readLines('notes'), file = 'reads_r.txt')\n",
    "src/time_sh.sh": "date '+%Y-%m-%d %H:%M' >time_sh.txt\n",
    "src/good_sh.sh": "sort src/good_sh.sh >good_sh.txt\n",
    "src/reads_sh.sh": "cat notes >reads_sh.txt\n",
    "notes": "a note\n",
}


def in_language(name: str, program: str, *deps: str) -> dict[str, Any]:
    """A stage that runs src/NAME and makes NAME.txt, with the end of the script's name left out."""
    out = f"{name.partition('.')[0]}.txt"
    return {"cmd": f"{program} src/{name}", "deps": [f"src/{name}", *deps], "outs": [out]}


STAGES = {
    "good_sh": in_language("good_sh.sh", "sh"),
    "time_sh": in_language("time_sh.sh", "sh"),
    "reads_sh": in_language("reads_sh.sh", "sh"),
    "good_r": in_language("good_r.R", "Rscript", "src/helper.R"),
    "time_r": in_language("time_r.R", "Rscript"),
    "reads_r": in_language("reads_r.R", "Rscript"),
}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a check finds of stages, of which two have recorded what they made at another time."""
    has_r = shutil.which("Rscript")
    stages = {name: one for name, one in STAGES.items() if has_r or name[-1] != "r"}
    made = make(tmp_path_factory.mktemp("languages") / "project", FILES, stages)
    for name in stages.keys() & {"time_sh", "time_r"}:
        (made.root / f"{name}.txt").unlink()  # a link to the cache
        made.repo.write(f"{name}.txt", "2020-02-02 02:02\n")
    made.dvc("commit", "--quiet", "--force")
    made.commit()
    return made.report()


@pytest.mark.parametrize("name", ["time_sh", "time_r"])
@pytest.mark.skipif(not shutil.which("faketime"), reason=NO_CLOCK)
def test_the_clock_is_named_as_the_cause(report: dict[str, Any], name: str) -> None:
    if name[-1] == "r" and not shutil.which("Rscript"):
        pytest.skip(NO_R)
    assert report["found"][name] == ["clock"], report["causes"][name]


def test_a_file_that_is_read_and_not_declared_is_found_and_nothing_else(
    report: dict[str, Any],
) -> None:
    """What R itself and its packages read is no finding, nor a script that another one reads."""
    found = {(one["kind"], one["stage"], one["path"]) for one in report["findings"]}
    reads = {one["stage"] for one in report["outputs"] if one["stage"].startswith("reads")}
    assert found == {("undeclared file", name, "notes") for name in reads}
