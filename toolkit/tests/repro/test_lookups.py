"""What DVC looks up for each output is as git and DVC have it, and opens nothing each time."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dulwich.repo
import pytest
from dvc.repo import Repo

from dvc_bucket.dvc.patched import install
from tests.patched.small_repos import Small


@pytest.fixture
def opened(repo: Callable[..., Small]) -> Iterator[tuple[Small, Repo]]:
    """A repository, as DVC has it in this process with our functions in its places."""
    small = repo(**{"a/b/c": "1", "a.txt": "1", "a-b": "1"})
    small.git("add", "--all")
    assert install.install() == ""
    with Repo(str(small.root)) as theirs:
        yield small, theirs
    install.uninstall()


def calls(monkeypatch: pytest.MonkeyPatch, holder: Any, name: str) -> list[Any]:
    """The calls of a function from now on; each is done as ever."""
    noted: list[Any] = []
    function = getattr(holder, name)

    def noting(*arguments: Any, **named: Any) -> Any:
        noted.append(arguments)
        return function(*arguments, **named)

    monkeypatch.setattr(holder, name, noting)
    return noted


def is_tracked(small: Small, path: str) -> bool:
    """Whether git lists a file, or files below a folder."""
    return bool(small.git("ls-files", "--", path).stdout)


def test_whether_git_tracks_a_path(
    opened: tuple[Small, Repo], monkeypatch: pytest.MonkeyPatch
) -> None:
    small, theirs = opened
    reads = calls(monkeypatch, dulwich.repo.Repo, "open_index")
    paths = ["a", "a/b", "a/b/c", "a/b/c/d", "a/b/cc", "a.txt", "a.tx", "a-", "a-b", "b", "z"]

    def told() -> dict[str, bool]:
        return {path: theirs.scm.is_tracked(str(small.root / path)) for path in paths}

    for change in (("status",), ("rm", "-q", "--cached", "a.txt", "a/b/c"), ("add", "a/b/c")):
        small.git(*change)
        assert told() == {path: is_tracked(small, path) for path in paths}
    assert len(reads) == 3
    (small.root / ".git/index").unlink()
    assert set(told().values()) == {False}


def test_files_put_into_the_work_tree_are_noted_in_one_open_database(
    opened: tuple[Small, Repo], monkeypatch: pytest.MonkeyPatch
) -> None:
    small, theirs = opened
    paths = [str(small.root / name) for name in ("a.txt", "a-b", "a/b/c")]
    connections = calls(monkeypatch, sqlite3, "connect")
    for path in paths:
        theirs.state.save_link(path, theirs.fs)
    # Threads that other tests of this process have left may open databases of their own.
    opened_links = [path for path, *_ in connections if theirs.state.links.directory in str(path)]
    assert len(opened_links) <= 1
    unused = theirs.state.get_unused_links([paths[1]], theirs.fs)
    assert sorted(unused) == ["a.txt", str(Path("a/b/c"))]
