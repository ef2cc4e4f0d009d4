"""Steps of the user's own, a colleague's and a hostile writer's: what they do, and give up."""

import os
import unicodedata
from collections.abc import Callable
from pathlib import Path
from random import Random

from tests.soak.campaign.inventory import USERS_HOOK
from tests.soak.campaign.ledger import Allowed, either, exactly, index_of, nothing
from tests.soak.campaign.sandbox import Sandbox

#: Names that programs trip over.
HOSTILE_NAMES = (
    "with space.csv",
    "-rf",
    "--force.csv",
    "new\nline.csv",
    "tab\there.csv",
    unicodedata.normalize("NFC", "caf\u00e9.csv"),
    unicodedata.normalize("NFD", "caf\u00e9.csv"),
    "$(touch owned).csv",
    'it\'s; "quoted".csv',
    "back\\slash.csv",
    "\x1b[31mred.csv",
    "*.csv",
    "#hash.csv",
    "100%25.csv",
    ".hidden",
    "trailing ",
    "ro-crate-metadata.json",
    "n" * 200,
)

#: Where the user puts files: below DVC's folders, outputs of stages, git's, and outside.
FOLDERS = (
    "clone/data/raw",
    "clone/data/raw/images",
    "clone/data/raw/deep/er",
    "clone/data/interim",
    "clone/data/processed/parts",
    "clone/reports",
    "clone/large",
    "clone",
    "victim",
    "out/kept",
)

#: A step: it is done, and tells what it gave up.
Doing = Callable[[Sandbox, Random], Allowed]


def _content(random: Random) -> str:
    return f"{random.getrandbits(64):x}\n" * random.choice((1, 3, 2000))


def write(box: Sandbox, random: Random) -> Allowed:
    """A new file; half of them have a hostile name."""
    plain = f"file-{random.getrandbits(24):x}.csv"
    name = random.choice(HOSTILE_NAMES) if random.random() < 0.5 else plain
    folder = box.root / random.choice(FOLDERS)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    gives_up = _given_up(box, path)
    if not path.is_symlink() and not path.is_dir():
        path.unlink(missing_ok=True)
        path.write_text(_content(random))
    return gives_up


def edit(box: Sandbox, random: Random) -> Allowed:
    """A file gets more bytes, in place or by a new file of its name."""
    path = _any_file(box, random)
    if path is None:
        return nothing
    gives_up, content = _given_up(box, path), path.read_bytes()
    added = _content(random).encode()
    if random.random() < 0.5:
        with path.open("ab") as file:
            file.write(added)
    else:
        path.unlink()
        path.write_bytes(content + added)
    return gives_up


def remove(box: Sandbox, random: Random) -> Allowed:
    """A file of the clone goes; a copy in the cache or the bucket stays."""
    path = _any_file(box, random)
    if path is None:
        return nothing
    gives_up = _given_up(box, path)
    path.unlink()
    return gives_up


def edit_data(box: Sandbox, random: Random) -> Allowed:
    """A file that DVC tracks gets more bytes, in place: the cache must keep the old version."""
    files = _added(box)
    if not files:
        return nothing
    path = random.choice(files)
    with path.open("ab") as file:
        file.write(_content(random).encode())
    return _given_up(box, path)


def unfinished(box: Sandbox, random: Random) -> Allowed:
    """Another version of the data, known to DVC, goes to the stash before it is committed."""
    files = _added(box)
    if not files:
        return nothing
    path = random.choice(files)
    gives_up, content = _given_up(box, path), path.read_bytes()
    path.unlink()
    path.write_bytes(content + _content(random).encode())
    names = [os.fspath(path.relative_to(box.clone)) + ".dvc" for path in files]
    box.run("bucket", "commit", "-q", "--force", *names)
    if random.random() < 0.5:
        box.run("bucket", "push", "-q")
    box.run("git", "stash", "-q")
    box.run("bucket", "checkout", "-q")
    rewritten = exactly(f"clone/{name}" for name in names)
    return either(gives_up, rewritten, index_of("clone"))


def film(box: Sandbox, random: Random) -> Allowed:
    """Another version of the file in Git LFS, committed and often pushed."""
    path = box.clone / "large" / "film.bin"
    if not path.parent.is_dir():
        return nothing
    gives_up = _given_up(box, path)
    path.write_text(_content(random))
    box.run("git", "add", "--all")
    box.run("git", "commit", "-q", "--no-verify", "-m", "Another film")
    if random.random() < 0.8:
        box.run("git", "push", "-q", "origin", "HEAD")
    return either(gives_up, index_of("clone"))


def link(box: Sandbox, random: Random) -> Allowed:
    """A symbolic link to the user's folder outside, or to a file there."""
    where = random.choice(("clone/data/raw/link", "clone/out", "out/kept/data", "scratch/clone"))
    target = random.choice((box.root / "victim", box.root / "victim" / "thesis.txt"))
    path = box.root / where
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() and not path.is_symlink():
        path.symlink_to(target)
    return nothing


