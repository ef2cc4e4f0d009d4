"""The wheel of the toolkit: what is in it, and that it is the same wherever it is built."""

import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from tests import TESTS_ROOT

PACKAGE = TESTS_ROOT / "src" / "dvc_bucket"


def build(folder: Path, umask: int) -> Path:
    """Build the wheel from a copy of the sources, as `make wheel` does."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(
        TESTS_ROOT / "src", folder / "src", ignore=ignored, copy_function=shutil.copyfile
    )
    for name in ("pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE"):
        shutil.copyfile(TESTS_ROOT.joinpath(name), folder / name)
    makefile = TESTS_ROOT.joinpath("Makefile").read_text(encoding="utf-8")
    [date] = re.findall(r"^export SOURCE_DATE_EPOCH := (\d+)$", makefile, re.MULTILINE)
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel"],
        cwd=folder,
        env=os.environ | {"SOURCE_DATE_EPOCH": date, "TZ": folder.name},
        umask=umask,
        check=True,
        capture_output=True,
    )
    [wheel] = (folder / "dist").glob("dvc_bucket-*-py3-none-any.whl")
    return wheel


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Built in two folders, at two times, by people with other permissions."""
    root = tmp_path_factory.mktemp("wheels")
    first = build(root / "UTC", 0o022)
    later = root / "Kathmandu"
    time.sleep(2)  # the resolution of times in a zip archive
    return first, build(later, 0o077)


def test_the_wheel_has_the_same_bytes_wherever_it_is_built(wheels: tuple[Path, Path]) -> None:
    first, second = wheels
    assert first.read_bytes() == second.read_bytes()


def test_the_wheel_has_every_file_of_the_package_and_no_other(wheels: tuple[Path, Path]) -> None:
    with zipfile.ZipFile(wheels[0]) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    sources = {
        path.relative_to(PACKAGE.parent).as_posix()
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert "dvc_bucket/py.typed" in packed
    assert packed == sources


def test_each_extra_is_declared(wheels: tuple[Path, Path]) -> None:
    with zipfile.ZipFile(wheels[0]) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = archive.read(name).decode()
    extras = set(re.findall(r"^Provides-Extra: (\S+)$", metadata, re.MULTILINE))
    assert {"store", "secrets", "crate", "dask", "all"} <= extras
    assert "Requires-Dist: dvc<3.68,>=3.67" in metadata
