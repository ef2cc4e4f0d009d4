"""The lines of docs/reading.md, as they stand there, read the bucket through `dvcbucket://`."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import rasterio
import xarray as xr
import zarr
from pyarrow import feather, parquet
from rasterio.transform import from_origin

from dvc_bucket import Project, Settings, filesystem, pack
from tests import TESTS_ROOT
from tests.reading.conftest import fresh_clone
from tests.reading.test_processes import NO_TORCH
from tests.stores.fixtures import access
from tests.stores.plain_front import PlainFront
from tests.verify.published import Published, empty

PAGE = (TESTS_ROOT / "docs" / "reading.md").read_text(encoding="utf-8")
CODE = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)

#: Arrays of days, and the chunks in which they are stored: a day each, 320 kB.
DAYS, CHUNK = 40, (1, 200, 200)


def rain() -> Any:
    """Noise, which no codec makes smaller."""
    generator = np.random.default_rng(7)
    return generator.normal(size=(DAYS, 200, 200))


def write_data(made: Published) -> None:
    """One file of each kind, tracked by DVC and pushed as `v1.0`; nothing of it is in git."""
    data = made.root / "data"
    (data / "parts").mkdir(parents=True)
    (data / "pictures").mkdir()
    levels = pd.DataFrame({"station": np.arange(20_000) % 7, "level": np.arange(20_000) / 4000})
    levels["remark"] = levels.level.map(lambda level: f"{level * 7919:030.6f}")
    table = pa.Table.from_pandas(levels)
    parquet.write_table(table, data / "rivers.parquet", row_group_size=1000)
    for number in range(3):
        parquet.write_table(table.slice(number * 100, 100), data / "parts" / f"{number}.parquet")
    levels.head(100).to_csv(data / "levels.csv.gz", index=False)
    levels.head(5).to_csv(data / "STATIONS.TSV", sep="\t", index=False)
    levels.head(5).to_json(data / "events.jsonl", lines=True, orient="records")
    feather.write_feather(table.slice(0, 10), data / "notes.feather")
    days = xr.Dataset({"rain": (("day", "y", "x"), rain())})
    chunked = {"rain": {"chunks": CHUNK}}
    days.to_zarr(data / "rain.zarr", zarr_format=2, encoding=chunked, consolidated=True)
    days.to_zarr(data / "rain3.zarr", zarr_format=3, encoding=chunked, consolidated=False)
    days.to_netcdf(data / "rain.nc", engine="h5netcdf", encoding={"rain": {"chunksizes": CHUNK}})
    np.savez(data / "rain.npz", rain=rain())
    profile = {"driver": "GTiff", "width": 512, "height": 512, "count": 1, "dtype": "float32"}
    profile |= {"crs": "EPSG:25832", "transform": from_origin(500_000, 5_600_000, 10, 10)}
    with rasterio.open(data / "heights.tif", "w", tiled=True, blockxsize=128, **profile) as raster:
        raster.write(rain()[0, :128, :128].repeat(4, 0).repeat(4, 1).astype("float32"), 1)
    for number in range(20):
        (data / "pictures" / f"{number:02}.png").write_bytes(bytes([number]) * (1000 + number))
    pack(data / "pictures", data / "shards")
    pack(data / "pictures", data / "tars", form="tar")
    made.dvc("add", *sorted(str(path.relative_to(made.root)) for path in data.iterdir()))
    made.commit("Data of every kind")
    made.dvc("push")
    made.git("tag", "v1.0")


@pytest.fixture(scope="module")
def original(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Published:
    """The project whose data was pushed."""
    made = empty(tmp_path_factory.mktemp("kinds") / "project", access(request, "seaweed"))
    write_data(made)
    return made


@pytest.fixture
def front(
    original: Published, store: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[PlainFront]:
    """The current folder is a clone without data; what it asks the store for goes through this."""
    monkeypatch.chdir(fresh_clone(original, tmp_path).root)
    with PlainFront(Settings.load(store).port) as front:
        monkeypatch.setenv("OS_ENDPOINT_URL", front.url)
        yield front


@pytest.mark.usefixtures("front")
@pytest.mark.parametrize("number", range(len(CODE)))
def test_the_lines_of_the_page_run(number: int) -> None:
    if "torch" in CODE[number]:
        pytest.importorskip("torch", reason=NO_TORCH)
    before = set(Path().rglob("*"))
    exec(compile(CODE[number], f"reading.md, block {number}", "exec"), {})
    assert {path for path in set(Path().rglob("*")) - before if ".dvc" not in path.parts} == set()


def read_table(name: str, **options: Any) -> pd.DataFrame:
    address, revision = f"dvcbucket://data/{name}", {"rev": "v1.0"}
    frame: pd.DataFrame = pd.read_csv(address, storage_options=revision, **options)
    return frame


@pytest.mark.usefixtures("front")
def test_every_kind_of_table_is_what_was_written(original: Published) -> None:
    data, options = original.root / "data", {"rev": "v1.0"}
    frame = pd.read_parquet("dvcbucket://data/rivers.parquet", storage_options=options)
    assert frame.equals(pd.read_parquet(data / "rivers.parquet"))
    assert read_table("levels.csv.gz").equals(pd.read_csv(data / "levels.csv.gz"))
    assert read_table("STATIONS.TSV", sep="\t").equals(pd.read_csv(data / "STATIONS.TSV", sep="\t"))
    lines = pd.read_json("dvcbucket://data/events.jsonl", lines=True, storage_options=options)
    assert lines.equals(pd.read_json(data / "events.jsonl", lines=True))
    notes = pd.read_feather("dvcbucket://data/notes.feather", storage_options=options)
    assert notes.equals(pd.read_feather(data / "notes.feather"))


@pytest.mark.usefixtures("front")
def test_every_kind_of_array_is_what_was_written() -> None:
    files, options = filesystem("v1.0"), {"rev": "v1.0"}
    for name in ("rain.zarr", "rain3.zarr"):
        address, is_consolidated = f"dvcbucket://data/{name}", name == "rain.zarr"
        cube = xr.open_zarr(address, storage_options=options, consolidated=is_consolidated)
        assert np.array_equal(cube.rain, rain())
    with xr.open_dataset(files.open("data/rain.nc"), engine="h5netcdf") as cube:
        assert np.array_equal(cube.rain, rain())
    assert np.array_equal(np.load(files.open("data/rain.npz"))["rain"], rain())
    with rasterio.open("data/heights.tif", opener=files) as raster:
        assert raster.read(1)[::4, ::4] == pytest.approx(rain()[0, :128, :128])


def bytes_of(front: PlainFront) -> int:
    return sum(exchange.received for exchange in front.exchanges)


@pytest.mark.parametrize("name", ["rain.zarr", "rain3.zarr"])
def test_of_zarr_a_slice_reads_its_chunks_alone(front: PlainFront, name: str) -> None:
    options = {"rev": "v1.0"}
    array = zarr.open_array(f"dvcbucket://data/{name}/rain", mode="r", storage_options=options)
    front.exchanges.clear()
    assert np.array_equal(array[3:5, :10, :10], rain()[3:5, :10, :10])
    assert [exchange.method for exchange in front.exchanges] == ["GET", "GET"]
    assert bytes_of(front) < 2 * 1.02 * 8 * np.prod(CHUNK)


def test_of_netcdf_a_slice_reads_ranges_alone(front: PlainFront) -> None:
    file = h5py.File(filesystem("v1.0").open("data/rain.nc"))
    assert np.array_equal(file["rain"][7], rain()[7])
    assert bytes_of(front) < 8 * np.prod(CHUNK) + 1_000_000  # of 12.8 MB
    assert len(front.exchanges) < 10


def test_of_a_geotiff_a_window_reads_its_tiles_alone(front: PlainFront) -> None:
    with rasterio.open("data/heights.tif", opener=filesystem("v1.0")) as raster:
        raster.read(1, window=((0, 16), (0, 16)))
    assert bytes_of(front) < 600_000  # of 1.05 MB


def test_of_parquet_columns_and_row_groups_are_read_alone(front: PlainFront) -> None:
    import pyarrow.dataset as ds

    table = ds.dataset("data/rivers.parquet", filesystem=filesystem("v1.0"))
    rows = table.to_table(columns=["level"], filter=ds.field("level") > 4.9)
    assert rows.num_rows == 399
    assert bytes_of(front) < 400_000


def test_files_are_fetched_several_at_a_time_with_one_request_each(front: PlainFront) -> None:
    files = filesystem("v1.0")
    names = files.glob("data/pictures/*.png")
    front.exchanges.clear()
    contents = files.cat(names)
    assert [len(contents[name]) for name in names] == [1000 + number for number in range(20)]
    assert len(front.exchanges) == 20
