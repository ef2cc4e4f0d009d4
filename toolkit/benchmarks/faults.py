"""Moving data on a bad day: `bucket`, plain `dvc`, `s5cmd` and `rclone` behind one proxy.

Claim: `bucket push` and `pull` succeed in all of this weather, and take at most 1.2 times what the
fastest takes that succeeds, plus the start of Python and DVC. Each tool has its own settings.
The proxy is that of the tests, with TLS; every tool meets the same faults at the same numbers of
its requests. Afterwards the bytes of every file are compared.

    python benchmarks/faults.py --output benchmarks/RESULTS.md

measures all of it, five rounds, and writes the section after each kind of weather, so that what was
measured stays if it is stopped. The sum of all commands of a round was 21 minutes on two cores with
other work for ten; the machine is to have none.
"""

import hashlib
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import obstore
import trustme
import typer
from measuring import Bed, Forwarder, conditions, proxied, put_section

from dvc_bucket.connection import clients

TITLE = "## A bad day"

TOOLS = ("bucket", "dvc", "s5cmd", "rclone")
OPERATIONS = ("push", "pull")

#: The weather, in the words of the tests' proxy.
WEATHER: dict[str, dict[str, Any]] = {
    "every 5th 503": {"kind": "status", "every": 5},
    "every 5th 429": {"kind": "status", "every": 5, "status": 429},
    "5 s of 503 in 20": {"kind": "status", "burst": [5, 20]},
    "30 s down": {"down": [50, 30]},
    "every 20th reset": {"kind": "reset", "every": 20},
    "every 10th body cut": {"kind": "cut", "every": 10},
    "2 MB/s": {"rate": 2_000_000},
    "200 ms": {"latency": 0.2},
}

#: The files: how many, and bytes of each.
SMALL, LARGE = (800, 4096), (8, 3_000_000)

#: Seconds after which a tool is stopped, and has failed.
PATIENCE = 300

#: Flags of rclone: as in `transfer`, as it otherwise moves 4 files at a time.
RCLONE = ["--transfers", "32", "--checkers", "32", "--config", os.devnull, "--no-check-dest"]


class Outcome(NamedTuple):
    """How a tool fared: seconds and requests; whether every byte arrived."""

    is_right: bool
    seconds: float
    requests: int


