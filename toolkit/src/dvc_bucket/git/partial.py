"""Partial clones (`git clone --filter=...`): what a command needs of commits is fetched first.

Such a clone has a promise instead of some files or folders of old commits. libgit2, with which DVC
reads commits, does not fetch what is promised: it waits for ever. git fetches each object alone.
"""

import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from dvc_bucket.base.errors import PartialCloneError
from dvc_bucket.git.contents import ended, git

#: As git itself gets what is promised. Source: git, `promisor-remote.c`, `fetch_objects`.
FETCH = ("-c", "fetch.negotiationAlgorithm=noop", "fetch", "--quiet", "--no-auto-maintenance")
OPTIONS = ("--no-tags", "--no-write-fetch-head", "--recurse-submodules=no", "--filter=blob:none")

#: Keys of the remotes that keep such a promise.
PROMISOR = r"^remote\..*\.promisor$"


def complete(folder: Path, revisions: Sequence[str], *, ancestors: bool = False) -> None:
    """Fetch all that a partial clone lacks of commits; in any other clone, do nothing.

    Args:
        folder: in the repository.
        revisions: words of `git rev-list`: commits, or options such as `--all`.
        ancestors: also those that the commits come from.

    Raises:
        PartialCloneError: the objects cannot be fetched; names the command that gets them.
        ProjectError: git does not know a revision.
    """
    remotes = _known_promisors(folder)
    if not (remotes and revisions):
        return
    walk = [] if ancestors else ["--no-walk"]
    # Folders first: what is in a folder that is not here, nobody can say.
    for kinds in (["--filter=blob:none"], []):
        lacking = _lacking(folder, [*walk, *kinds, *revisions])
        while lacking:
            said = [_fetch(folder, remote, lacking) for remote in remotes]
            left = _lacking(folder, [*walk, *kinds, *revisions])
            if lacking & left:
                raise PartialCloneError(
                    f"This is a partial clone, and {len(left):,} of the required files and folders "
                    f"cannot be fetched ({said[0]}). Run this again when the remote is reachable, "
                    f"or fetch everything: `git fetch --refetch --no-filter {remotes[0]}`."
                )
            lacking = left


@cache
def _known_promisors(folder: Path) -> list[str]:
    """The same, asked for once: a command can look at thousands of commits."""
    return promisors(folder)


def promisors(folder: Path) -> list[str]:
    """Names of the remotes that promise what is not here."""
    said = ended(folder, "config", "--type=bool", "--get-regexp", PROMISOR).stdout
    lines = [line.rpartition(" ") for line in os.fsdecode(said).splitlines()]
    is_on = [key for key, _, value in lines if value == "true"]
    return [key.removeprefix("remote.").removesuffix(".promisor") for key in is_on]


def _lacking(folder: Path, words: Sequence[str]) -> set[str]:
    """Ids of what is promised and not here."""
    listed = git(folder, "rev-list", "--objects", "--missing=print", "--no-object-names", *words)
    return {line[1:].decode() for line in listed.split(b"\n") if line.startswith(b"?")}


def _fetch(folder: Path, remote: str, ids: set[str]) -> str:
    """Fetch objects; git's last line if that fails."""
    stdin = "".join(f"{name}\n" for name in sorted(ids)).encode()
    done = ended(folder, *FETCH, remote, *OPTIONS, "--stdin", stdin=stdin)
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    return lines[-1] if done.returncode and lines else "the remote has not sent them"
