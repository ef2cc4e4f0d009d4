"""A crate of a repository whose content is known."""

import json
from pathlib import Path
from typing import Any

import pytest

from dvc_bucket.jobs import provenance
from tests.bucket.git_tools import Repo
from tests.provenance import made


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    return made.make(tmp_path_factory.mktemp("fares") / "a clone, é")


@pytest.fixture(scope="module")
def crate(repo: Repo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("crate") / "crate"
    written = provenance.write(repo.project, "HEAD", out)
    assert (written.place, written.stages, written.notes) == (out, 3, [])
    return out


@pytest.fixture(scope="module")
def graph(crate: Path) -> dict[str, Any]:
    """Its entities by identifier."""
    return read_graph(crate)


def read_graph(crate: Path) -> dict[str, Any]:
    metadata = json.loads((crate / "ro-crate-metadata.json").read_text())
    entities = {entity["@id"]: entity for entity in metadata["@graph"]}
    assert len(entities) == len(metadata["@graph"])
    return entities
