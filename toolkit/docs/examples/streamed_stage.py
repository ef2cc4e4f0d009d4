"""A stage that streams: late departures by carrier and hour, straight from the bucket.

It reads three of the 31 columns of the features, at the revision that `dvc.lock` names, a batch at
a time; nothing lands on disk but the result. `streamed_stage.yaml` is its stage for `dvc.yaml`.
"""

from pathlib import Path

import pyarrow as pa
from pyarrow import csv

from dvc_bucket import open_dataset
from dvc_bucket.stages import complete_or_absent, run_stage


def count_late(path: str) -> pa.Table:
    """Flights and late ones by carrier and scheduled hour; memory is bounded by a batch."""
    features = open_dataset(path, columns=["carrier", "minute_of_day", "late"])
    counts: dict[tuple[str, int], list[int]] = {}
    for batch in features.to_batches():
        for row in zip(*(batch[name].to_pylist() for name in batch.schema.names), strict=True):
            carrier, minute, late = row
            count = counts.setdefault((carrier, minute // 60), [0, 0])
            count[0] += 1
            count[1] += bool(late)
    keys = sorted(counts)
    return pa.table(
        {
            "carrier": [carrier for carrier, _ in keys],
            "hour": [hour for _, hour in keys],
            "flights": [counts[key][0] for key in keys],
            "late": [counts[key][1] for key in keys],
        }
    )


def main(features: str, output: Path) -> None:
    """Write the counts as CSV."""
    table = count_late(features)
    with complete_or_absent(output) as temporary:
        csv.write_csv(table, temporary)


if __name__ == "__main__":
    run_stage(main)
