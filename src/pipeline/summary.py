"""The headline at the end of `make reproduce`: the metrics as a table."""

from pathlib import Path

from dvc_bucket.stages import read_json, run_program
from rich import box
from rich.console import Console
from rich.table import Table


def main(intervals: Path) -> None:
    """Print the AUC of each model in INTERVALS, the best one last."""
    content = read_json(intervals)
    share = round(100 * content["confidence"])
    console = Console()
    print(f"\n{content['flights']:,} held-out flights, late or not:")
    table = Table(box=box.SIMPLE_HEAD if console.is_terminal else None, pad_edge=False)
    table.add_column("model")
    table.add_column("AUC", justify="right")
    table.add_column(f"{share} % interval", justify="right")
    for name, row in sorted(content["models"].items(), key=lambda item: item[1]["auc"]):
        table.add_row(name, f"{row['auc']:.3f}", f"{row['auc_low']:.3f} to {row['auc_high']:.3f}")
    console.print(table)


if __name__ == "__main__":
    run_program(main)
