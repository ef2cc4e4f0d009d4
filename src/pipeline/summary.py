"""The headline at the end of `make reproduce`: the metrics as a table."""

from pathlib import Path

from dvc_bucket.stages import read_json, run_program


def main(intervals: Path) -> None:
    """Print the AUC of each model in INTERVALS, the best one last."""
    content = read_json(intervals)
    share = round(100 * content["confidence"])
    rows = [
        (name, f"{row['auc']:.3f}", f"{row['auc_low']:.3f} to {row['auc_high']:.3f}")
        for name, row in sorted(content["models"].items(), key=lambda item: item[1]["auc"])
    ]
    print(f"\n{content['flights']:,} held-out flights, late or not:")
    width = max(len(name) for name, *_ in rows)
    for name, auc, bounds in [("model", "AUC", f"{share} % interval"), *rows]:
        print(f"{name:{width}}  {auc:>5}  {bounds:>14}")


if __name__ == "__main__":
    run_program(main)
