"""`dvc.yaml` against the code and the files, for stages of every kind."""

import json
import subprocess
from pathlib import Path

import pytest

from dvc_bucket.testing import stage_faults

#: A project without a fault, with a stage of each kind.
FILES = {
    ".dvc/config": "",
    ".gitignore": "/raw.csv\n/out\n/.dvc/tmp\n",
    "raw.csv.dvc": "outs:\n- md5: 764efa883dda1e11db47671c4a3bbd9e\n  size: 3\n  path: raw.csv\n",
    "params.yaml": "fit_trees:\n  depth: 3\nother:\n  n: 1\n",
    "src/flow/__init__.py": "",
    "src/flow/params.py": (
        "from dvc_bucket.stages import Params\nclass FitTrees(Params):\n    depth: int\n"
        "class Other(Params):\n    n: int\n"
    ),
    "src/flow/shared.py": "import numpy\nfrom . import deep\n",
    "src/flow/deep.py": (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import flow.types\n"
    ),
    "src/flow/types.py": "",
    "src/flow/fit.py": (
        "from dvc_bucket.stages import run_stage\nfrom flow.params import FitTrees\n"
        "def main(params):\n    from flow import shared\n    FitTrees.read(params)\n"
    ),
    "notebooks/look.ipynb": json.dumps(
        {
            "cells": [
                {"cell_type": "markdown", "source": ["import nothing"]},
                {"cell_type": "code", "source": ["%matplotlib inline\n", "import helper\n"]},
                {"cell_type": "code", "source": ["this is R <- 1"]},
            ]
        }
    ),
    "notebooks/helper.py": "",
    "scripts/run.sh": "set -eu\npython3 scripts/one.py \"$1\"\necho 'two\nlines'\n",
    "scripts/one.py": "import two\n",
    "scripts/two.py": "",
    "scripts/plot.R": 'source("scripts/theme.R")\n',
    "scripts/theme.R": "",
    "tools/__init__.py": "",
    "tools/__main__.py": "from tools import part\n",
    "tools/part.py": "",
    "dvc.yaml": """\
stages:
  python:
    cmd: python src/flow/fit.py raw.csv out/fit.csv --params=params.yaml
    deps:
      - raw.csv
      - src/flow/fit.py
      - src/flow/__init__.py
      - src/flow/deep.py
      - src/flow/params.py
      - src/flow/shared.py
    params: [fit_trees.depth]
    outs: [out/fit.csv]
  module:
    cmd: python -m tools out/fit.csv
    deps: [out/fit.csv, tools]
    outs: [out/module.csv]
  notebook:
    cmd: jupyter execute notebooks/look.ipynb
    deps: [notebooks/look.ipynb, notebooks/helper.py]
    outs: [out/look.csv]
  shell script:
    cmd: |
      mkdir -p out && sh scripts/run.sh out/fit.csv >out/shell.csv
    deps: [out/fit.csv, scripts/run.sh, scripts/one.py, scripts/two.py]
    outs: [out/shell.csv]
  r:
    cmd: Rscript scripts/plot.R out/fit.csv
    deps: [out/fit.csv, scripts/plot.R, scripts/theme.R]
    outs: [out/plot.svg]
  shell:
    cmd:
      - sort <raw.csv | head >out/sorted.csv
      - test -s out/sorted.csv
    deps: [raw.csv]
    outs: [out/sorted.csv]
  each:
    foreach: [1, 2]
    do:
      cmd: cp raw.csv out/each-${item}.csv
      deps: [raw.csv]
      outs: ["out/each-${item}.csv"]
  grid:
    matrix:
      a: [x, y]
      b: [1]
    cmd: python scripts/two.py ${item.a} ${item.b} >out/grid-${item.a}.csv
    deps: [scripts/two.py]
    outs: ["out/grid-${item.a}.csv"]
  no input:
    cmd: date >out/now.txt
    outs: [out/now.txt]
""".replace("  shell script:", "  shell_script:").replace("  no input:", "  no_input:"),
    "other/dvc.yaml": """\
stages:
  inner:
    cmd: python inner.py ../out/fit.csv in.csv
    deps: [inner.py, near.py, ../out/fit.csv]
    outs: [in.csv]
""",
    "other/inner.py": "import near\n",
    "other/near.py": "",
}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project, in git; data of `dvc add` and results are not there."""
    root = tmp_path_factory.mktemp("declared") / "project"
    for path, text in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    for words in (["init", "-q"], ["add", "--all"]):
        subprocess.run(["git", *words], cwd=root, check=True)
    return root


def test_a_project_of_all_kinds_of_stages_has_no_fault(sound: Path) -> None:
    assert stage_faults(sound) == []


#: A change of a file, and the faults that it makes.
FAULTS = [
    # file, before, after, beginnings of the faults
    (
        "src/flow/deep.py",
        "import flow.types",
        "pass\nimport flow.types",
        ["python runs or imports src/flow/types.py"],
    ),
    ("dvc.yaml", "      - src/flow/deep.py\n", "", ["python runs or imports src/flow/deep.py"]),
    ("dvc.yaml", "      - src/flow/fit.py\n", "", ["python runs or imports src/flow/fit.py"]),
    (
        "dvc.yaml",
        "      - src/flow/deep.py\n",
        "      - src/flow/deep.py\n      - src/flow/types.py\n",
        ["python has the dep src/flow/types.py"],
    ),
    (
        "dvc.yaml",
        "[out/fit.csv, tools]",
        "[out/fit.csv, tools/__init__.py]",
        ["module runs or imports tools/__main__.py", "module runs or imports tools/part.py"],
    ),
    ("dvc.yaml", ", notebooks/helper.py]", "]", ["notebook runs or imports notebooks/helper.py"]),
    (
        "dvc.yaml",
        "scripts/one.py, scripts/two.py]",
        "scripts/one.py]",
        ["shell_script runs or imports scripts/two.py"],
    ),
    ("dvc.yaml", ", scripts/theme.R]", "]", ["r runs or imports scripts/theme.R"]),
    (
        "dvc.yaml",
        "    deps: [raw.csv]\n    outs: [out/sorted.csv]",
        "    outs: [out/sorted.csv]",
        ["shell has raw.csv on its command line"],
    ),
    ("dvc.yaml", "      deps: [raw.csv]\n", "", ["each has raw.csv on its command line"]),
    ("dvc.yaml", "    deps: [scripts/two.py]\n", "", ["grid runs or imports scripts/two.py"]),
    (
        "dvc.yaml",
        "deps: [raw.csv]\n    outs: [out/sorted",
        "deps: [raw.csv, out]\n    outs: [out/sorted",
        None,
    ),
    (
        "dvc.yaml",
        "deps: [raw.csv]\n    outs: [out/sorted",
        "deps: [raw.csv, no.csv]\n    outs: [out/sorted",
        ["shell has the dep no.csv, which is neither in git"],
    ),
    (
        "dvc.yaml",
        "[fit_trees.depth]",
        "[fit_trees.width]",
        ["python has the parameter fit_trees.width"],
    ),
    ("dvc.yaml", "[fit_trees.depth]", "[fit_trees, other]", ["python has the params other"]),
    (
        "dvc.yaml",
        "    params: [fit_trees.depth]\n",
        "    params: [other.n]\n",
        ["python reads the section fit_trees", "python has the params other"],
    ),
    ("other/dvc.yaml", "near.py, ", "", ["inner runs or imports other/near.py"]),
    ("other/dvc.yaml", ", ../out/fit.csv]", "]", ["inner has out/fit.csv on its command line"]),
]


@pytest.mark.parametrize(("file", "before", "after", "said"), FAULTS)
def test_each_fault_is_a_sentence_with_stage_and_file(
    sound: Path, file: str, before: str, after: str, said: list[str] | None
) -> None:
    text = (sound / file).read_text()
    assert before in text
    try:
        (sound / file).write_text(text.replace(before, after, 1))
        faults = stage_faults(sound)
    finally:
        (sound / file).write_text(text)
    if said is None:  # DVC's own: there is no order to run them in
        assert len(faults) == 1
        return
    found = sorted(fault.partition(": stage ")[2].replace("other:", "") for fault in faults)
    assert len(found) == len(said), faults
    for fault, beginning in zip(found, sorted(said), strict=True):
        assert fault.startswith(beginning), faults


def test_what_meta_and_the_settings_name_needs_no_declaration(sound: Path) -> None:
    flow, settings = sound / "dvc.yaml", sound / "pyproject.toml"
    text = flow.read_text()
    try:
        reads = "    meta: {reads: [src/flow/deep.py]}\n    cmd: python src/flow"
        changed = text.replace("    cmd: python src/flow", reads, 1)
        flow.write_text(changed.replace("      - src/flow/deep.py\n", "").replace(", tools]", "]"))
        settings.write_text('[tool.dvc-bucket]\npackages = ["tools"]\n')
        assert stage_faults(sound) == []
    finally:
        flow.write_text(text)
        settings.unlink()
