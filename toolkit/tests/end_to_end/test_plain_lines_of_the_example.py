"""The files that DVC reads most often in the example are of lines that libyaml may read."""

from pathlib import Path

import pytest
from dvc.utils.serialize._yaml import parse_yaml

from dvc_bucket.dvc.patched import plain_lines


@pytest.mark.parametrize("name", ["dvc.yaml", "dvc.lock"])
def test_it_is_read_as_dvc_reads_it(name: str) -> None:
    text = (Path(__file__).parents[3] / name).read_text(encoding="utf-8")
    assert plain_lines.read(text) == parse_yaml(text, name)
