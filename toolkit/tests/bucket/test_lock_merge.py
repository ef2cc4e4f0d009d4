"""Two lock files as one: what is taken from where, and what is left out."""

from contextlib import chdir
from typing import Any

import pytest

from dvc_bucket.base.errors import LockError
from dvc_bucket.dvc.lock import entries
from dvc_bucket.dvc.lock.merge import ConflictError, merge
from dvc_bucket.dvc.remote.outputs import opened
from tests.bucket.git_tools import Repo
from tests.projects import copy_files

Stage = dict[str, Any]


def stage(deps: dict[str, str], outs: dict[str, str], **params: Any) -> Stage:
    """A note as DVC writes it; hashes are any words here."""
    lists = {
        kind: [{"path": path, "hash": "md5", "md5": value, "size": 1} for path, value in of.items()]
        for kind, of in (("deps", deps), ("outs", outs))
    }
    return {"cmd": "run", "params": {"params.yaml": params}, **lists}


def lock(**stages: Stage) -> dict[str, Any]:
    return {"schema": "2.0", "stages": stages}


CLEAN = stage({"raw": "r0", "clean.py": "c0"}, {"table": "t0"}, window=7)
TRAIN = stage({"table": "t0", "train.py": "x0"}, {"model": "m0"}, seed=1)
PLOT = stage({"model": "m0"}, {"plot": "p0"})
BASE = lock(clean=CLEAN, train=TRAIN, plot=PLOT)

CLEAN_2 = stage({"raw": "r0", "clean.py": "c2"}, {"table": "t2"}, window=7)
TRAIN_2 = stage({"table": "t0", "train.py": "x0"}, {"model": "m2"}, seed=2)
TRAIN_ON_2 = stage({"table": "t2", "train.py": "x0"}, {"model": "m3"}, seed=1)


def test_different_stages_come_from_the_sides_that_ran_them() -> None:
    other = stage({"notes": "n0"}, {"page": "g0"})
    base = BASE | {"stages": BASE["stages"] | {"page": other}}
    page = stage({"notes": "n1"}, {"page": "g1"})
    new = stage({"page": "g1"}, {"pdf": "d1"})
    ours = lock(clean=CLEAN_2, train=TRAIN_ON_2, plot=PLOT, page=other)
    theirs = lock(clean=CLEAN, train=TRAIN, plot=PLOT, page=page, pdf=new)
    for sides in ((ours, theirs), (theirs, ours)):
        merged = merge(base, *sides)
        assert not merged.dropped
        assert merged.lock == lock(clean=CLEAN_2, train=TRAIN_ON_2, plot=PLOT, page=page, pdf=new)


def test_a_stage_that_both_ran_and_neither_as_merged_is_left_out_and_named() -> None:
    both = [
        stage({"table": "t0", "train.py": f"x{side}"}, {"model": f"m{side}"}, seed=1)
        for side in (1, 2)
    ]
    merged = merge(BASE, *(lock(clean=CLEAN, train=one, plot=PLOT) for one in both))
    assert merged.dropped == {"train": "run on both sides"}
    assert merged.lock == lock(clean=CLEAN, plot=PLOT)


def test_of_two_runs_that_differ_the_one_with_the_merged_inputs_wins() -> None:
    # Theirs ran it again without a change: other bytes from the same inputs.
    again = stage({"table": "t0", "train.py": "x0"}, {"model": "m9"}, seed=1)
    for sides in ((TRAIN_2, again), (again, TRAIN_2)):
        merged = merge(BASE, *(lock(clean=CLEAN, train=one) for one in sides))
        assert not merged.dropped
        assert merged.lock["stages"]["train"] == TRAIN_2


def test_two_runs_with_the_same_inputs_and_other_results_are_left_out() -> None:
    again = stage({"table": "t0", "train.py": "x0"}, {"model": "m3"}, seed=2)
    for sides in ((TRAIN_2, again), (again, TRAIN_2)):
        merged = merge(BASE, *(lock(clean=CLEAN, train=one, plot=PLOT) for one in sides))
        assert merged.dropped == {"train": "run on both sides"}
        assert merged.lock == lock(clean=CLEAN, plot=PLOT)


def test_a_parameter_that_has_the_name_of_an_output_is_none() -> None:
    def train(script: str, table: int) -> Stage:
        return stage({"train.py": script}, {"model": script}, table=table)

    base, ours, theirs = train("x0", 1), train("x1", 2), train("x2", 2)
    other = theirs | {"deps": ours["deps"], "cmd": "again"}
    for sides in ((ours, other), (other, ours)):
        merged = merge(
            lock(clean=CLEAN, train=base), *(lock(clean=CLEAN, train=one) for one in sides)
        )
        assert merged.lock == lock(clean=CLEAN, train=other)


