"""The product's commands: the words of each, and what they may rewrite. The place to adapt.

In the words, `{data}` is a file or folder that DVC can add, `{tracked}` a path that DVC tracks, and
`{target}` a folder for output. `{clone}` is the folder of the clone.
"""

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from tests.soak.campaign import hostile, needs
from tests.soak.campaign.inventory import Inventory, Place, md5
from tests.soak.campaign.ledger import Allowed, either, nothing, paths
from tests.soak.campaign.sandbox import Sandbox

#: Words of each command, one of which is chosen.
COMMANDS: dict[str, Sequence[str]] = {
    "add": ("bucket add {data}",),
    "push": ("bucket push", "bucket push --all-commits"),
    "pull": ("bucket pull", "bucket fetch", "bucket checkout", "bucket pull {tracked}"),
    "reproduce": ("bucket reproduce", "bucket reproduce --pull", "bucket repro sort"),
    "clean": ("bucket clean",),
    "gc": (
        "bucket gc --cloud --workspace --all-branches --all-tags --all-commits --force",
        "bucket gc --cloud --workspace --all-branches --all-tags --force --reflog",
        "bucket gc --cloud --workspace --force",
        "bucket gc --workspace --all-branches --all-tags --all-commits --force",
    ),
    "cp": (
        "bucket cp --parents {tracked} {target}",
        "bucket cp --parents {tracked} --rev HEAD {target}",
        "bucket cp --parents {tracked} {target} --force",
        "bucket cp --scratch {tracked}",
    ),
    "check": ("bucket check --here --no-causes",),
    "provenance": (
        "bucket provenance --out {target}",
        "bucket provenance --out {target} --with {tracked}",
        "bucket provenance --out {target} --zip",
    ),
    "lfs": (
        "git push -q --no-verify origin HEAD",
        "git push -q origin HEAD",
        "git lfs push --all origin",
        "git lfs pull",
    ),
    "prune": ("git lfs prune", "git lfs prune --verify-remote", "bucket lfs prune"),
    "hooks": (
        "bucket lfs setup",
        "bucket lfs setup --undo",
        "bucket verify --install-hook",
        "bucket secrets --install-hook",
    ),
    "verify": ("bucket verify", "bucket verify --deep --repair"),
}

#: How often each is chosen, against one another.
WEIGHTS: Mapping[str, int] = {"add": 5, "reproduce": 4, "check": 1, "prune": 1, "hooks": 1}
WEIGHT = 3

#: The seeded fault: in the place of `clean`, the rule that removed data which exists only once.
SEEDED: dict[str, Sequence[str]] = {"clean": ("rm -rf data/raw data/interim data/processed",)}

#: Where output may go: new, used before, full of the user's own files, or the project itself.
TARGETS = (
    "{out}/new",
    "{out}/again",
    "{out}/kept",
    "{victim}",
    "{clone}",
    "{clone}/data/raw",
    "{clone}/data/raw/link",
    "{clone}/out",
    ".",
    "..",
)


@dataclass(frozen=True)
class Command:
    """A command of the product, ready to run in the clone.

    Attributes:
        name: in the table.
        words: of the command line.
        target: the folder for output; None where there is none.
    """

    name: str
    words: Sequence[str]
    target: Path | None = None

    def allowed(self, box: Sandbox, before: Inventory, written: Mapping[str, str]) -> Allowed:
        """What it may lose.

        Args:
            box: the sandbox.
            before: it.
            written: hashes of files that earlier commands wrote to output folders, by path.
        """
        if self.name == "add":
            return paths("clone/*.dvc", "clone/*.gitignore")
        if self.name == "reproduce":
            rewritten = paths("clone/*.dvc", "clone/*.gitignore", "clone/dvc.lock")
            return either(rewritten, _outputs(box))
        if self.name == "gc":
            reflog = "--reflog" in self.words
            needed = needs.needed(box.clone, before.objects(), reflog=reflog)
            return lambda name, place: (
                place.kind == "dvc"
                and not place.path.startswith("other/")
                and md5(before.contents[name]) not in needed
            )
        if self.words[:3] == ["git", "lfs", "prune"]:
            is_set_up = box.run("git", "config", "--get-regexp", "standalonetransferagent")
            kept = needs.in_branches(box.clone) if is_set_up else frozenset()
            return lambda name, place: place.kind == "lfs" and name not in kept
        if self.name in {"cp", "provenance"}:
            forced = self._forced(box) if "--force" in self.words else nothing
            return either(
                forced, lambda name, place: place.kind == "file" and written.get(place.path) == name
            )
        return nothing

    def _forced(self, box: Sandbox) -> Allowed:
        """Files that `cp --force` may replace: those of the names, if nothing tracks them."""
        assert self.target
        listed = box.run("git", "ls-files", "-z").split("\0")
        tracked = {f"clone/{name}" for name in listed} | _declared_paths(box)
        root = os.path.relpath(self.target.resolve(), box.root)
        wanted = os.path.normpath(f"{root}/{self.words[2]}")

        def rule(_: str, place: Place) -> bool:
            below = place.path == wanted or place.path.startswith(f"{wanted}/")
            return place.kind == "file" and below and not _is_below(place.path, tracked)

        return rule


