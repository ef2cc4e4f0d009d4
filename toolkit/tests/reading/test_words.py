"""`bucket ls`, `cat` and `cp`, as a person types them."""

import hashlib
import json
import os
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dvc_bucket.cli.app import app
from dvc_bucket.connection.objects import ObjectRef
from dvc_bucket.errors import SpaceError
from dvc_bucket.read import copied_record as staged
from dvc_bucket.read.bringing import Item, bring
from dvc_bucket.read.copying import default_folder
from tests import forking
from tests.reading.conftest import MANY, TRACKED
from tests.verify.published import Published, s3


def bucket(
    published: Published, *words: str, folder: Path | None = None, **changes: str
) -> subprocess.CompletedProcess[bytes]:
    return forking.run(
        ["bucket", *words],
        cwd=folder or published.root,
        env=published.clone.environment | changes,
        capture_output=True,
        timeout=60,
        check=False,
    )


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != staged.NAME
    }


def test_ls_names_what_is_tracked_here_or_not(on_swift: Published) -> None:
    listed = bucket(on_swift, "ls", "--rev", "v1").stdout.decode().splitlines()
    assert len(listed) == len(TRACKED) - 4 + 4 + 4 + 2 * MANY
    assert "parts/2.parquet" in listed
    inside = on_swift.root / "sub"
    inside.mkdir()
    done = bucket(on_swift, "ls", "../parts", "--json", folder=inside)
    found = json.loads(done.stdout)
    assert [one["path"] for one in found] == [f"parts/{number}.parquet" for number in range(4)]
    long = bucket(on_swift, "ls", "-l", "notes.bin").stdout.decode()
    assert long.split() == ["2,560,000", "notes.bin"]


def test_cat_writes_the_bytes_and_nothing_else(on_swift: Published) -> None:
    assert bucket(on_swift, "cat", "notes.bin").stdout == bytes(range(256)) * 10_000
    done = bucket(on_swift, "cat", "codes.csv", "--rev", "v1")
    assert done.stdout == b'"code","name"\n"AA","American"\n"UA","United"\n'
    failed = bucket(on_swift, "cat", "parts")
    assert (failed.returncode, failed.stdout) == (1, b"")
    assert b"is a directory of 4 files" in failed.stderr


def test_cp_brings_what_is_missing_or_different(
    on_swift: Published, published_tables: dict[str, Published], tmp_path: Path
) -> None:
    to = tmp_path / "fast disk"
    first = bucket(on_swift, "cp", "parts", "notes.bin", str(to))
    assert first.returncode == 0, first.stderr
    assert first.stdout.decode() == f"{to}\n"
    assert b"5 files, 5 of them copied" in first.stderr
    wanted = {
        name: data
        for name, data in files(published_tables["swift"].root).items()
        if name in files(to)
    }
    assert files(to) == wanted
    assert (to / "notes.bin").stat().st_mode & 0o200
    (to / "parts" / "1.parquet").unlink()
    (to / "notes.bin").write_bytes(bytes(2_560_000))  # the same size
    refused = bucket(on_swift, "cp", "parts", "notes.bin", str(to))
    assert refused.returncode == 1
    assert b"did not write it. Add --force" in refused.stderr
    assert not (to / "parts" / "1.parquet").exists()
    again = bucket(on_swift, "cp", "parts", "notes.bin", str(to), "--force")
    assert b"5 files, 2 of them copied" in again.stderr
    assert files(to) == wanted


