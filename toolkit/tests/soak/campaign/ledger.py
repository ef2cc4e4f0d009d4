"""The comparison of two inventories: which contents are gone, and was that allowed?"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from tests.soak.campaign.inventory import Inventory, Place

#: Whether the loss of a content at a place is allowed.
Allowed = Callable[[str, Place], bool]


class LostError(AssertionError):
    """A content is gone, and no step allowed that."""


@dataclass(frozen=True)
class Loss:
    """A content that is gone.

    Attributes:
        name: its SHA-256.
        places: that had it.
        head: its first bytes.
    """

    name: str
    places: tuple[Place, ...]
    head: bytes

    def __str__(self) -> str:
        places = ", ".join(f"{place.kind} {place.path!r}" for place in self.places)
        return f"{self.name[:12]} was only in {places}; it began {self.head!r}"


def nothing(name: str, place: Place) -> bool:
    """Of a step that may lose nothing."""
    del name, place
    return False


def paths(*patterns: str) -> Allowed:
    """Of a step that rewrites files: patterns of their paths in the sandbox."""
    return lambda _, place: (
        place.kind == "file" and any(fnmatchcase(place.path, pattern) for pattern in patterns)
    )


def exactly(wanted: Iterable[str]) -> Allowed:
    """Of a step that rewrites these files, whatever signs their names have."""
    known = frozenset(wanted)
    return lambda _, place: place.kind == "file" and place.path in known


def index_of(*repositories: str) -> Allowed:
    """Of a command of git that rewrites the index."""
    return lambda _, place: place.kind == "git" and place.path in repositories


def either(*rules: Allowed) -> Allowed:
    return lambda name, place: any(rule(name, place) for rule in rules)


def losses(
    before: Inventory, after: Inventory, allowed: Allowed, ignored: frozenset[str] = frozenset()
) -> list[Loss]:
    """Contents that are gone although a place of theirs was not allowed to lose them.

    Args:
        before: the step.
        after: the step.
        allowed: what the step may lose.
        ignored: contents that do not count.
    """
    return [
        Loss(name, tuple(sorted(places)), before.contents[name][:60])
        for name, places in before.places.items()
        if name not in after.places
        and name not in ignored
        and not all(allowed(name, place) for place in places)
    ]


def unproven(before: Inventory, after: Inventory) -> frozenset[str]:
    """Contents that are new and that no name proves: perhaps half of a file."""
    return frozenset(
        name
        for name, places in after.places.items()
        if name not in before.places and all(place.kind == "file" for place in places)
    )
