"""The crate of the template's own commit."""

from pathlib import Path

import pytest

from dvc_bucket import Project
from dvc_bucket.jobs import provenance
from tests.end_to_end.clones import REPOSITORY
from tests.provenance import validator
from tests.provenance.conftest import read_graph
from tests.provenance.test_write import every_link_leads_somewhere


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The crate of this repository's own commit."""
    out = tmp_path_factory.mktemp("own") / "crate"
    provenance.write(Project(REPOSITORY), "HEAD", out)
    return out


def test_the_crate_of_the_current_commit_validates(own: Path, tmp_path: Path) -> None:
    assert validator.issues(own, tmp_path / "cache.sqlite") == []
    graph = read_graph(own)
    assert validator.unknown_terms({"@graph": list(graph.values())}) == set()
    stages = [name for name in graph if name.startswith("#run/")]
    assert stages[0] == "#run/fetch"
    assert all(graph[name]["result"] for name in stages)


def test_every_link_of_the_page_leads_somewhere(own: Path) -> None:
    every_link_leads_somewhere(own)