def test_what_both_changed_upstream_is_told_by_the_stage_that_was_picked_there() -> None:
    clean_again = stage({"raw": "r0", "clean.py": "c0"}, {"table": "t9"}, window=7)
    train_on_9 = stage({"table": "t9", "train.py": "x0"}, {"model": "m9"}, seed=1)
    merged = merge(
        BASE, lock(clean=CLEAN_2, train=TRAIN_ON_2), lock(clean=clean_again, train=train_on_9)
    )
    assert not merged.dropped
    assert merged.lock == lock(clean=CLEAN_2, train=TRAIN_ON_2)


def test_different_parameters_of_one_stage_are_on_neither_side_together() -> None:
    def train(**params: int) -> Stage:
        return stage({"table": "t0"}, {"model": str(params)}, **params)

    base, ours, theirs = train(seed=1, trees=10), train(seed=2, trees=10), train(seed=1, trees=20)
    merged = merge(lock(train=base), lock(train=ours), lock(train=theirs))
    assert list(merged.dropped) == ["train"]
    whole = train(seed=2, trees=20)
    assert merge(lock(train=base), lock(train=ours), lock(train=whole)).lock == lock(train=whole)


def test_a_run_on_what_the_other_side_made_anew_is_left_out() -> None:
    ours = lock(clean=CLEAN_2, train=TRAIN, plot=PLOT)  # stale: clean alone was run
    plot = stage({"model": "m2"}, {"plot": "p2"})
    theirs = lock(clean=CLEAN, train=TRAIN_2, plot=plot)
    merged = merge(BASE, ours, theirs)
    assert merged.dropped == {"train": "run on one side, with a different table"}
    assert merged.lock == lock(clean=CLEAN_2, plot=plot)
    # What a side had so by itself stays as it had it: `dvc status` tells.
    assert merge(BASE, ours, BASE).lock == ours


def test_removed_stages_stay_removed_and_one_that_the_other_side_ran_is_named() -> None:
    gone = lock(clean=CLEAN, plot=PLOT)
    assert merge(BASE, gone, lock(clean=CLEAN_2, train=TRAIN, plot=PLOT)).lock == lock(
        clean=CLEAN_2, plot=PLOT
    )
    merged = merge(BASE, lock(clean=CLEAN, train=TRAIN_2, plot=PLOT), gone)
    assert merged.dropped == {"train": "removed on one side, run on the other"}
    assert "train" not in merged.lock["stages"]


def test_a_file_that_both_branches_began_and_a_flow_turned_round() -> None:
    assert merge({}, lock(clean=CLEAN), lock(plot=PLOT)).lock == lock(clean=CLEAN, plot=PLOT)
    ahead = lock(a=stage({"x": "1"}, {"y": "1"}), b=stage({"y": "1"}, {"z": "1"}))
    round_ = lock(a=stage({"z": "2"}, {"y": "2"}), b=stage({"x": "2"}, {"z": "2"}))
    assert set(merge({}, ahead, round_).dropped) == {"a", "b"}


def test_other_parts_of_the_file_are_merged_too_and_a_conflict_there_is_one() -> None:
    def with_datasets(**urls: str) -> dict[str, Any]:
        return BASE | {"datasets": [{"name": name, "url": url} for name, url in urls.items()]}

    merged = merge(with_datasets(a="1"), with_datasets(a="2"), with_datasets(a="1", b="1"))
    assert merged.lock == with_datasets(a="2", b="1")
    assert merge(BASE, BASE, with_datasets(a="1")).lock == with_datasets(a="1")
    with pytest.raises(ConflictError, match="datasets"):
        merge(with_datasets(a="1"), with_datasets(a="2"), with_datasets(a="3"))


def unchanged_bytes_are_kept(text: str, last: str) -> None:
    """Merge a change of the last stage of a lock file that DVC wrote."""
    ours = entries.read(text)
    base, theirs = entries.read(text), entries.read(text)
    ours["stages"][last]["cmd"] = "run"
    merged = entries.write(merge(base, theirs, ours).lock)
    end = text.index(f"  {last}:\n")
    assert merged[:end] == text[:end]
    assert merged == entries.write(ours)


def test_what_is_not_changed_keeps_its_bytes(repo: Repo) -> None:
    project = copy_files(repo.root)
    with chdir(repo.root), opened(project) as dvc:
        dvc.reproduce()
    unchanged_bytes_are_kept(project.dvc_lock.read_text(), "levels")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "schema: '2.0'\n<<<<<<< ours\nstages: {}\n=======\n",
            r"line \d: this is not YAML",
        ),
        ("schema: '1.0'\nstages: {}\n", "no `schema: '2.0'`"),
        ("stages\n", "no `schema: '2.0'`"),
        ("schema: '2.0'\nstages: [a]\n", "does not have the form that DVC writes"),
        ("schema: '2.0'\nstages: {a: {deps: [x]}}\n", "does not have the form that DVC writes"),
        (
            "schema: '2.0'\nstages: {a: {params: {f: 1}}}\n",
            "does not have the form that DVC writes",
        ),
        ("schema: '2.0'\nstages: {a: {}, a: {}}\n", "this is not YAML"),
    ],
)
def test_what_is_no_lock_file_is_refused_with_its_line(text: str, said: str) -> None:
    with pytest.raises(LockError, match=said):
        entries.read(text)
