"""A recorded file that Arrow cannot read is called damaged if its content is another."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from dvc_bucket import iter_samples, open_dataset, pack
from dvc_bucket.base.errors import ChecksumError
from tests.verify.published import Published

#: What happens to the bytes of a file: in the header of its first page, in its end, and so on.
DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "header of a page": lambda content: content[:4] + b"\xff\xff" + content[6:],
    "footer": lambda content: content[:-100] + bytes(90) + content[-10:],
    "magic bytes": lambda content: content[:-4] + b"XXXX",
    "cut off": lambda content: content[: len(content) // 2],
    "empty": lambda _: b"",
}


@pytest.fixture(scope="session")
def recorded_original(
    empty_original: Published, tmp_path_factory: pytest.TempPathFactory
) -> Published:
    made = empty_original.copy(tmp_path_factory.mktemp("recorded") / "project")
    (made.root / "files").mkdir()
    (made.root / "files" / "one.txt").write_text("one" * 1000)
    table = pa.table({"number": range(1000)})
    parquet.write_table(table, made.root / "table.parquet", write_page_checksum=True)
    pack(made.root / "files", made.root / "shards")
    made.dvc("add", "-q", "table.parquet", "shards")
    made.commit("Tables")
    return made


@pytest.fixture
def recorded(
    recorded_original: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Published:
    made = recorded_original.copy(tmp_path / "project")
    monkeypatch.chdir(made.root)
    return made


@contextmanager
def damaged(project: Published, how: Callable[[bytes], bytes]) -> Iterator[None]:
    """All Parquet files of the cache."""
    for path in (project.root / ".dvc" / "cache" / "files").rglob("*"):
        if path.is_file() and (content := path.read_bytes()).startswith(b"PAR1"):
            path.chmod(0o644)
            path.write_bytes(how(content))
    with pytest.raises(ChecksumError, match="damaged in the cache"):
        yield


@pytest.mark.parametrize("what", DAMAGE)
def test_a_table_of_the_cache(recorded: Published, what: str) -> None:
    assert open_dataset("table.parquet", rev="HEAD").to_table().num_rows == 1000
    with damaged(recorded, DAMAGE[what]):
        open_dataset("table.parquet", rev="HEAD").to_table()


@pytest.mark.parametrize("what", DAMAGE)
def test_samples_of_the_cache(recorded: Published, what: str) -> None:
    assert len([*iter_samples("shards", rev="HEAD")]) == 1
    with damaged(recorded, DAMAGE[what]):
        list(iter_samples("shards", rev="HEAD"))
