"""Has DVC read a commit only when all of it is there: in a partial clone it is fetched first."""

from typing import Any

from dvc_bucket.git import partial


def bring_first() -> None:
    """Have DVC of this process fetch what a partial clone lacks of each commit that it turns to."""
    from dvc.repo import brancher

    turn = brancher._switch_fs
    if turn.__module__ != brancher.__name__:
        return

    def bring_and_turn(repo: Any, rev: str, *places: Any) -> None:
        if rev != "workspace":
            partial.complete(repo.scm.root_dir, [rev])
        turn(repo, rev, *places)

    brancher._switch_fs = bring_and_turn
