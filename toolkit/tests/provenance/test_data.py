"""DVC's data in a crate: from the cache, else from the bucket, and proven right."""

import hashlib
from pathlib import Path

import pytest

from dvc_bucket.base.errors import ChecksumError, NotTrackedError
from dvc_bucket.jobs import provenance
from tests.provenance.conftest import read_graph
from tests.stores.fixtures import access
from tests.verify.published import FILES, Published, empty, publish

DVC_YAML = """\
stages:
  count:
    cmd: ls images > count.txt
    deps: [images]
    outs: [count.txt]
"""


@pytest.fixture
def published(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Published:
    """A stage that reads a directory, run and pushed; its folder is the current one."""
    made = empty(tmp_path / "project", access(request, "seaweed"))
    publish(made)
    (made.root / "dvc.yaml").write_text(DVC_YAML)
    (made.root / "CITATION.cff").write_text("title: Counts\nlicense: MIT\n")
    made.dvc("repro", "--quiet")
    made.commit("Counted")
    monkeypatch.chdir(made.root)
    return made


def test_data_is_included_from_the_cache_or_else_from_the_bucket(
    published: Published, tmp_path: Path
) -> None:
    made, crate = published, tmp_path / "crate"
    made.cached(made.object("images/03.bin")).unlink()
    provenance.write(made.project, "HEAD", crate, data=["images"])
    graph = read_graph(crate)
    assert len(graph["images/"]["hasPart"]) == 8
    assert {"@id": "images/"} in graph["./"]["hasPart"]
    for path in (path for path in FILES if path.startswith("images/")):
        assert (crate / path).read_bytes() == FILES[path]
        assert graph[path]["sha256"] == hashlib.sha256(FILES[path]).hexdigest()
    assert not (crate / "table.csv").exists()
    assert graph["#run/count"]["object"] == {"@id": "images/"}
    assert graph["#run/count"]["result"]["@id"].startswith(f"s3://{made.store.bucket}/")

    damaged = made.cached(made.object("images/02.bin"))
    damaged.chmod(0o644)
    damaged.write_bytes(b"other")
    with pytest.raises(ChecksumError, match=r"images/02\.bin in .* is damaged"):
        provenance.write(made.project, "HEAD", crate, data=["images"])
    with pytest.raises(NotTrackedError, match=r"does not track nothing\.csv"):
        provenance.write(made.project, "HEAD", crate, data=["nothing.csv"])
    assert (crate / "images/02.bin").read_bytes() == FILES["images/02.bin"]  # the one before
    damaged.unlink()
    made.clone.run("bucket", "provenance", "--with-data", "--out", "../all")
    assert (tmp_path / "all/count.txt").read_text().split() == sorted(
        path.removeprefix("images/") for path in FILES if path.startswith("images/")
    )
    assert (tmp_path / "all/table.csv").exists()