class Bench(Bed):
    """A project, its store behind a proxy, and how each tool moves its data."""

    def __init__(self, root: Path, scale: float) -> None:
        super().__init__(root)
        authority = trustme.CA()
        self.certificate, self.bundle = root / "certificate.pem", root / "authority.pem"
        issued = authority.issue_cert("127.0.0.1", "localhost")
        self.certificate.write_bytes(issued.private_key_and_cert_chain_pem.bytes())
        self.bundle.write_bytes(authority.cert_pem.bytes())
        self._root, self._round = root, 0
        self.data, self.cache = self.project.root / "data", self.project.root / ".dvc" / "cache"
        self.data.mkdir()
        for count, size in (SMALL, LARGE):
            for number in range(max(1, int(count * scale))):
                (self.data / f"{size}-{number}").write_bytes(os.urandom(size))
        self._run(["dvc", "add", "-q", "data"], self.settings.endpoint_url)
        self._files = contents(self.data)
        self._objects = contents(self.cache / "files" / "md5")

    def measure(self, tool: str, proxy: Forwarder, weather: Mapping[str, Any]) -> list[Outcome]:
        """A push to an empty prefix, and a pull into an empty clone."""
        self._round += 1
        prefix = f"round-{self._round}"
        self.go_to(proxy.url, prefix)
        there, here = (
            f"{self.settings.bucket_name}/{prefix}/files/md5",
            self.cache / "files" / "md5",
        )
        fetched = self._root / prefix
        commands = {
            "bucket": (["bucket", "push", "-q"], ["bucket", "pull", "-q"]),
            "dvc": (["dvc", "push", "-q"], ["dvc", "pull", "-q"]),
            "s5cmd": (
                ["s5cmd", "cp", f"{here}/", f"s3://{there}/"],
                ["s5cmd", "cp", f"s3://{there}/*", f"{fetched}/"],
            ),
            "rclone": (
                ["rclone", "copy", *RCLONE, str(here), f"{clients.ALIAS}:{there}"],
                ["rclone", "copy", *RCLONE, f"{clients.ALIAS}:{there}", str(fetched)],
            ),
        }
        up, down = commands[tool]
        pushed = self._tried(up, proxy, weather, lambda: self._sent(prefix) == self._objects)
        self._fill(prefix)
        if tool in {"s5cmd", "rclone"}:
            pulled = self._tried(down, proxy, weather, lambda: contents(fetched) == self._objects)
        else:
            aside = Path(tempfile.mkdtemp(dir=self._root))
            for folder in (self.cache, self.data, self.project.dvc_site_cache):
                if folder.exists():
                    folder.rename(aside / folder.name)
            pulled = self._tried(down, proxy, weather, lambda: contents(self.data) == self._files)
            for folder in (self.cache, self.data):
                shutil.rmtree(folder, ignore_errors=True)
                (aside / folder.name).rename(folder)
        return [pushed, pulled]

    def environment(self, endpoint: str) -> dict[str, str]:
        """With the authority that vouches for the proxy."""
        trusting = {"ca_bundle": str(self.bundle)} if endpoint.startswith("https") else {}
        settings = self.settings
        self.settings = settings.model_copy(update=trusting)
        try:
            own = {"OS_CACERT": str(self.bundle)} if trusting else {}
            return super().environment(endpoint) | own
        finally:
            self.settings = settings

    def _run(self, command: list[str], endpoint: str) -> int:
        environment = self.environment(endpoint)
        try:
            return subprocess.run(
                command,
                cwd=self.project.root,
                env=environment,
                capture_output=True,
                timeout=PATIENCE,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            return -1

    def _tried(
        self,
        command: list[str],
        proxy: Forwarder,
        weather: Mapping[str, Any],
        is_right: Callable[[], bool],
    ) -> Outcome:
        proxy.faults(**weather)
        start = time.perf_counter()
        status = self._run(command, proxy.url)
        seconds = time.perf_counter() - start
        requests = proxy.faults().requests
        return Outcome(status == 0 and is_right(), seconds, requests)

    def _sent(self, prefix: str) -> dict[str, str]:
        """The MD5 of every object below a prefix, read from the store itself."""
        store, root = self.settings.obstore(), f"{prefix}/files/md5/"
        return {
            item["path"].removeprefix(root): md5(bytes(obstore.get(store, item["path"]).bytes()))
            for batch in obstore.list(store, root)
            for item in batch
        }

    def _fill(self, prefix: str) -> None:
        """Have everything there for the pull, whatever the push has left out."""
        store, root = self.settings.obstore(), self.cache / "files" / "md5"
        for name in self._objects.keys() - self._sent(prefix).keys():
            obstore.put(store, f"{prefix}/files/md5/{name}", (root / name).read_bytes())


def md5(body: bytes) -> str:
    """The hash by which files are compared."""
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


def contents(folder: Path) -> dict[str, str]:
    """The MD5 of every file in a folder, by its path there."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): md5(path.read_bytes()) for path in files}


#: The outcomes of all rounds, by weather, operation and tool.
Outcomes = dict[tuple[str, str, str], list[Outcome]]


def rows_of(outcomes: Outcomes, names: Sequence[str], tools: Sequence[str]) -> Iterator[str]:
    """The lines of the table: medians, and their ratio to the fastest of those that succeeded."""
    for name in names:
        for operation in OPERATIONS:
            of = {tool: outcomes[name, operation, tool] for tool in tools}
            right = {tool: all(one.is_right for one in found) for tool, found in of.items()}
            walls = {
                tool: statistics.median(one.seconds for one in found) for tool, found in of.items()
            }
            fastest = min((walls[tool] for tool in tools if right[tool]), default=0.0)
            for tool, found in of.items():
                good = sum(one.is_right for one in found)
                ratio = f"{walls[tool] / fastest:.2f}" if right[tool] else ""
                requests = statistics.median(one.requests for one in found)
                yield (
                    f"| {name} | {operation} | {tool} | {good} of {len(found)} "
                    f"| {walls[tool]:.1f} | {ratio} | {requests:,.0f} |"
                )


def main(
    rounds: Annotated[int, typer.Option(help="How often each tool runs.")] = 5,
    weather: Annotated[str, typer.Option(help="Some of it, with commas.")] = ",".join(WEATHER),
    tools: Annotated[str, typer.Option(help="Some of them, with commas.")] = ",".join(TOOLS),
    scale: Annotated[float, typer.Option(help="A part of the files, to try it out.")] = 1.0,
    output: Annotated[Path | None, typer.Option(help="Write the section there, too.")] = None,
) -> None:
    """Measure, and print the medians as a section in Markdown."""
    names, chosen, outcomes = weather.split(","), tools.split(","), Outcomes()
    lines = [
        TITLE,
        "",
        f"{conditions(rounds)}: {SMALL[0]} files of {SMALL[1]} bytes and {LARGE[0]} of "
        f"{LARGE[1] / 1e6:g} MB, the embedded store behind a proxy with TLS and faults. Each tool "
        "has the settings it comes with, but rclone 32 transfers at a time. `right`: rounds that "
        "ended with status 0 and every byte in its place; requests: those that reached the proxy."
        + ("" if scale == 1 else f" Of the files only {scale:g} was moved."),
        "",
        "| weather | operation | tool | right | wall, s | of the fastest | requests |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    show: Callable[[str], None] = print
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), scale)
        try:
            for name in names:
                with proxied(bench.settings.port, bench.certificate) as proxy:
                    for number in range(rounds):
                        turn = number % len(chosen)
                        for tool in (*chosen[turn:], *chosen[:turn]):
                            faults = WEATHER[name] | {"seed": number}
                            found = bench.measure(tool, proxy, faults)
                            for operation, outcome in zip(OPERATIONS, found, strict=True):
                                outcomes.setdefault((name, operation, tool), []).append(outcome)
                lines += rows_of(outcomes, [name], chosen)
                show("\n".join(lines[-2 * len(chosen) :]))
                if output:
                    put_section(output, TITLE, "\n".join(lines))
        finally:
            bench.stop()


if __name__ == "__main__":
    typer.run(main)
