"""Stores that answer a request for a range with 200, and with the range or the whole object."""

import os
from collections.abc import Iterator, Mapping
from hashlib import md5
from pathlib import Path

import obstore
import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from dvc_bucket import copy_to, open_dataset, open_file
from dvc_bucket.base.files import write_private
from dvc_bucket.read import bucket_objects
from dvc_bucket.read.advise import advise
from tests.stores.fixtures import access
from tests.stores.plain_front import Exchange, PlainFront
from tests.stores.rclone import Rclone
from tests.verify.published import Published, empty

#: Larger than what one request asks for, so that a store with ranges is asked for several.
LARGE = os.urandom(34 * 1024 * 1024 + 7)

MD5_OF_LARGE = md5(LARGE).hexdigest()

FILES = ("large.bin", "parts/0.bin", "parts/1.bin", "parts/2.bin", "table.parquet", "table.csv")

ROWS = 90_000
TEXTS = [f"{number * 7919 % 100_003:030}" for number in range(ROWS)]
TABLE = pa.table({"flight": range(ROWS), "text": TEXTS})


def publish(made: Published) -> None:
    made.root.joinpath("parts").mkdir()
    for number in range(3):
        (made.root / "parts" / f"{number}.bin").write_bytes(b"%d" % number * number)
    (made.root / "large.bin").write_bytes(LARGE)
    parquet.write_table(TABLE, made.root / "table.parquet", row_group_size=10_000)
    csv.write_csv(TABLE, made.root / "table.csv")
    made.dvc("add", "parts", "large.bin", "table.parquet", "table.csv")
    made.commit("Data")
    made.dvc("push")


@pytest.fixture(scope="module")
def on_rclone(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Published:
    made = empty(tmp_path_factory.mktemp("ranges") / "project", access(request, "rclone"))
    publish(made)
    return made


@pytest.fixture(scope="module")
def whole_answers(rclone: Rclone) -> Iterator[str]:
    """URL of a front that answers a request for a range with the whole object and 200."""

    def refuse(method: str, path: str, headers: Mapping[str, str]) -> tuple[int, bytes] | None:
        is_range = method == "GET" and "range" in headers
        return (200, (rclone.home / path.strip("/")).read_bytes()) if is_range else None

    with PlainFront(rclone.port, refuse=refuse) as front:
        yield front.url


@pytest.fixture
def bare(on_rclone: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Published:
    """A clone without data, which is the current folder."""
    made = Published(tmp_path / "clone", on_rclone.store, on_rclone.prefix)
    on_rclone.git("clone", "-q", str(on_rclone.root), str(made.root))
    write_private(made.root / ".env", (on_rclone.root / ".env").read_text())
    monkeypatch.chdir(made.root)
    return made


def same(root: Path, original: Path, *names: str) -> bool:
    return all((root / name).read_bytes() == (original / name).read_bytes() for name in names)


@pytest.mark.parametrize("answer", ["the range", "the whole object"])
@pytest.mark.usefixtures("bare")
def test_python(
    answer: str, on_rclone: Published, whole_answers: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if answer == "the whole object":
        monkeypatch.setenv("OS_ENDPOINT_URL", whole_answers)
    with open_file("large.bin") as file:
        assert file.read() == LARGE
        for start, end in ((5_000_000, 5_000_100), (3, 7), (len(LARGE) - 5, len(LARGE))):
            file.seek(start)
            assert file.read(end - start) == LARGE[start:end]
    for name in ("table.parquet", "table.csv"):
        flights = open_dataset(name, columns=["flight"]).to_table().column("flight")
        assert flights.to_pylist() == [*range(ROWS)]
    assert advise("table.parquet", folder=Path()).read.bandwidth > 0
    copy_to(["large.bin", "parts"], "copies")
    assert same(Path("copies"), on_rclone.root, "large.bin", "parts/0.bin", "parts/2.bin")


@pytest.mark.usefixtures("bare")
def test_an_answer_that_breaks_off_begins_again(
    on_rclone: Published, rclone: Rclone, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut = iter([True])

    def change(exchange: Exchange, piece: bytes) -> bytes:
        if exchange.received > len(LARGE) / 2 and next(cut, False):
            raise ConnectionResetError
        return piece

    with PlainFront(rclone.port, change_body=change) as front:
        monkeypatch.setenv("OS_ENDPOINT_URL", front.url)
        key = f"{on_rclone.prefix}/files/md5/{MD5_OF_LARGE[:2]}/{MD5_OF_LARGE[2:]}"
        pieces = bucket_objects.pieces(f"s3://{on_rclone.store.bucket}/{key}")
        assert b"".join(pieces) == LARGE
    assert next(cut, None) is None


@pytest.mark.usefixtures("bare")
def test_a_store_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with open_file("large.bin") as file:
        file.read(100)
    monkeypatch.setattr(obstore, "get", None)  # no request of the kind that it refused
    with open_file("table.csv") as file:
        assert file.read(6) == b'"fligh'
