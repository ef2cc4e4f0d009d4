"""From objects to what people know: datasets, paths, commits."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import attrgetter

import numpy as np

from dvc_bucket.dvc.audit.compare import Survey
from dvc_bucket.dvc.audit.findings import DAMAGED, Dataset, Fault, Finding, Need, Needs, Revision
from dvc_bucket.dvc.remote import ids
from dvc_bucket.dvc.remote.arrays import Ids, array_of
from dvc_bucket.dvc.remote.lists import Lists


def dataset_rows(needs: Needs, survey: Survey, lists: Lists) -> list[Dataset]:
    """The datasets in order of their paths, each object of one counted once."""
    ordered = sorted(needs.needed, key=attrgetter("dataset"))
    return [
        _count(name, list(group), survey, lists)
        for name, group in groupby(ordered, key=attrgetter("dataset"))
    ]


def findings_by_path(needs: Needs, survey: Survey, lists: Lists, *, deep: bool) -> list[Finding]:
    """Every fault at every path that has it.

    Args:
        needs: what is needed, and by whom.
        survey: the faults.
        lists: what files the directories have.
        deep: whether all contents were read, so that no sum of sizes can say more.
    """
    faulty = array_of(survey.faults)
    found = [
        Finding(Fault("unreadable", one.why), one.dataset, one.dataset, None, tuple(revisions))
        for one, revisions in needs.unreadable.items()
    ]
    for need, revisions in needs.needed.items():
        here = list(_faults_of(need, revisions, survey, lists, faulty))
        if not here and not deep and need.name in survey.sums:
            here = [_sum_of(need, revisions, survey)]
        found += here
    return sorted(found, key=attrgetter("dataset", "path"))


def _faults_of(
    need: Need, revisions: Sequence[Revision], survey: Survey, lists: Lists, faulty: Ids
) -> Iterator[Finding]:
    """The faults of an object and of the files that it lists."""
    commits = tuple(revisions)
    if fault := survey.faults.get(need.name):
        yield Finding(fault, need.dataset, need.dataset, need.name, commits)
    if not ids.is_list(need.name):
        return
    names = lists.names(need.name)
    if names is None or not np.isin(names, faulty).any():
        return
    for path, member in lists.members(need.name, survey.faults) or ():
        fault = survey.faults[member]
        yield Finding(fault, need.dataset, f"{need.dataset}/{path}", member, commits)


def _sum_of(need: Need, revisions: Sequence[Revision], survey: Survey) -> Finding:
    """A directory that is not whole, and nothing says where."""
    total, noted = survey.sums[need.name]
    detail = f"its files have {total} bytes together, not {noted}; --deep tells which is wrong"
    return Finding(Fault("wrong size", detail), need.dataset, need.dataset, None, tuple(revisions))


def _count(dataset: str, needs: Sequence[Need], survey: Survey, lists: Lists) -> Dataset:
    there, absent = np.zeros(len(survey.listing), np.bool_), set[bytes]()
    for need in needs:
        names = array_of([need.name])
        if ids.is_list(need.name) and (files := lists.names(need.name)) is not None:
            names = np.concatenate([names, files])
        places = survey.listing.find(names)
        there[places[places >= 0]] = True
        absent.update(bytes(one) for one in names[places < 0])
    places = np.flatnonzero(there)
    faulty = np.isin(survey.listing.names[places], array_of(survey.faults))
    kinds = [survey.faults[survey.name(place)].kind for place in places[faulty]]
    return Dataset(
        name=dataset,
        objects=len(places) + len(absent),
        size=int(survey.listing.sizes[places].sum()),
        missing=len(absent) + kinds.count("missing"),
        damaged=sum(kind in DAMAGED for kind in kinds),
    )
