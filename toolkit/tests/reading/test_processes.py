"""A process that is forked after its parent has read the remote reads it, too; so do others."""

import faulthandler
import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import pytest

from dvc_bucket import copy_to, filesystem, iter_samples, open_dataset, open_file
from tests.reading.conftest import fresh_clone
from tests.verify.published import Published

#: Where each reader is, by name, so that every way to start a process finds it.
READERS: dict[str, Callable[[Path], Any]] = {
    "large table": lambda _: open_dataset("flights.parquet", "v1").count_rows(),
    "small files": lambda _: open_dataset("many", "v1").to_table().num_rows,
    "csv": lambda _: open_dataset("codes.csv", "v1").to_table().to_pydict(),
    "open file": lambda _: open_file("notes.bin", "v1").read(1000),
    "samples": lambda _: [one.data for one in iter_samples("texts", "v1", worker=(0, 1))],
    "copy": lambda folder: copy_to(["texts"], folder / str(os.getpid()), rev="v1").files,
    "file system": lambda _: filesystem("v1").cat("texts/07.txt"),
    "part": lambda _: filesystem("v1").cat_file("notes.bin", 5, 500),
}

#: Why a test was skipped.
NO_TORCH = "no PyTorch here: `uv pip install -r tests/torch.in` in toolkit/"

#: What is opened by the parent alone.
opened: list[Any] = []


def read_all(folder: Path) -> dict[str, Any]:
    found = {name: read(folder) for name, read in READERS.items()}
    if opened:
        found["opened before"] = opened[0].to_table().num_rows
        found["file opened before"] = opened[1].read(10)
    return found


def watch() -> None:
    """End a worker that hangs, and show where."""
    faulthandler.dump_traceback_later(100, exit=True)


def mapped(method: str, folders: list[Path]) -> list[dict[str, Any]]:
    """What two processes read, which one library or another has started."""
    if method == "joblib":
        return list(joblib.Parallel(n_jobs=2)(joblib.delayed(read_all)(one) for one in folders))
    if method == "torch":
        torch_data = pytest.importorskip("torch.utils.data", reason=NO_TORCH)
        loader = torch_data.DataLoader(Reads(folders), batch_size=None, num_workers=2)
        return list(loader)
    with multiprocessing.get_context(method).Pool(2, watch) as pool:
        return pool.map(read_all, folders)


class Reads:
    """A dataset of PyTorch, of what is read in one folder and another."""

    def __init__(self, folders: list[Path]) -> None:
        self.folders = folders

    def __len__(self) -> int:
        return len(self.folders)

    def __getitem__(self, number: int) -> dict[str, Any]:
        return read_all(self.folders[number])


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn", "joblib", "torch"])
def test_every_reader_works_in_a_child_of_a_process_that_has_read(
    published_tables: dict[str, Published],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
) -> None:
    monkeypatch.chdir(fresh_clone(published_tables["seaweed"], tmp_path).root)
    opened[:] = [open_dataset("flights.parquet", "v1"), open_file("notes.bin", "v1")]
    expected = read_all(tmp_path)
    if method not in {"fork", "torch"}:
        del expected["opened before"], expected["file opened before"]
    expected["copy"] = 20
    opened[1].seek(0)
    for found in mapped(method, [tmp_path, tmp_path]):
        assert found == expected
    opened.clear()
