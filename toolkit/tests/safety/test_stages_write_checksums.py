"""Stages write tables with checksums of pages, and compare them when they read."""

from pathlib import Path

import pyarrow as pa
import pytest

from dvc_bucket.stages import StageError, read_parquet, write_parquet
from tests.reading.conftest import flights
from tests.safety.tables import (
    flipped,
)


def test_stages_write_checksums_of_pages_and_compare_them(tmp_path: Path) -> None:
    path = tmp_path / "flights.parquet"
    write_parquet(flights().to_pandas(), pa.schema(flights().schema), path)
    read_parquet(path)
    path.write_bytes(flipped(path.read_bytes()))
    with pytest.raises(StageError, match="CRC checksum verification failed"):
        read_parquet(path)
