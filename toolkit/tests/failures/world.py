"""A project, its store and its machine on bad days, in which commands run; how they must end."""

import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import yaml  # type: ignore[import-untyped]
from hypothesis import strategies as st

from dvc_bucket import Project, Settings
from dvc_bucket.cli.dvc_words import WORDS as OF_DVC
from tests.failures import hostile
from tests.failures.runner import Ended, Runner
from tests.stores.access import StoreAccess
from tests.stores.fault_proxy import FaultProxy
from tests.stores.faults import Faults
from tests.verify.published import Published, empty, s3

#: Statuses of our words; and of DVC's, which has more of them.
OURS = {0, 1, 2, 3}
DVCS = OURS | {130, 141, *range(250, 256)}

#: What no output has: Python's words, ours for a fault of ours, those of a client or of a store.
NEVER = ("Traceback (most", "a fault of dvc-bucket", "<?xml", "<Error>", "Debug source", "panicked")

#: What is left where a file was only half written.
HALF = re.compile(r".*\.tmp|\..*\.[0-9a-f]{16}|\.crate-.*|\.bucket-scratch-.*")

FLOW = """\
stages:
  copy:
    cmd: cp data.csv out.csv
    deps: [data.csv]
    outs: [out.csv]
"""


@dataclass(frozen=True)
class World:
    """A project whose data was pushed, the proxy before its store, and what runs commands."""

    made: Published
    proxy: FaultProxy
    runner: Runner

    def environment(self, folder: Path, changes: Mapping[str, str | None]) -> dict[str, str]:
        own = self.made.clone.environment | {"HOME": str(folder), "OS_RETRY_SECONDS": "1"}
        return {name: value for name, value in {**own, **changes}.items() if value is not None}


@contextmanager
def opened(store: Project, folder: Path) -> Iterator[World]:
    """The project, pushed through a proxy to the store of another one."""
    inner = Settings.load(store)
    with FaultProxy(inner.port) as proxy, Runner() as runner:
        through = StoreAccess.through("seaweed", proxy.url, inner, Path())
        made = empty(folder / "project", through)
        lines = made.project.env_file.read_text().splitlines(keepends=True)
        made.project.env_file.write_text("".join(lines[:-1]))  # no TLS
        (made.root / "data.csv").write_text("a,b\n1,2\n")
        (made.root / "many").mkdir()
        for number in range(3):
            (made.root / "many" / f"{number}.txt").write_text(f"{number}\n")
        (made.root / "dvc.yaml").write_text(FLOW)
        (made.root / "CITATION.cff").write_text("cff-version: 1.2.0\ntitle: A\nlicense: MIT\n")
        made.dvc("add", "data.csv", "many")
        made.commit("Data")
        made.dvc("repro")
        made.commit("Results")
        made.dvc("push")
        yield World(made, proxy, runner)


def apply(mutation: Any, made: Published, root: Path) -> None:
    """Change a copy of the project."""
    if isinstance(mutation, hostile.Listed):
        s3(made.store).close()  # what the weather before may have left of its connections
        made.put(f"files/md5/{mutation.oid[:2]}/{mutation.oid[2:]}", mutation.content)
        text = f"outs:\n- md5: {mutation.oid}\n  size: 6\n  nfiles: 3\n  hash: md5\n  path: many\n"
        (root / "many.dvc").write_text(text)
        shutil.rmtree(root / "many", ignore_errors=True)
        return
    try:
        path = root / mutation.path.lstrip("/")
        assert root.resolve() in path.resolve().parents
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(mutation, hostile.Rewritten):
            path.unlink(missing_ok=True)
            path.write_bytes(mutation.content)
        elif isinstance(mutation, hostile.Changed):
            path.write_text(changed(path, mutation))
        else:
            place(path, mutation.kind)
    except (OSError, ValueError, RuntimeError, AssertionError):
        return  # there can be no such file


