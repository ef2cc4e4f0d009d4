"""`dvc.lock` of DVC 2, whose hashes are of text with Unix line ends, against a run of DVC 3."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from dvc_bucket.dvc import hashes as dvc_hashes
from tests.check.small import Stages, make, script, stage

TEXT = "one\r\ntwo\r\n"
BODY = f"""
Path("d").mkdir()
for name in ("a.txt", "d/b.txt", "d/same.txt"):
    Path(name).write_bytes({TEXT.encode()!r})
"""


def md5(content: str) -> str:
    return hashlib.md5(content.encode()).hexdigest()


def lock_as_dvc_2(made: Stages, text: str) -> None:
    """Record a file and a directory with two files as DVC 2 did; one file is that of the run."""
    same = "one\ntwo\n"
    listed = json.dumps(
        [{"md5": md5(text), "relpath": "b.txt"}, {"md5": md5(same), "relpath": "same.txt"}]
    )
    cache = made.root / ".dvc" / "cache"
    for name, content in ((md5(text), text), (f"{md5(listed)}.dir", listed)):
        (cache / name[:2]).mkdir(exist_ok=True)
        (cache / name[:2] / name[2:]).write_text(content, newline="")
    file = made.root / "dvc.lock"
    lock: dict[str, Any] = YAML(typ="safe").load(file)
    for out in lock["stages"]["old"]["outs"]:
        del out["hash"]
        out["md5"] = f"{md5(listed)}.dir" if out["path"] == "d" else md5(text)
    with file.open("w") as stream:
        YAML().dump(lock, stream)


@pytest.fixture
def project(tmp_path: Path) -> Stages:
    files = {"src/old.py": script(BODY)}
    return make(tmp_path / "project", files, {"old": stage("old", outs=["a.txt", "d"])})


@pytest.mark.parametrize(
    ("recorded", "verdicts", "detail"),
    [
        ("one\ntwo\n", {"a.txt": "identical", "d": "identical"}, ""),
        (
            "one\n2\n",
            {"a.txt": "differs", "d": "differs"},
            "10 bytes, were 6; byte 4 is the first that differs, in line 1: 'one' became 'one'",
        ),
    ],
)
def test_contents_are_compared_by_the_kind_of_the_recorded_hash(
    project: Stages, recorded: str, verdicts: dict[str, str], detail: str
) -> None:
    lock_as_dvc_2(project, recorded)
    project.commit()
    outputs = project.report(causes=False)["outputs"]
    assert {one["path"]: one["verdict"] for one in outputs} == verdicts
    assert outputs[0]["detail"] == detail
    assert outputs[1]["detail"] == (f"1 of 2 files differ. b.txt: {detail}" if detail else "")


def test_what_dvc_2_took_for_binary_keeps_its_line_ends() -> None:
    """It took that for binary which has a zero byte, or many characters that no text has."""
    binary = bytes(range(1, 32)) * 20 + b"\r\n"
    assert dvc_hashes.of_bytes(binary, legacy=True) == hashlib.md5(binary).hexdigest()
    assert dvc_hashes.of_bytes(TEXT.encode(), legacy=True) == md5("one\ntwo\n")
