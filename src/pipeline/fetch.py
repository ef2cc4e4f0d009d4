"""Fetch the raw data from the bucket; every object is checked against its pinned SHA-256."""

from pathlib import Path

from dvc_bucket import Settings, download
from dvc_bucket.stages import run_stage

from pipeline.params import Fetch


def main(folder: Path, params: Path = Path("params.yaml")) -> None:
    """Download each object that `params.yaml` names to `folder`."""
    settings = Settings.load()
    fetch = Fetch.read(params)
    for name, sha256 in fetch.sha256.items():
        key = f"{fetch.prefix}/{name}"
        size = download(key, folder / name, sha256=sha256, settings=settings)
        print(f"{key}: {size:,} bytes, SHA-256 as pinned")


if __name__ == "__main__":
    run_stage(main)
