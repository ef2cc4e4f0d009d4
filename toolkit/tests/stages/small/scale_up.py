"""The stage of the small project: one Parquet file for each of the input."""

from functools import partial
from pathlib import Path
from typing import NamedTuple

from steps import SCHEMA, ScaleUp, scaled_up

from dvc_bucket.stages import (
    StageError,
    map_partitions,
    read_parquet,
    resumable,
    run_stage,
    unfinished,
    write_parquet,
)


class Part(NamedTuple):
    """A partition: its file, the file before (None: it is the first), and its output."""

    file: Path
    before: Path | None
    output: Path


def scale_up_part(part: Part, params: ScaleUp) -> None:
    """Write one partition."""
    rows = read_parquet(part.file)
    before = read_parquet(part.before) if part.before else rows.iloc[:0]
    write_parquet(scaled_up(rows, before, params), SCHEMA, part.output)


def main(source: Path, output: Path, params: Path = Path("params.yaml")) -> None:
    """Read the folder SOURCE and write the folder OUTPUT."""
    settings = ScaleUp.read(params)
    files = sorted(source.glob("*.parquet"))
    if not files:
        raise StageError(f"{source}: no tables there.")
    with resumable(output, settings) as folder:
        parts = {}
        for before, file in zip([None, *files], files, strict=False):
            inputs = [path for path in (file, before) if path]
            parts[file.stem] = Part(file, before, folder.file(file.name, inputs))
        scale_up = partial(scale_up_part, params=settings)
        map_partitions(scale_up, unfinished(parts), label="scale_up")


if __name__ == "__main__":
    run_stage(main)
