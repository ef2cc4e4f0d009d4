"""What the tests of the data plane do with DVC and the two sides of a transfer."""

import contextlib
import hashlib
import os
import stat
from collections.abc import Container, Iterator
from pathlib import Path
from typing import Any

from dvc_bucket.dvc.patched import install
from tests.patched.cloud import BucketFolder


@contextlib.contextmanager
def way(name: str) -> Iterator[None]:
    """DVC moves data `fast` or the `plain` way for a block."""
    install.uninstall()
    if name == "fast":
        assert install.install() == ""
    try:
        yield
    finally:
        install.uninstall()


def add_data(root: Path, repo: Any, count: int = 30) -> None:
    """A directory of small files, an empty one among them, and a file of some megabytes."""
    (root / "many" / "deep").mkdir(parents=True)
    for number in range(count):
        content = os.urandom(500 + number) if number else b""
        (root / "many" / "deep" / f"{number:03}.bin").write_bytes(content)
    (root / "many" / "name with é.txt").write_text("text\r\n")
    (root / "big.bin").write_bytes(os.urandom(3_000_000))
    repo.add(["many", "big.bin"])


def cache_files(repo: Any) -> dict[str, tuple[int, bytes]]:
    """Mode and content of every file in DVC's cache, by its path; folders are there, too."""
    root = Path(repo.cache.local.path)
    return {
        str(path.relative_to(root)): (
            stat.S_IMODE(path.stat().st_mode) if path.is_file() else 0,
            path.read_bytes() if path.is_file() else b"",
        )
        for path in root.parents[1].rglob("*")
        if path.is_relative_to(root) or path.is_file()
    }


def remote_objects(folder: BucketFolder, among: Container[str] | None = None) -> dict[str, str]:
    """MD5 of every object below a folder of the bucket, or of some of them, by its key there."""
    client, prefix = folder._client, folder.path.strip("/") + "/"
    return {
        key.removeprefix(prefix): hashlib.md5(
            client.get_object(Bucket=folder.bucket, Key=key)["Body"].read(), usedforsecurity=False
        ).hexdigest()
        for key in folder.all_keys()
        if among is None or key.removeprefix(prefix) in among
    }


def object_of(folder: BucketFolder, md5: str) -> BucketFolder:
    """The object of a remote with this name."""
    return folder / "files" / "md5" / md5[:2] / md5[2:]


def forget(repo: Any, *names: str) -> None:
    """Remove the cache and these files of the workspace."""
    from dvc.utils.fs import remove

    remove(repo.cache.local.path)
    for name in names:
        remove(str(Path(repo.root_dir) / name))