def changed(path: Path, mutation: hostile.Changed) -> str:
    """A file in which one value is another."""
    text = path.read_text()
    if path.suffix not in {".dvc", ".yaml", ".lock", ".cff"}:
        lines = text.splitlines() or [""]
        at = mutation.place % len(lines)
        lines[at] = f"{re.split('[=]', lines[at])[0]}={mutation.value}"
        return "\n".join(lines) + "\n"
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError:
        document = None
    if not isinstance(document, list | dict):  # an earlier change left no values
        return text
    places = list(places_in(document))
    if not places:
        return text
    holder, key = places[mutation.place % len(places)]
    holder[key] = mutation.value
    return str(yaml.safe_dump(document))


def places_in(document: Any) -> Iterator[tuple[Any, Any]]:
    """Each place of a value in lists and dictionaries."""
    keys = range(len(document)) if isinstance(document, list) else list(document)
    for key in keys:
        yield document, key
        if isinstance(document[key], list | dict):
            yield from places_in(document[key])


def place(path: Path, kind: str) -> None:
    """Put something at a path."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    if kind == "file":
        path.write_text("1\n")
    elif kind == "folder":
        path.mkdir()
    elif kind != "gone":
        path.symlink_to(path.name if kind == "link to itself" else "nowhere")


def faults_of(ended: Ended, word: str, root: Path, secrets: set[str]) -> list[str]:
    """What is wrong with the end of a command."""
    wrong = [words for words in NEVER if words in ended.output]
    if ended.status not in (DVCS if word in OF_DVC else OURS):
        wrong.append(f"status {ended.status}")
    if any(secret in ended.output for secret in secrets):
        wrong.append("a secret")
    names = [path.name for path in root.rglob("*") if ".git" not in path.parts]
    return wrong + [name for name in names if HALF.fullmatch(name)]


class Example(NamedTuple):
    """What a command meets.

    Attributes:
        words: the command, with `{}` for the subject, and OUT for a new path.
        subject: a name.
        mutations: of the project.
        variables: of the environment; None for one that is not set.
        weather: of the store.
        largest: bytes that a file can have; -1 for any.
        is_empty: nothing of the data is here.
    """

    words: str
    subject: str = ""
    mutations: Sequence[Any] = ()
    variables: Mapping[str, str | None] = {}
    weather: Faults = Faults()
    largest: int = -1
    is_empty: bool = True

    def line(self, out: str) -> list[str]:
        """The words of the command."""
        words = [word.replace("{}", self.subject) for word in self.words.split()]
        return [out if word == "OUT" else word for word in words]


EXAMPLES = st.builds(
    Example,
    words=hostile.WORDS,
    subject=hostile.SUBJECTS.filter(lambda name: "\0" not in name),
    mutations=st.lists(hostile.MUTATIONS, max_size=2),
    variables=hostile.VARIABLES,
    weather=hostile.WEATHER,
    largest=st.sampled_from([-1, -1, -1, -1, 0, 500, 50_000]),
    is_empty=st.booleans(),
)


def wrong(world: World, example: Example, *never: str) -> list[str]:
    """Run a command; what is wrong with its end.

    Args:
        world: where.
        example: which, and what it meets.
        never: words that its output must not have, either.
    """
    out = Path(tempfile.mkdtemp(prefix="hostile-"))
    try:
        root, world.proxy.faults = out / "project", Faults()
        shutil.copytree(world.made.root, root, symlinks=True)
        if example.is_empty:
            for path in (".dvc/cache", "data.csv", "many", "out.csv", "big.bin"):
                place(root / path, "gone")
        for mutation in example.mutations:
            apply(mutation, world.made, root)
        line = example.line(str(out / "out"))
        world.proxy.faults = example.weather
        ended = world.runner.run(
            root, line, world.environment(out, example.variables), 60, example.largest
        )
        print(f"{line} ended with {ended.status} after {ended.seconds:.1f} s:\n{ended.output}")
        secret = world.made.store.secret_access_key
        found = faults_of(ended, line[0], out, {secret})
        return found + [word for word in never if word in ended.output]
    finally:
        shutil.rmtree(out, ignore_errors=True)
