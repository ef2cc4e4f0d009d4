"""Files that are being written: nothing of them stays, whoever dies."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from dvc_bucket.transfer.files import LOOSE, UNFINISHED, Unfinished, promised_md5, sweep

OID = "d41d8cd98f00b204e9800998ecf8427e"

#: Holds a file of a cache and one beside its target open until it is killed.
WRITER = """
import sys, time
from dvc_bucket.transfer.files import Unfinished
with Unfinished() as unfinished:
    targets = sys.argv[1:]
    unfinished.prepare(targets)
    with unfinished.file(targets[0], 0o444), unfinished.file(targets[1], 0o666):
        print("writing", flush=True)
        time.sleep(60)
"""


def targets(root: Path) -> list[str]:
    return [f"{root}/files/md5/{OID[:2]}/{OID[2:]}", f"{root}/data/file.csv"]


def temporary(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.name.endswith(LOOSE)]


@pytest.mark.parametrize("end", ["finish", "fail"])
def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path, end: str) -> None:
    cached, loose = targets(tmp_path)
    with Unfinished() as unfinished:
        unfinished.prepare([cached, loose])
        for target, mode in ((cached, 0o444), (loose, 0o640)):
            try:
                with unfinished.file(target, mode) as file:
                    os.write(file, b"content")
                    assert not Path(target).exists()
                    assert end == "finish"
            except AssertionError:
                assert end == "fail"
    assert temporary(tmp_path) == []
    assert not (tmp_path / UNFINISHED).exists()
    assert Path(cached).exists() == Path(loose).exists() == (end == "finish")
    if end == "finish":
        assert Path(cached).read_bytes() == b"content"
        assert Path(cached).stat().st_mode & 0o777 == 0o444


def test_a_file_of_a_cache_can_be_read_by_all_whatever_the_umask(tmp_path: Path) -> None:
    cached, loose = targets(tmp_path)
    before = os.umask(0o077)
    try:
        with Unfinished() as unfinished, unfinished.file(cached, 0o444):
            pass
        with Unfinished() as unfinished, unfinished.file(loose, 0o666):
            pass
    finally:
        os.umask(before)
    assert Path(cached).stat().st_mode & 0o777 == 0o444
    assert Path(loose).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("dies", [True, False])
def test_only_what_the_dead_left_is_removed(tmp_path: Path, dies: bool) -> None:
    cached, loose = targets(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, cached, loose], stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout
        assert writer.stdout.readline() == b"writing\n"
        assert len(temporary(tmp_path)) == 2
        if dies:
            writer.kill()
            writer.wait()
        with Unfinished() as unfinished:
            unfinished.prepare([cached, loose])
            assert len(temporary(tmp_path)) == (0 if dies else 2)
            assert (tmp_path / UNFINISHED).exists()
        assert (tmp_path / UNFINISHED).exists() != dies
        writer.kill()


def test_an_interrupt_leaves_nothing(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, *targets(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as writer:
        assert writer.stdout
        writer.stdout.readline()
        writer.send_signal(signal.SIGINT)
        start = time.monotonic()
        writer.wait(20)
        assert time.monotonic() - start < 10
    assert temporary(tmp_path) == []
    assert not (tmp_path / UNFINISHED).exists()


def test_a_bare_name_is_one_in_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with Unfinished() as unfinished:
        unfinished.prepare(["file.csv"])
        with unfinished.file("file.csv", 0o666):
            assert len(temporary(tmp_path)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["file.csv"]


def test_a_sweep_takes_no_file_whose_writer_lives(tmp_path: Path) -> None:
    ended = threading.Event()

    def sweep_all_the_time() -> None:
        while not ended.is_set():
            sweep(tmp_path)

    sweeper = threading.Thread(target=sweep_all_the_time)
    sweeper.start()
    try:
        with Unfinished() as unfinished:
            for number in range(500):
                with unfinished.file(f"{tmp_path}/{number}", 0o666):
                    pass
    finally:
        ended.set()
        sweeper.join()
    assert len(list(tmp_path.iterdir())) == 500


def test_what_names_promise() -> None:
    assert promised_md5(f"bucket/prefix/files/md5/{OID[:2]}/{OID[2:]}") == OID
    assert promised_md5(f"bucket/files/md5/{OID[:2]}/{OID[2:]}.dir") == OID
    assert promised_md5(f"bucket/prefix/{OID[:2]}/{OID[2:]}") is None
    assert promised_md5(f"bucket/files/md5/{OID}") is None
    assert promised_md5("bucket/files/md5/runs/x") is None
