"""A notebook with one fault: the check names just its cause. A run of it takes 1 to 2 s."""

import json
from pathlib import Path

from tests.check.small import make

NOTEBOOK = {
    "cells": [
        {
            "cell_type": "code",
            "execution_count": None,
            "id": "names",
            "metadata": {},
            "outputs": [],
            "source": "print(*{'a', 'b', 'c', 'd', 'e', 'f'})",
        }
    ],
    "metadata": {},
    "nbformat": 4,
    "nbformat_minor": 5,
}


def test_the_hash_seed_is_named_as_the_cause_in_a_notebook_and_no_file(tmp_path: Path) -> None:
    command = "bucket notebook src/names.ipynb --out names.ipynb"
    stage = {"cmd": command, "deps": ["src/names.ipynb"], "outs": ["names.ipynb"]}
    files = {"src/names.ipynb": json.dumps(NOTEBOOK)}
    made = make(tmp_path / "project", files, {"names": stage})
    (made.root / "names.ipynb").unlink()  # a link to the cache
    made.repo.write("names.ipynb", "{}\n")
    made.dvc("commit", "--quiet", "--force")
    made.commit()
    report = made.report()
    assert report["found"]["names"] == ["seed"], report["causes"]
    assert report["findings"] == []