def hook(box: Sandbox, random: Random) -> Allowed:
    """A hook of the user's, whose comment names the command that installs ours."""
    path = box.clone / ".git" / "hooks" / random.choice(("commit-msg", "pre-push"))
    if path.exists() or path.with_name(f"{path.name}.local").exists():
        return nothing
    text = b"# The team's one: `bucket secrets --install-hook`, `bucket verify --install-hook`\n"
    path.write_bytes(b"#!/bin/sh\n" + USERS_HOOK + text + _content(random).encode()[:20])
    path.chmod(0o755)
    return nothing


def stages(box: Sandbox, random: Random) -> Allowed:
    """A stage whose output is outside the clone, or stays between runs."""
    path = box.clone / "dvc.yaml"
    gives_up = _given_up(box, path)
    out = random.choice((str(box.root / "victim" / "model.txt"), "data/interim/model.txt"))
    name = f"model{random.getrandbits(16):x}"
    text = f"  {name}:\n    cmd: date +%N >>{out}\n"
    text += f"    outs:\n      - {out}:\n          persist: true\n"
    known = path.read_text()
    if out not in known:
        path.write_text(known + text)
    return gives_up


def commit(box: Sandbox, random: Random) -> Allowed:
    """All that git takes, as a commit, sometimes in the place of the last one."""
    box.run("git", "add", "--all")
    amend = ["--amend"] if random.random() < 0.3 else []
    box.run("git", "commit", "-q", "--no-verify", "-m", "A change", *amend)
    return index_of("clone")


def stash(box: Sandbox, random: Random) -> Allowed:
    """What is not committed goes to the stash, or comes back."""
    put = (("git", "stash", "-q"), ("git", "stash", "-q", "--include-untracked"))
    words = ("git", "stash", "pop", "-q") if random.random() < 0.3 else random.choice(put)
    box.run(*words)
    return index_of("clone")


def branch(box: Sandbox, random: Random) -> Allowed:
    """Another branch: a new one, or back to the main one."""
    new = ("git", "switch", "-q", "-c", f"topic-{random.getrandbits(16):x}")
    box.run(*(new if random.random() < 0.6 else ("git", "switch", "-q", "main")))
    return index_of("clone")


def work_tree(box: Sandbox, random: Random) -> Allowed:
    """A second work tree with a version of the data that only its index has."""
    tree = box.root / "tree"
    if tree.exists():
        return nothing
    box.run("git", "worktree", "add", "-q", "--detach", str(tree))
    table = tree / "data/raw/one.csv"
    table.parent.mkdir(parents=True, exist_ok=True)
    table.write_text(_content(random))
    cache = box.clone / ".dvc" / "cache"
    box.run("bucket", "cache", "dir", "--local", str(cache), folder="tree")
    box.run("dvc", "add", "-q", "data/raw/one.csv", folder="tree")
    box.run("git", "add", "--all", folder="tree")
    table.unlink()
    return either(index_of("clone"), exactly(["tree/data/raw/one.csv.dvc"]))


def colleague(box: Sandbox, random: Random) -> Allowed:
    """Data that a colleague adds and pushes, and that the user gets by `git pull`."""
    other = box.colleague()
    name = f"data/raw/theirs-{random.getrandbits(24):x}.csv"
    (other / name).write_text(_content(random))
    for words in (
        ("git", "pull", "-q", "--rebase"),
        ("bucket", "add", "-q", name),
        ("git", "add", "--all"),
        ("git", "commit", "-q", "--no-verify", "-m", "More data"),
        ("bucket", "push", "-q"),
        ("git", "push", "-q"),
    ):
        box.run(*words, folder="other")
    box.run("git", "pull", "-q", "--rebase")
    return index_of("clone", "other")


def _added(box: Sandbox) -> list[Path]:
    """Single files that were added to DVC."""
    found = sorted((box.clone / "data" / "raw").rglob("*.dvc"))
    return [path for one in found if (path := one.with_suffix("")).is_file()]


def _any_file(box: Sandbox, random: Random) -> Path | None:
    """A file of the user's in the clone or outside."""
    found = [
        Path(folder) / name
        for top in ("clone", "victim", "out")
        for folder, folders, names in os.walk(box.root / top)
        if not _prune(folders)
        for name in names
    ]
    files = sorted(path for path in found if path.is_file() and not path.is_symlink())
    kept = {".env", "config", ".gitignore", ".dvcignore", "dvc.yaml", ".gitattributes"}
    choices = [path for path in files if path.name not in kept]
    return random.choice(choices) if choices else None


def _prune(folders: list[str]) -> bool:
    """Have `os.walk` stay out of the tools' folders."""
    folders[:] = sorted(
        name for name in folders if name not in {".git", ".dvc", ".venv", ".bucket"}
    )
    return False


def _given_up(box: Sandbox, path: Path) -> Allowed:
    return exactly([os.fspath(path.relative_to(box.root))])


STEPS: dict[str, tuple[Doing, int]] = {
    "write": (write, 6),
    "edit": (edit, 4),
    "remove": (remove, 2),
    "edit-data": (edit_data, 2),
    "unfinished": (unfinished, 2),
    "film": (film, 1),
    "link": (link, 1),
    "hook": (hook, 1),
    "stages": (stages, 1),
    "commit": (commit, 4),
    "stash": (stash, 2),
    "branch": (branch, 2),
    "work-tree": (work_tree, 1),
    "colleague": (colleague, 1),
}
