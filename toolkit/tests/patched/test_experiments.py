"""An experiment that waited in the queue runs the code that it was queued with."""

from pathlib import Path

import pytest

from tests.clones import TOOLS
from tests.new.growing import ON_PATH, Growing, make
from tests.stages.test_own_code import write_copy

FLOW = """\
stages:
  level:
    cmd: python src/gauges/level.py unit.txt
    deps: [src/gauges/level.py, src/gauges/unit.py]
    outs:
      - unit.txt: {cache: false}
"""


@pytest.fixture
def river(tmp_path: Path) -> Growing:
    project = make(tmp_path / "river")
    write_copy(project.root, "metres")
    project.write("dvc.yaml", FLOW)
    project.git("add", "--all")
    project.commit("--quiet", "--no-verify")
    return project


def test_an_edit_after_queueing_is_not_in_the_experiment(river: Growing) -> None:
    # As an editable install does, this leads to the modules of the live workspace.
    env = ON_PATH | {"PYTHONPATH": str(river.root / "src")}

    def exp(*words: str) -> None:
        river.run(TOOLS / "dvc", "exp", *words, env=env)

    unit = "src/gauges/unit.py"
    river.write(unit, "UNIT = 'feet'\n")
    exp("run", "--queue", "--name", "queued")
    river.write(unit, "UNIT = 'miles'\n")
    exp("run", "--run-all")
    exp("run", "--temp", "--name", "temporary")
    for name, value in {"queued": "feet", "temporary": "miles"}.items():
        river.git("checkout", "--quiet", "--force", "HEAD")
        exp("apply", name)
        assert (river.text(unit), river.text("unit.txt")) == (f"UNIT = '{value}'\n", value)
