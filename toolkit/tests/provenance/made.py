"""A repository whose lock file is written by hand: what a crate says of it is known beforehand."""

import hashlib
from pathlib import Path
from typing import Any

from dvc_bucket.dvc import hashes as dvc_hashes
from dvc_bucket.dvc.lock import entries
from tests.bucket.git_tools import Repo, make_repo

SCRIPT = b"print('clean')\n"
RAW, TABLE, PLOT = b"raw\n", b"table\n", b"plot\n"
LIBRARY = {"a.py": b"A = 1\n", "deep/b.py": b"B = 2\n"}

DVC_YAML = """\
stages:
  clean:
    desc: Typed tables
    cmd: python code/clean.py raw.csv table.csv
    deps: [raw.csv, code/clean.py, code/lib]
    params: [clean, {packages.yaml: [numpy, scikit-learn]}]
    outs:
      - table.csv
      - copy.csv
      - parts
  plot:
    foreach: [one, two]
    do:
      desc: A figure
      cmd: wc -l table.csv
      deps: [table.csv]
      metrics:
        - ${item}.txt: {cache: false}
      outs:
        - local-${item}.bin: {push: false}
"""

RAW_DVC = "outs:\n- md5: {md5}\n  size: 4\n  hash: md5\n  path: raw.csv\n"

CITATION = """\
cff-version: 1.2.0
message: Cite it.
title: "Fares: how they came about"
abstract: Fares by year.
license: Apache-2.0
repository-code: https://github.com/example/fares
authors:
  - family-names: Veen
    name-particle: van der
    given-names: Ada
    orcid: https://orcid.org/0000-0002-1825-0097
    affiliation: Example Institute
  - name: The fares group
"""

DATA_PAGE = """\
| what | value |
| --- | --- |
| bucket | `research-data` |

| dataset | origin | licence |
| --- | --- | --- |
| `../raw.csv` | A [ministry](https://example.org) | CC-BY-4.0 |
"""


def item(path: str, content: bytes, **more: Any) -> dict[str, Any]:
    return {
        "path": path,
        "hash": "md5",
        "md5": dvc_hashes.of_bytes(content),
        "size": len(content),
        **more,
    }


def folder(path: str, files: dict[str, bytes]) -> dict[str, Any]:
    pairs = [(name, dvc_hashes.of_bytes(content)) for name, content in files.items()]
    size = sum(map(len, files.values()))
    md5 = dvc_hashes.of_directory(pairs)
    return {"path": path, "hash": "md5", "md5": md5, "size": size, "nfiles": len(files)}


def lock() -> dict[str, Any]:
    plots = {
        f"plot@{name}": {
            "cmd": "wc -l table.csv",
            "deps": [item("table.csv", TABLE)],
            "outs": [item(f"{name}.txt", PLOT), item(f"local-{name}.bin", PLOT)],
        }
        for name in ("one", "two")
    }
    clean = {
        "cmd": "python code/clean.py raw.csv table.csv",
        "deps": [item("raw.csv", RAW), item("code/clean.py", SCRIPT), folder("code/lib", LIBRARY)],
        "params": {
            "params.yaml": {"clean": {"limit": 3, "on": True, "names": ["a"], "of": {}}},
            "packages.yaml": {"numpy": "2.1", "scikit-learn": "1.10"},
        },
        "outs": [item("table.csv", TABLE), item("copy.csv", TABLE), folder("parts", {"1": RAW})],
    }
    # Not in the order in which they ran.
    return {"schema": "2.0", "stages": {**plots, "clean": clean}}


def make(root: Path) -> Repo:
    """The repository, committed; its data is nowhere."""
    repo = make_repo(root)
    texts: dict[str, str | bytes] = {
        "dvc.yaml": DVC_YAML,
        "dvc.lock": entries.write(lock()),
        "packages.yaml": 'numpy: "2.1"\nscikit-learn: "1.10"\n',
        "raw.csv.dvc": RAW_DVC.format(md5=hashlib.md5(RAW).hexdigest()),
        "CITATION.cff": CITATION,
        "data/README.md": DATA_PAGE,
        "code/clean.py": SCRIPT,
        "one.txt": PLOT,
        "two.txt": PLOT,
        "requirements.txt": "numpy==2.1\ndvc==3.67.1 \\\n    --hash=sha256:0\n",
        "pyproject.toml": '[project]\nname = "fares"\nrequires-python = ">=3.12"\n',
    }
    texts |= {f"code/lib/{name}": content for name, content in LIBRARY.items()}
    for path, content in texts.items():
        repo.write(path, content)
    repo.git("add", "--all", "--force", "--", ".", ":!.venv", ":!.env")
    repo.commit("--no-verify")
    return repo
