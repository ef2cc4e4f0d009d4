"""Who looks back on a command knows what the command has read, and reads it again otherwise."""

import subprocess
import sys
import textwrap

import pytest

from dvc_bucket.dvc.patched import last_index
from dvc_bucket.dvc.remote.outputs import opened
from tests.patched.small_repos import Small

#: Runs a command of DVC as `bucket` does. Prints its exit status, and how often it read each stage.
COUNT = """
    import sys
    from collections import Counter
    from dvc.stage.loader import StageLoader
    from dvc_bucket.dvc import process
    counts, read = Counter(), StageLoader.__getitem__
    def count(loader, name):
        counts[name] += 1
        return read(loader, name)
    StageLoader.__getitem__ = count
    print(process.main(sys.argv[1:]), sorted(counts.items()))
"""


def test_a_command_reads_each_stage_once(ran: Small) -> None:
    command = [sys.executable, "-c", textwrap.dedent(COUNT), "status"]
    done = subprocess.run(command, cwd=ran.root, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 [('copy', 1), ('last', 1)]"


def test_an_index_is_of_one_project_and_whole(ran: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    from dvc.repo.index import Index

    monkeypatch.setattr(last_index, "_last", {})
    read = last_index.kept(Index.from_repo).__func__
    with opened(ran.project) as repo:
        repo.stage_collection_error_handler = print
        read(repo)
        last_index.give(repo)
        assert "index" not in vars(repo)
        repo.stage_collection_error_handler = None
        index = read(repo)
    with opened(ran.project) as repo:
        last_index.give(repo)
        assert repo.index is index
        repo.root_dir = "/elsewhere"
        del repo.index
        last_index.give(repo)
        assert "index" not in vars(repo)
