"""The protocol, line by line, without git-lfs: what is answered, and that nothing else is."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from dvc_bucket.git import lfs_layout as layout
from dvc_bucket.git.lfs_layout import Pointer
from tests.stores.fixtures import access
from tests.verify.published import Published, empty

SIZE = 9_000_000


def answers(clone: Published, *requests: dict[str, Any]) -> list[dict[str, Any]]:
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    (clone.root / "requests").write_text(lines)
    done = clone.clone.run("sh", "-c", "bucket lfs agent ../storage <requests")
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_request_has_its_answers(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    clone = empty(tmp_path / "clone", access(request, "seaweed"))
    content = os.urandom(SIZE)
    (tmp_path / "file").write_bytes(content)
    oid, none = hashlib.sha256(content).hexdigest(), "0" * 64
    init = {"event": "init", "operation": "upload", "concurrent": True, "concurrenttransfers": 8}
    upload = {"event": "upload", "oid": oid, "size": SIZE, "path": str(tmp_path / "file")}
    gone = upload | {"oid": none, "path": str(tmp_path / "gone")}
    found = answers(clone, init, gone, upload, upload, {"event": "terminate"}, upload)
    assert found[0] == {}
    assert found[1]["oid"] == none
    assert found[1]["error"]["code"] == 404
    assert [one for one in found if one.get("event") == "complete"][1:] == [
        {"event": "complete", "oid": oid}
    ] * 2
    told = [one for one in found if one.get("event") == "progress"]
    assert told[-1]["bytesSoFar"] == SIZE
    assert sum(one["bytesSinceLast"] for one in told) == 2 * SIZE
    assert clone.get(layout.path(oid)) == content

    download = {"event": "download", "oid": oid, "size": SIZE}
    missing = download | {"oid": none}
    found = answers(clone, init | {"operation": "download"}, missing, download)
    assert found[1]["error"]["code"] == 404
    path = Path(found[-1]["path"])
    assert path.parent == tmp_path / "storage" / "tmp"
    assert path.read_bytes() == content
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_pointers_are_told_from_other_texts() -> None:
    oid = "ab" * 32
    text = f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 12\n"
    assert Pointer.parse(text.encode()) == Pointer(oid, 12)
    extended = text.replace("oid", "ext-0-foo sha256:" + "0" * 64 + "\noid", 1)
    assert Pointer.parse(extended.encode()) == Pointer(oid, 12)
    assert Pointer.parse(text.replace("sha256", "sha1").encode()) is None
    assert Pointer.parse(b"See " + text.encode()) is None
    assert layout.promised_sha256(layout.key("", oid)) == oid
    assert layout.promised_sha256(layout.key("a/b", oid)) == oid
    assert layout.promised_sha256(f"lfs/aa/ab/{oid}") is None
