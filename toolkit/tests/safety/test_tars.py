"""A tar gives all of its samples, within its own size, or an error."""

import io
import resource
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from dvc_bucket import iter_samples, pack
from dvc_bucket.base.errors import UnsafePathError
from dvc_bucket.errors import FormatError
from dvc_bucket.read.packing import DATA, NAME
from tests.safety.hostile import GOOD, NAMES

FILES = {f"{number:02}.bin": bytes([number]) * (700 * number) for number in range(12)}

BLOCK = 512


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a folder of shards, which is the current folder."""
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc" / "config").touch()
    (tmp_path / "files").mkdir()
    for name, body in FILES.items():
        (tmp_path / "files" / name).write_bytes(body)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def shard(here: Path) -> Path:
    pack(here / "files", here / "shards", form="tar")
    return here / "shards" / "shard-00000.tar"


def read() -> dict[str, bytes]:
    return {sample.name: sample.data for sample in iter_samples("shards")}


def write_tar(here: Path, names: list[str], **options: object) -> None:
    (here / "shards").mkdir(exist_ok=True)
    with tarfile.open(here / "shards" / "0.tar", "w", **options) as archive:  # type: ignore[call-overload]
        for name in names:
            entry = tarfile.TarInfo(name)
            entry.size = 3
            archive.addfile(entry, io.BytesIO(b"abc"))


#: From a tar to a damaged one. The first header is at 0, the second after it: the first file is
#: empty, as its number is 0.
DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda _: b"",
    "half a header": lambda body: body[: BLOCK // 2],
    "half a later header": lambda body: body[: BLOCK + BLOCK // 2],
    "cut between files": lambda body: body[:BLOCK],
    "cut in a file": lambda body: body[: 2 * BLOCK + 100],
    "cut in the middle": lambda body: body[: len(body) // 2],
    "cut before the end mark": lambda body: body.rstrip(b"\0")[
        : -(len(body.rstrip(b"\0")) % BLOCK)
    ],
    "a flipped bit in the first header": lambda body: bytes([body[0] ^ 1]) + body[1:],
    "a flipped bit in a later header": lambda body: (
        body[:BLOCK] + bytes([body[BLOCK] ^ 1]) + body[BLOCK + 1 :]
    ),
    "a header of zeros": lambda body: body[:BLOCK] + bytes(BLOCK) + body[2 * BLOCK :],
    "two tars in one": lambda body: body + body,
    "something after the end": lambda body: body + b"more",
    "no tar": lambda _: b"<html>" * 1000,
}


@pytest.mark.parametrize("what", DAMAGE)
def test_a_damaged_tar_is_an_error_and_not_a_shorter_one(what: str, shard: Path) -> None:
    shard.write_bytes(DAMAGE[what](shard.read_bytes()))
    with pytest.raises(FormatError, match=r"shard-00000\.tar is a damaged or incomplete tar"):
        read()


@pytest.mark.parametrize("cut", range(1, 24))
def test_a_tar_that_is_cut_anywhere_never_passes_for_a_whole_one(shard: Path, cut: int) -> None:
    whole = shard.read_bytes()
    shard.write_bytes(whole[: len(whole) * cut // 24])
    try:
        found = read()
    except FormatError:
        return
    assert found == FILES  # only zeros after the end mark were cut


#: Headers of pax that claim a gigantic file, by the version of the format.
SPARSE: dict[str, tuple[dict[str, str], bytes]] = {
    "0.0": (
        {
            "GNU.sparse.size": "4294967296",
            "GNU.sparse.numblocks": "1",
            "GNU.sparse.offset": "0",
            "GNU.sparse.numbytes": "3",
        },
        b"abc",
    ),
    "0.1": ({"GNU.sparse.size": "4294967296", "GNU.sparse.map": "0,3"}, b"abc"),
    "1.0": (
        {
            "GNU.sparse.major": "1",
            "GNU.sparse.minor": "0",
            "GNU.sparse.name": "huge",
            "GNU.sparse.realsize": "4294967296",
        },
        b"1\n0\n3\n".ljust(BLOCK, b"\0") + b"abc",
    ),
    "a real size alone": ({"GNU.sparse.realsize": "4294967296"}, b"abc"),
    "a size alone": ({"size": "4294967296"}, b"abc"),
    "a size below zero": ({"size": "-512"}, b"abc"),
}


@pytest.mark.parametrize("version", SPARSE)
def test_a_tar_takes_no_more_memory_than_it_has_bytes(here: Path, version: str) -> None:
    headers, body = SPARSE[version]
    (here / "shards").mkdir()
    with tarfile.open(here / "shards" / "0.tar", "w", format=tarfile.PAX_FORMAT) as archive:
        entry = tarfile.TarInfo("huge")
        entry.size, entry.pax_headers = len(body), headers
        archive.addfile(entry, io.BytesIO(body))
    assert (here / "shards" / "0.tar").stat().st_size <= 20_480
    program = "from dvc_bucket import iter_samples; list(iter_samples('shards'))"
    limit = 2 * 1024**3  # of addresses, most of which pyarrow's import takes
    done = subprocess.run(
        [sys.executable, "-c", program],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
        cwd=here,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "dvc_bucket.base.errors.FormatError" in done.stderr
    assert "MemoryError" not in done.stderr


@pytest.mark.parametrize("what", [what for what in NAMES if what not in {"zero byte", "empty"}])
def test_a_sample_has_no_name_that_leads_elsewhere(what: str, here: Path) -> None:
    """Who writes samples to files joins their names to a folder."""
    name = NAMES[what]
    (here / "shards").mkdir()
    table = pa.table({NAME: ["ok", name], DATA: [b"1", b"2"]})
    parquet.write_table(table, here / "shards" / "0.parquet")
    with pytest.raises(UnsafePathError):
        list(iter_samples("shards"))
    (here / "shards" / "0.parquet").unlink()
    write_tar(here, [name.rstrip("/") if name != "a/" else "a/../b"])
    with pytest.raises(UnsafePathError):
        list(iter_samples("shards"))


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_a_good_tar_of_any_program_is_read(here: Path, form: int) -> None:
    names = [*GOOD[:-2], "-", "./with/a/dot", "x" * 90] + (
        ["long/" * 60 + "name"] if form != tarfile.USTAR_FORMAT else []
    )
    write_tar(here, names, format=form)
    assert read() == dict.fromkeys(names, b"abc")


def test_the_tar_of_the_system_is_read(here: Path) -> None:
    (here / "shards").mkdir()
    subprocess.run(["tar", "-C", "files", "-cf", "shards/0.tar", "."], cwd=here, check=True)
    assert {name.removeprefix("./"): data for name, data in read().items()} == FILES
