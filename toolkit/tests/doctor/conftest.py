"""What the doctor's tests share: the two stores, and a project at one of them."""

import os
from collections.abc import Iterator

import pytest

from tests.doctor.case import Case, World, person
from tests.doctor.weed import Weed
from tests.stores.swift import Swift
from tests.stores.tls import Authority


@pytest.fixture(scope="package")
def world(
    tmp_path_factory: pytest.TempPathFactory, swift: Swift, authority: Authority
) -> Iterator[World]:
    """Both stores, and what stands before them."""
    folder = tmp_path_factory.mktemp("doctor")
    with Weed(folder / "weed") as weed, World(folder, swift, weed, authority) as made:
        made.commit()
        yield made


@pytest.fixture
def case(world: World) -> Iterator[Case]:
    """A project in which all is well."""
    with world.case() as made:
        yield made


def live_as(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the environment of the case, and no other."""
    wanted = person(case)
    for name in set(os.environ) - set(wanted):
        monkeypatch.delenv(name)
    for name, value in wanted.items():
        monkeypatch.setenv(name, value)
