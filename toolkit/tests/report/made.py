"""A project with two branches: what the report on them says is known beforehand."""

from pathlib import Path

from ruamel.yaml import YAML

from dvc_bucket import dvc_hash
from dvc_bucket.jobs.report.comparison import Changes, compare
from tests.check.small import HEAD
from tests.verify.published import Published

#: A name that means something to Markdown, in tables and out of them, and to HTML.
ODD = "a|b`c <i>@all_x_.txt"

MAKE = """import pyarrow as pa
import pyarrow.parquet as pq

rows = int(Path("params.yaml").read_text().split()[1])
pq.write_table(pa.table({"n": range(rows)}), "table.parquet")
Path("parts").mkdir(exist_ok=True)
for number in range(rows // 5):
    write(f"parts/{number}.csv", "n\\n" + f"{rows}\\n" * (rows - 5 * number))
"""

SCORE = """import json

rows = len(Path("table.parquet").read_bytes()) and int(read("params.yaml").split()[1])
write("metrics.json", json.dumps({"auc": {"low": 1 / rows, "all": 0.5}, "rows": rows}))
lines = [f"{step},{step / rows}" for step in range(4)]
write("curve.csv", "\\n".join(["step,loss", *lines, ""]))
"""

SAME = f"write({ODD!r}, 'the same')"

STAGES = {
    "make": {
        "cmd": "python src/make.py",
        "deps": ["src/make.py"],
        "params": ["rows"],
        "outs": ["table.parquet", "parts"],
    },
    "score": {
        "cmd": "python src/score.py",
        "deps": ["src/score.py", "table.parquet"],
        "metrics": [{"metrics.json": {"cache": False}}],
        "outs": ["curve.csv"],
    },
    "same": {"cmd": "python src/same.py", "deps": ["src/same.py"], "outs": [ODD]},
}
PLOTS = [{"Loss": {"x": "step", "y": {"curve.csv": "loss"}}}]


def publish(made: Published) -> None:
    """`main` is pushed; `change` was run and is not pushed; `stale` was not even run."""
    _write(made, rows=10)
    scripts = {"make": MAKE, "score": SCORE, "same": SAME}
    for name, body in scripts.items():
        _script(made, name, body)
    with (made.root / "dvc.yaml").open("w") as file:
        YAML().dump({"stages": STAGES, "plots": PLOTS}, file)
    made.dvc("repro")
    made.commit("Ten rows")
    made.dvc("push")
    made.git("checkout", "-q", "-b", "change")
    _write(made, rows=15)
    _script(made, "same", f"{SAME}  # and a word")
    made.dvc("repro")
    made.commit("Fifteen | rows, `thanks` <b>@all</b> #1")
    made.git("checkout", "-q", "-b", "stale")
    _write(made, rows=16)
    _script(made, "score", f"{SCORE}# edited\n")
    (made.root / "metrics.json").write_text('{"rows": 16}')
    # As if `make` alone had run since: `score`, the last one in there, read another table.
    lock = made.root / "dvc.lock"
    table = dvc_hash(made.root / "table.parquet")
    lock.write_text("0123abcd".join(lock.read_text().rsplit(table[:8], 1)))
    made.commit("Not run")
    made.git("checkout", "-q", "change")


def report(
    made: Published,
    base: str | None,
    head: str,
    *,
    use_remote: bool = True,
    plots: Path | None = None,
) -> Changes:
    return compare(made.project, base, head, use_remote=use_remote, plots_folder=plots)


def _write(made: Published, *, rows: int) -> None:
    (made.root / "params.yaml").write_text(f"rows: {rows}\n")


def _script(made: Published, name: str, body: str) -> None:
    (made.root / "src").mkdir(exist_ok=True)
    (made.root / "src" / f"{name}.py").write_text(HEAD + body)
