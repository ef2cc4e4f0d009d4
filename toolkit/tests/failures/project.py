"""A project of all that public functions read, pushed once; its store on a bad day."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from dvc_bucket.base import ports
from tests.verify.published import Published

#: Small files of a folder, so many that they are fetched whole.
MANY = 17

NOTES = bytes(range(256)) * 100
PATHS = ("table.parquet", "codes.csv", "notes.bin", "many", "texts", "shards", "tars", "out.csv")
FLOW = (
    "stages:\n  copy:\n    cmd: cp codes.csv out.csv\n    deps: [codes.csv]\n    outs: [out.csv]\n"
)


def publish(made: Published) -> None:
    """Fill the project, commit it and push its data; then nothing of the data is here."""
    from dvc_bucket import pack

    root = made.root
    table = pa.table({"flight": list(range(5000)), "text": [f"{n:030}" for n in range(5000)]})
    parquet.write_table(table, root / "table.parquet", row_group_size=500)
    csv.write_csv(table, root / "codes.csv")
    (root / "notes.bin").write_bytes(NOTES)
    (root / "many").mkdir()
    for number in range(MANY):
        parquet.write_table(table.slice(number, 3), root / "many" / f"{number:02}.parquet")
    (root / "texts").mkdir()
    for number in range(3):
        (root / "texts" / f"{number}.txt").write_text(f"{number}\n" * 1000)
    pack(root / "texts", root / "shards")
    pack(root / "texts", root / "tars", form="tar")
    (root / "dvc.yaml").write_text(FLOW)
    (root / "CITATION.cff").write_text("cff-version: 1.2.0\ntitle: A\nlicense: MIT\n")
    made.dvc("add", *PATHS[:-1])
    made.dvc("repro")
    made.commit("Data")
    made.dvc("push")


def forget(made: Published) -> None:
    """Nothing of the data is on this machine."""
    made.clone.run("rm", "-rf", ".dvc/cache", *PATHS)


@dataclass(frozen=True)
class BadDay:
    """A store that does not serve, for a block.

    Attributes:
        settings: variables of the environment.
        change: of each object but the lists of directories, before; None removes it.
    """

    settings: dict[str, Callable[[], str]]
    change: Callable[[bytes], bytes | None] | None = None

    @contextmanager
    def of(self, made: Published) -> Iterator[None]:
        """The project on this day."""
        paths = [path for path in made.keys if not path.endswith(".dir")] if self.change else []
        bodies = {path: made.get(path) for path in paths}
        for path, body in bodies.items():
            changed = self.change(body) if self.change else body
            if changed is None:
                made.delete(path)
            else:
                made.put(path, changed)
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.settings.items():
                patch.setenv(name, value())
            yield
        for path, body in bodies.items():
            made.put(path, body)


#: A secret that is wrong, and must be in no message.
WRONG = f"wrong-{secrets.token_hex(16)}"

DAYS = {
    "wrong keys": BadDay({"OS_SECRET_ACCESS_KEY": lambda: WRONG}),
    "store down": BadDay(
        {"OS_ENDPOINT_URL": lambda: f"https://127.0.0.1:{ports.free_ports(1)[0]}"}
    ),
    "unknown host": BadDay({"OS_ENDPOINT_URL": lambda: "https://no-such-host.invalid"}),
    "damaged": BadDay({}, lambda body: bytes([body[0] ^ 1]) + body[1:]),
    "missing": BadDay({}, lambda _: None),
}
