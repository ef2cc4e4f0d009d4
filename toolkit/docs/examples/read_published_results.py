"""Read three columns of the published features, as they were at a tag, without pulling anything.

Run it in a clone, with .env in place:
`python toolkit/docs/examples/read_published_results.py --rev v1.0`.
From elsewhere, name the repository: `--repo https://example.org/group/project.git`, and have the
settings in the environment.
"""

import sys
from typing import Annotated

import pyarrow.dataset as ds
import typer

from dvc_bucket import BucketError, open_dataset


def main(
    rev: Annotated[str, typer.Option(help="Branch, tag or commit.")] = "HEAD",
    repo: Annotated[str | None, typer.Option(help="URL of the repository; else this one.")] = None,
) -> None:
    """Print the mean share of late departures by carrier, of flights from JFK."""
    flights = open_dataset(
        "data/processed/features",
        rev=rev,
        columns=["carrier", "origin", "late"],
        filter=ds.field("origin") == "JFK",
        repo=repo,
    )
    late = flights.to_pandas().groupby("carrier", observed=True)["late"].mean()
    print(late.sort_values(ascending=False).round(3).to_string())


if __name__ == "__main__":
    try:
        typer.run(main)
    except BucketError as error:  # it says what is wrong, and what to do
        sys.exit(str(error))
