"""What the benchmarks share: a project with a store, the store further away, a file of results."""

import json
import os
import re
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

from dvc_bucket import Project, Settings
from dvc_bucket.base import ports
from dvc_bucket.base.files import private_folder
from dvc_bucket.connection import clients
from dvc_bucket.store.server import Server

CONFIG = """\
[core]
    remote = storage
    analytics = false
    check_update = false
[cache]
    type = "reflink,hardlink,symlink,copy"
['remote "storage"']
    url = s3://{bucket}/{prefix}
    endpointurl = {endpoint}
"""


#: The user that owns nothing.
NOBODY = 65534


class Bed:
    """A project of a benchmark's own in an empty folder, and a store for it that runs.

    Attributes:
        project: the project.
        settings: the connection to the store.
    """

    def __init__(self, root: Path) -> None:
        self.project = Project(root / "project")
        (self.project.root / ".dvc").mkdir(parents=True)
        endpoint = f"http://127.0.0.1:{ports.free_ports(1)[0]}"
        self.go_to(endpoint, "none")
        shutil.copy(Path(__file__).parents[2] / ".env.example", self.project.env_example)
        Server(self.project).start()
        self.settings = Settings.load(self.project)
        subprocess.run(["git", "init", "-q"], cwd=self.project.root, check=True)

    def stop(self) -> None:
        """End the store."""
        Server(self.project).stop()

    def go_to(self, endpoint: str, prefix: str) -> None:
        """Have `dvc` and `bucket` use the endpoint, and a prefix in the bucket."""
        text = CONFIG.format(bucket="research-data", prefix=prefix, endpoint=endpoint)
        self.project.dvc_config.write_text(text, encoding="utf-8")
        if self.project.env_file.exists():
            text = self.project.env_file.read_text(encoding="utf-8")
            text = re.sub(r"(?m)^OS_ENDPOINT_URL=.*", f"OS_ENDPOINT_URL={endpoint}", text)
            self.project.env_file.write_text(text, encoding="utf-8")

    def scratch(self) -> Path:
        """A new folder on the disk."""
        return Path(tempfile.mkdtemp(dir=self.project.root.parent))

    def empty(self, folder: Path) -> None:
        """Give room back without deleting: that slows whoever makes files next (see transfer)."""
        for path in folder.rglob("*"):
            if path.is_file():
                path.chmod(0o600)
                os.truncate(path, 0)

    def environment(self, endpoint: str) -> dict[str, str]:
        """For every client that is measured: the connection, and where the tools are."""
        settings = self.settings.model_copy(update={"endpoint_url": endpoint})
        return {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.project.root),
            "DVC_SITE_CACHE_DIR": str(private_folder(self.project.dvc_site_cache)),
            **clients.aws_environment(settings),
            **clients.s5cmd_environment(settings),
            **clients.rclone_environment(settings),
        }


class Traffic(NamedTuple):
    """What went over the wire: requests, and bytes that came back."""

    requests: int
    size: int


class Forwarder:
    """The proxy before a server, in a process of its own.

    Attributes:
        url: where it is.
    """

    def __init__(self, questions: IO[str], answers: IO[str], scheme: str) -> None:
        self._questions, self._answers = questions, answers
        self.url = f"{scheme}://127.0.0.1:{answers.readline().strip()}"
        self._faults: dict[str, Any] = {}

    def traffic(self) -> Traffic:
        """What went through since this or `faults` was called last."""
        return self.faults(**self._faults)

    def faults(self, **faults: Any) -> Traffic:
        """Have these faults from now on, as `Faults` of the tests' proxy; what went through."""
        self._faults = faults
        self._questions.write(json.dumps(faults) + "\n")
        self._questions.flush()
        return Traffic(*map(int, self._answers.readline().split()))


@contextmanager
def proxied(port: int, certificate: Path | None = None) -> Iterator[Forwarder]:
    """The server at `port` behind the proxy of the tests, with TLS if a certificate is given."""
    command = [sys.executable, "-m", "tests.stores.fault_proxy", str(port)]
    with subprocess.Popen(
        [*command, *map(str, filter(None, [certificate]))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
    ) as process:
        if not process.stdin or not process.stdout:
            raise ValueError("both are pipes")
        try:
            yield Forwarder(process.stdin, process.stdout, "https" if certificate else "http")
        finally:
            process.kill()


@contextmanager
def delayed(port: int, milliseconds: float) -> Iterator[Forwarder]:
    """The server at `port`, so much further away."""
    with proxied(port) as forwarder:
        forwarder.faults(latency=milliseconds / 1000)
        yield forwarder


def leave_root() -> None:
    """Start this process again as an ordinary user, if root runs it.

    Root writes through links into the cache, so DVC copies for root, and links for others. The user
    may read and write what root may: the interpreter, and the file of results.
    """
    if os.geteuid() == 0:
        user = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
        rights = ("--inh-caps=+dac_override", "--ambient-caps=+dac_override")
        os.execvp("setpriv", [*user, *rights, sys.executable, *sys.argv])  # noqa: S606


def conditions(rounds: int) -> str:
    """The command of this process and the machine, as the beginning of a sentence."""
    words, arguments = [f"benchmarks/{Path(sys.argv[0]).name}"], iter(sys.argv[1:])
    for word in arguments:
        if word == "--output":
            next(arguments, None)
        else:
            words.append(word)
    return (
        f"`python {shlex.join(words)}` in `toolkit/`, medians of {rounds} rounds on "
        f"{os.cpu_count()} cores, Python {sys.version.split()[0]}"
    )


def spread(values: Sequence[float], digits: int = 2) -> str:
    """The median, with the smallest and the largest if there are several."""
    low, middle, high = (
        f"{value:.{digits}f}" for value in (min(values), statistics.median(values), max(values))
    )
    return middle if len(values) == 1 else f"{middle} ({low}\N{EN DASH}{high})"


def put_section(file: Path, title: str, section: str, under: str = "") -> None:
    """Write the section into the file, in the place of the former one; the others stay.

    Args:
        file: of results; it is made if it is missing.
        title: the heading of the section, its first line.
        section: Markdown.
        under: for a subsection, what stands above it: a heading and its text.
    """
    text = file.read_text(encoding="utf-8") if file.exists() else "# Results\n"
    blocks = re.split(r"(?m)^(?=##+ )", text)
    titles = [block.partition("\n")[0] for block in blocks]
    heading = under.partition("\n")[0] or title
    start = titles.index(heading) if heading in titles else len(blocks)
    later = (at for at in range(start + 1, len(blocks)) if titles[at].startswith("## "))
    end = next(later, len(blocks))
    if under:
        inside = dict(zip(titles[start + 1 : end], blocks[start + 1 : end], strict=True))
        blocks[start:end] = [under, *(inside | {title: section}).values()]
    else:
        blocks[start:end] = [section]
    file.write_text("\n\n".join(block.strip() for block in blocks) + "\n", "utf-8")