def test_cp_knows_where_clusters_have_fast_disks(
    on_swift: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(on_swift.root)
    scratch, other = str(tmp_path / "SCRATCH"), str(tmp_path / "TMPDIR")
    words = ("cp", "--scratch", "codes.csv", "--rev", "v1")
    done = bucket(on_swift, *words, SCRATCH=scratch, TMPDIR=other)
    folder = tmp_path / "SCRATCH" / f"dvc-bucket-{os.geteuid()}" / on_swift.root.name
    assert done.stdout.decode() == f"{folder}\n"
    assert default_folder({"TMPDIR": other, "SCRATCH": scratch}) == folder
    assert default_folder({"TMPDIR": other}).parents[1] == tmp_path / "TMPDIR"
    with pytest.raises(SpaceError, match="Name a folder as DEST"):
        default_folder({})


def test_cp_takes_objects_by_prefix_and_wildcard(bare: Published, tmp_path: Path) -> None:
    client, root = s3(bare.store), f"{bare.prefix}-loose"
    bodies = {f"{root}/{name}": name.encode() for name in ("a/1.png", "a/2.txt", "b/3.png")}
    for key, body in bodies.items():
        client.put_object(Bucket=bare.store.bucket, Key=key, Body=body)
    url = f"s3://{bare.store.bucket}/{root}"
    for source, keys in (
        (f"{url}/a", ["a/1.png", "a/2.txt"]),
        (f"{url}/*.png", ["a/1.png", "b/3.png"]),
        (f"{url}/b/3.png", ["b/3.png"]),
    ):
        to = tmp_path / keys[-1].replace("/", "-") / str(len(keys))
        done = CliRunner().invoke(app, ["cp", "--parents", source, str(to)])
        assert files(to) == {f"{root}/{key}": key.encode() for key in keys}, done.stderr
        again = CliRunner().invoke(app, ["cp", "--parents", source, str(to)])
        assert f"{len(keys)} files, 0 of them copied" in again.stderr
    missing = bucket(bare, "cp", f"{url}/nothing/*", str(tmp_path / "x"))
    assert missing.returncode == 1
    assert b"has no object s3://" in missing.stderr


def test_a_configuration_file_drives_it(on_swift: Published, tmp_path: Path) -> None:
    s3(on_swift.store).put_object(
        Bucket=on_swift.store.bucket, Key="one/object", Body=b"its content"
    )
    wanted = {
        "bucket_name": on_swift.store.bucket,
        "object_key": "one/object",
        "local_path": str(tmp_path / "here" / "file"),
    }
    config = tmp_path / "config.json"
    config.write_text(json.dumps(wanted))
    done = bucket(on_swift, "cp", OS_CONFIG_FILE=str(config))
    assert done.stdout.decode() == f"{wanted['local_path']}\n"
    assert (tmp_path / "here" / "file").read_bytes() == b"its content"
    config.write_text(json.dumps({"bucket_name": "x", "object": "y"}))
    wrong = bucket(on_swift, "cp", OS_CONFIG_FILE=str(config))
    assert wrong.returncode == 1
    assert b"OS_CONFIG_FILE is" in wrong.stderr
    assert b"object_key: Field required" in wrong.stderr
    nothing = bucket(on_swift, "cp")
    assert nothing.returncode == 1
    assert b"bucket cp data/raw" in nothing.stderr


def test_a_damaged_object_is_not_put_there(
    on_swift: Published, published_tables: dict[str, Published], tmp_path: Path
) -> None:
    content = (published_tables["swift"].root / "parts" / "3.parquet").read_bytes()
    oid = hashlib.md5(content, usedforsecurity=False).hexdigest()
    key = f"files/md5/{oid[:2]}/{oid[2:]}"
    on_swift.put(key, bytes(len(content)))
    try:
        done = bucket(on_swift, "cp", "parts/3.parquet", f"{tmp_path}/x/")
        assert done.returncode == 1
        assert b"is damaged" in done.stderr
        assert files(tmp_path / "x") == {}
        shown = bucket(on_swift, "cat", "parts/3.parquet")
        assert shown.returncode == 1
        assert b"parts/3.parquet of the workspace is damaged on the remote" in shown.stderr
    finally:
        on_swift.put(key, content)


def test_a_folder_without_room_says_so(on_swift: Published, tmp_path: Path) -> None:
    settings = on_swift.settings
    place = ObjectRef(settings.obstore(), "huge", settings)
    item = Item(place, tmp_path / "small" / "huge", 10**18)
    with pytest.raises(
        SpaceError, match=r"free, but the missing files need 1000000.*name another folder"
    ):
        bring(tmp_path / "small", [item], lambda _done, _size: None)
    assert files(tmp_path / "small") == {}