def make(name: str, box: Sandbox, random: Random, table: Mapping[str, Sequence[str]]) -> Command:
    """A command with its placeholders filled."""
    target = random.choice(TARGETS).format(
        out=box.root / "out", victim=box.root / "victim", clone=box.clone
    )
    filled = {"{data}": _data(box, random), "{tracked}": _tracked(box, random), "{target}": target}
    pattern = shlex.split(random.choice(list(table[name])))
    words = [filled.get(word, word) for word in pattern]
    if "{target}" in pattern:
        return Command(name, words, box.clone / target)
    return Command(name, words, box.root / "scratch" if name == "cp" else None)


def weight(name: str) -> int:
    return WEIGHTS.get(name, WEIGHT)


def _data(box: Sandbox, random: Random) -> str:
    """A file or folder below `data/raw`, often the newest, as DVC wants it on a command line."""
    found = sorted((box.clone / "data" / "raw").rglob("*"))
    data = [path for path in found if not path.name.endswith((".dvc", ".gitignore"))]
    newest = max(data, key=lambda path: path.lstat().st_mtime, default=None)
    chosen = newest if random.random() < 0.4 else random.choice(data) if data else None
    return os.fspath(chosen.relative_to(box.clone)) if chosen else "todo.txt"


def _tracked(box: Sandbox, random: Random) -> str:
    if (box.clone / f"{hostile.NAME}.dvc").exists():
        return hostile.NAME
    known = ["data/raw/one.csv", "data/raw/images", "data/interim/sorted.csv", "data", "reports"]
    files = sorted((box.clone / "data" / "raw").rglob("*.dvc"))
    known += [os.fspath(path.relative_to(box.clone)).removesuffix(".dvc") for path in files]
    return random.choice(known)


def _outputs(box: Sandbox) -> Allowed:
    """Outputs of the stages of the clone, which a run replaces."""
    found = {
        os.path.relpath(box.clone / out, box.root)
        for name in ("dvc.yaml", "dvc.lock")
        for out in _declared(box.clone / name)
    }
    return lambda _, place: place.kind == "file" and _is_below(place.path, found)


def _declared_paths(box: Sandbox) -> set[str]:
    """What DVC tracks in the clone: outputs of stages, and the paths of `.dvc` files."""
    found = {f"clone/{out}" for out in _declared(box.clone / "dvc.yaml")}
    files = (box.clone / "data").rglob("*.dvc")
    return found | {os.fspath(path.with_suffix("").relative_to(box.root)) for path in files}


def _is_below(path: str, folders: set[str]) -> bool:
    return path in folders or path.startswith(tuple(f"{folder}/" for folder in folders))


def _declared(path: Path) -> list[str]:
    try:
        read: Any = YAML(typ="safe").load(path.read_bytes())
    except (OSError, YAMLError):
        return []
    stages = (read or {}).get("stages") or {}
    outs = [out for stage in stages.values() for out in stage.get("outs") or []]
    return [
        out if isinstance(out, str) else out.get("path", next(iter(out))) for out in outs if out
    ]
