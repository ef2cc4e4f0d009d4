"""A stage that was interrupted, or that failed for some months, and runs again."""

import shutil
from pathlib import Path

import pytest

from tests.pipeline_tools import changed_params, features_folder, interim, run

MONTHS = ("2013-01", "2013-02", "2013-03", "2013-04")
LATER = {"features": {"late_minutes": 16, "lead_minutes": 60, "window_minutes": [60, 180]}}


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """The tables of four months, the third damaged."""
    folder = tmp_path / "interim"
    for table in ("flights", "weather"):
        (folder / table).mkdir(parents=True)
        for month in MONTHS:
            shutil.copy(interim() / table / f"{month}.parquet", folder / table)
    shutil.copy(interim() / "planes.parquet", folder)
    (folder / "flights" / "2013-03.parquet").write_bytes(b"PAR1 no more")
    return folder


def times(folder: Path) -> dict[str, int]:
    """When each month's file was written, by the month; in nanoseconds."""
    return {path.stem[-7:]: path.stat().st_mtime_ns for path in folder.iterdir()}


def test_only_what_is_missing_is_made_again(tables: Path, tmp_path: Path) -> None:
    output, kept = tmp_path / "features", tmp_path / ".features.part"
    failed = run("features.py", tables, output)
    assert failed.returncode == 1
    assert "features: 2 of 4 partitions failed.\n2013-03: " in failed.stderr
    assert "Traceback" not in failed.stderr
    assert not output.exists()
    before = times(kept)
    assert sorted(before) == ["2013-01", "2013-02"]
    (kept / ".half.parquet.part").write_bytes(b"of a process that was killed")

    shutil.copy(interim() / "flights" / "2013-03.parquet", tables / "flights")
    assert run("features.py", tables, output).returncode == 0
    after = times(output)
    assert {month: after[month] for month in before} == before
    assert sorted(path.name for path in output.iterdir()) == [f"{one}.parquet" for one in MONTHS]
    for path in output.iterdir():
        assert path.read_bytes() == (features_folder() / path.name).read_bytes()
    assert not kept.exists()


def test_what_was_made_with_other_parameters_or_of_other_data_is_not_taken(
    tables: Path, tmp_path: Path
) -> None:
    output = tmp_path / "features"
    assert run("features.py", tables, output).returncode == 1
    changed = changed_params(tmp_path / "params.yaml", LATER)
    shutil.copy(interim() / "flights" / "2013-03.parquet", tables / "flights")
    # In the halo of February: the first month's flights are not those that its kept file knows.
    shutil.copy(interim() / "flights" / "2013-04.parquet", tables / "flights" / "2013-01.parquet")
    assert run("features.py", tables, output, "--params", changed).returncode == 0
    other = tmp_path / "other"
    assert run("features.py", tables, other, "--params", changed).returncode == 0
    for path in other.iterdir():
        assert path.read_bytes() == (output / path.name).read_bytes()
    assert (output / "2013-02.parquet").read_bytes() != (
        features_folder() / "2013-02.parquet"
    ).read_bytes()
