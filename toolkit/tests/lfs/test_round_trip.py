"""Push, clone elsewhere, pull: the same bytes, on both stores; what stands in the way is named."""

import json
from pathlib import Path

import pytest

from dvc_bucket.base import ports
from dvc_bucket.git import lfs_layout as layout
from tests.lfs.lfs_tools import (
    TRACKED,
    add_files,
    clone_of,
    contents_of,
    key_of,
    leftovers,
    make_origin,
    needs_git_lfs,
    run,
)
from tests.stores.access import StoreAccess
from tests.verify.published import Published, named

pytestmark = needs_git_lfs

#: A Swift takes ten times as long for an object.
FILES = {"seaweed": 100, "swift": 20}

#: One that is fetched in ranges, and sent in parts.
LARGE = 36 * 1024 * 1024


@pytest.fixture(scope="module")
def pushed(
    remote_store: StoreAccess, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Published, dict[str, bytes]]:
    """A clone whose files were pushed; tests change the remote, and put it right again."""
    origin = make_origin(tmp_path_factory.mktemp("lfs") / "work é", remote_store)
    sizes = {f"many/{number}": 700 + number for number in range(FILES[remote_store.name])}
    contents = add_files(origin, sizes | {"empty": 0, "piece": 3_000_000, "one": LARGE})
    origin.git("push", "-q", "-u", "origin", "main")
    return origin, contents


def test_another_clone_pulls_the_same_bytes(
    pushed: tuple[Published, dict[str, bytes]], tmp_path: Path
) -> None:
    origin, contents = pushed
    other = clone_of(origin, tmp_path / "other")
    assert (other.root / TRACKED / "one").stat().st_size < layout.POINTER_BYTES
    other.git("lfs", "pull")
    assert contents_of(other) == contents
    assert leftovers(other) == []
    assert origin.get(key_of(contents["piece"])) == contents["piece"]
    report = other.verify("HEAD", lfs=True, deep=True)
    assert report.ok
    assert report.read == report.objects == len(contents) - 1  # an empty file is no object


def test_what_is_there_is_not_sent_again(pushed: tuple[Published, dict[str, bytes]]) -> None:
    origin, contents = pushed
    where = origin.key(key_of(contents["many/7"]))
    before = origin.store.client().head_object(**where)["LastModified"]
    origin.delete(key_of(contents["many/8"]))
    origin.git("lfs", "push", "--all", "origin")
    assert origin.store.client().head_object(**where)["LastModified"] == before
    assert origin.get(key_of(contents["many/8"])) == contents["many/8"]


def test_a_damaged_and_a_missing_object_are_named_and_mended(
    pushed: tuple[Published, dict[str, bytes]], tmp_path: Path
) -> None:
    origin, contents = pushed
    if origin.store.name == "swift":
        pytest.skip("the same for every store")
    damaged, missing = key_of(contents["many/1"]), key_of(contents["many/2"])
    origin.put(damaged, contents["many/1"][::-1])
    origin.delete(missing)
    other = clone_of(origin, tmp_path / "other")
    done = run(other, "git", "lfs", "pull", "--include", f"{TRACKED}/many/1,{TRACKED}/many/2")
    assert done.returncode
    said = done.stderr.splitlines()
    [line] = [line for line in said if "is damaged" in line]
    assert f"[422] s3://{origin.store.bucket}/{origin.prefix}/{damaged}" in line
    [line] = [line for line in said if "does not exist" in line]
    assert f"[404] Could not download s3://{origin.store.bucket}/{origin.prefix}/{missing}" in line
    assert b"oid sha256" in (other.root / TRACKED / "many/1").read_bytes()
    assert "Traceback" not in done.stderr
    done = run(origin, "bucket", "verify", "-A", "--lfs", "--deep", "--json")
    assert done.returncode == 1
    found = {one["path"]: one for one in json.loads(done.stdout)["findings"]}
    assert found[f"{TRACKED}/many/1"]["object"] == damaged
    assert found[f"{TRACKED}/many/1"]["fault"] == "corrupt"
    assert found[f"{TRACKED}/many/2"]["revisions"][0]["commit"] == origin.git("rev-parse", "HEAD")
    mended = origin.verify(lfs=True, repair=True)
    assert mended.ok
    assert named(mended.mended) == [("missing", f"{TRACKED}/many/2")]
    mended = origin.verify(lfs=True, deep=True, repair=True)
    assert mended.ok
    assert mended.read == 3, "these two, one of them twice; what was right is not read again"
    assert origin.get(damaged) == contents["many/1"]


@pytest.mark.parametrize("fault", ["keys", "stopped"])
def test_a_store_that_does_not_serve_us_is_one_line(
    pushed: tuple[Published, dict[str, bytes]], tmp_path: Path, fault: str
) -> None:
    origin, _ = pushed
    if origin.store.name == "swift" and fault == "stopped":
        pytest.skip("the same for every store")
    other = clone_of(origin, tmp_path / "other")
    add_files(other, {f"new/{number}": 100 for number in range(20)})
    wrong = {"OS_SECRET_ACCESS_KEY": "0" * 40}  # pragma: allowlist secret
    if fault == "stopped":
        wrong = {"OS_ENDPOINT_URL": f"http://127.0.0.1:{ports.free_ports(1)[0]}"}
    done = run(other, "git", "push", "origin", "main", **wrong)
    assert done.returncode
    [line, last] = done.stderr.splitlines()
    assert "Could not list" in line
    assert ("with these credentials" if fault == "keys" else "`make serve` starts it") in line
    assert last.startswith("error: failed to push")
    assert "0" * 40 not in line
    assert leftovers(other) == []
    other.git("push", "-q", "origin", "main")
    other.git("push", "-q", "--force", "origin", "HEAD~:main")
