"""Break a set-up in every way that the tests know, and write down what DVC and the doctor say.

`python -m tests.doctor.table docs/doctor.md` puts the table between the two marks of that page.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from dvc_bucket.base.files import private_folder
from tests.doctor.case import TOOLS, Case, SetUp, World, person
from tests.doctor.set_ups import SET_UPS
from tests.doctor.weed import Weed
from tests.stores.swift import Swift
from tests.stores.tls import Authority

BEGIN, END = "<!-- begin: made by `make -C toolkit broken` -->\n", "<!-- end -->\n"

#: As long as a person waits before giving up.
SECONDS = 60

#: Longest cell of the table.
CELL = 300

#: Set-ups that are broken at a time: most of them wait for Python to import.
AT_ONCE = 3


@dataclass(frozen=True)
class Row:
    set_up: str
    dvc: str
    doctor: str


class UnfitOutput(Exception):  # noqa: N818
    """A traceback, a secret, or the wrong finding."""


def row(set_up: SetUp, case: Case) -> Row:
    """Run both for real in a broken project."""
    with case:
        set_up.make(case)
        dvc = _run(case, *_plain_dvc(case))
        doctor = _run(case, str(TOOLS / "bucket"), "doctor")
    for output in (dvc, doctor):
        if any(secret in output for secret in case.secrets):
            raise UnfitOutput(f"{set_up.name}: an output has a secret")
    if "Traceback" in doctor or "the check itself failed" in doctor or set_up.says not in doctor:
        raise UnfitOutput(f"{set_up.name}: {doctor}")
    return Row(set_up.name, _cell(case, _said_by_dvc(dvc)), _cell(case, _said_by_doctor(doctor)))


def _plain_dvc(case: Case) -> tuple[str, ...]:
    """`dvc push` as somebody types it who has `.env`, or not."""
    dotenv = (str(TOOLS / "dotenv"), "run", "--") if case.project.env_file.exists() else ()
    return (*dotenv, str(TOOLS / "dvc"), "push")


def _run(case: Case, *command: str) -> str:
    """Everything that a command says, in the person's environment."""
    environment = person(case) | {
        "DVC_SITE_CACHE_DIR": str(private_folder(case.project.dvc_site_cache)),
        "PATH": f"{TOOLS}:{person(case)['PATH']}",
    }
    try:
        done = subprocess.run(
            command,
            cwd=case.project.root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"(nothing for {SECONDS} s)"
    return done.stdout


def _said_by_dvc(output: str) -> str:
    """Its errors, or its last line where it has none."""
    lines = [line.strip() for line in re.split(r"[\r\n]", output) if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    named = [line for line in errors if not line.startswith("failed to push data to")] or errors
    if named:
        return " / ".join(dict.fromkeys(named))
    kind = "(traceback) " if any(line.startswith("Traceback") for line in lines) else ""
    return kind + lines[-1] if lines else "(nothing)"


def _said_by_doctor(output: str) -> str:
    """The rows of its table that are not well."""
    rows = re.findall(r"^(FAILED|warning) +(\S.*?)  +(.*)$", output, re.MULTILINE)
    return "; ".join(f"**{name}**: {found}" for _, name, found in rows) or "all is well"


def _cell(case: Case, text: str) -> str:
    """Without what is another thing on another machine or the next day, and fit for a table."""
    for path, name in ((case.project.root, "CLONE"), (case.world.folder, "FOLDER")):
        text = text.replace(str(path), name)
    text = re.sub(r"(127\.0\.0\.1|localhost|store\.example):\d+", r"\1:PORT", text)
    text = re.sub(rf"\b{case.prefix}\b", "PREFIX", text)
    text = re.sub(r"\bcommit [0-9a-f]{7,}", "commit ID", text)
    text = re.sub(r"/[0-9a-f]{2}/[0-9a-f]{30}\b", "/HASH", text)
    text = re.sub(r"\b[0-9a-f]{32}\b", "HASH", text)
    text = re.sub(r"0x[0-9a-f]+", "0x...", text)
    text = re.sub(r" ?\(_ssl\.c:\d+\)", "", text)  # a line of Python's own source
    text = re.sub(r"\s+", " ", text).replace("|", "\\|").replace("<", "&lt;").strip()
    return text if len(text) <= CELL else f"{text[:CELL].rstrip()} ..."


def table(rows: list[Row]) -> str:
    """As Markdown."""
    lines = ["| what is wrong | `dvc push` says | `bucket doctor` says |", "| --- | --- | --- |"]
    return "\n".join(
        [*lines, *(f"| {row.set_up} | {row.dvc} | {row.doctor} |" for row in rows), ""]
    )


def make_rows(folder: Path, wanted: str) -> list[Row]:
    """Start both stores, break a project in each way, and stop them."""
    folder.joinpath("authority").mkdir()
    authority = Authority(folder / "authority")
    set_ups = [set_up for set_up in SET_UPS if wanted in set_up.name]
    with (
        Swift(folder / "swift") as swift,
        Weed(folder / "weed") as weed,
        World(folder, swift, weed, authority) as world,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        world.add_data()
        world.commit()

        def one(set_up: SetUp) -> Row | None:
            try:
                return row(set_up, world.case())
            except Exception:
                traceback.print_exc()
                return None
            finally:
                print(set_up.name, file=sys.stderr)

        rows = list(pool.map(one, set_ups))
    missing = rows.count(None)
    if missing:
        raise UnfitOutput(f"{missing} of {len(rows)} set-ups: see above")
    return [found for found in rows if found]


def main() -> None:
    """Write the page, or print the table."""
    parser = argparse.ArgumentParser(description="Break a set-up in every way, and tell.")
    parser.add_argument("page", type=Path, nargs="?", help="page with the two marks")
    parser.add_argument("--only", default="", help="set-ups whose name has this")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="broken-") as folder:
        text = table(make_rows(Path(folder).resolve(), options.only))
    if options.page is None or options.only:
        print(text)
        return
    before, _, rest = options.page.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    options.page.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
