"""What `bucket verify` finds, as values: needs, faults and the report made of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Kind = Literal["missing", "truncated", "wrong size", "corrupt", "unreadable"]

#: Kinds of which the table says "damaged": the object is there, and is not what it should be.
DAMAGED = {"truncated", "wrong size", "corrupt", "unreadable"}


@dataclass(frozen=True, slots=True)
class Revision:
    """A commit, or the files of the work tree.

    Attributes:
        commit: its full id; None for the workspace.
        names: what the person called it: branches, tags, words after --rev.
    """

    commit: str | None = None
    names: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.commit is None:
            return "workspace"
        names = [name for name in self.names if name != self.commit]
        return self.commit[:7] + (f" ({', '.join(names)})" if names else "")


@dataclass(frozen=True, slots=True)
class Need:
    """An object that a commit needs on the remote.

    Attributes:
        dataset: path of the file or directory that DVC tracks, from the project's root.
        name: of the object; that of a directory stands for all its files.
        size: in bytes as DVC noted it; of a directory, of its files together; None if it did not.
    """

    dataset: str
    name: bytes
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Unchecked:
    """Data that is not looked for on this remote, or a commit that cannot be read, and why."""

    dataset: str
    why: str


@dataclass
class Needs:
    """What commits need, and which commits need it.

    Attributes:
        cache: DVC's local cache folder: in the clone, or where DVC's configuration says.
        needed: on the remote.
        unchecked: what is not to be there.
        unreadable: what DVC cannot read.
    """

    cache: Path
    needed: dict[Need, list[Revision]] = field(default_factory=dict)
    unchecked: dict[Unchecked, list[Revision]] = field(default_factory=dict)
    unreadable: dict[Unchecked, list[Revision]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with an object on the remote."""

    kind: Kind
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault where somebody meets it.

    Attributes:
        fault: what is wrong.
        dataset: the file or directory that DVC tracks.
        path: the file; the directory itself where its list or its whole is meant.
        name: of the object, for Git LFS its SHA-256; None where the fault is not of one object.
        revisions: the commits that need it.
        repair: why `--repair` could not mend it; empty where it was not asked to.
    """

    fault: Fault
    dataset: str
    path: str
    name: bytes | None
    revisions: Sequence[Revision]
    repair: str = ""


@dataclass
class Dataset:
    """A line of the table; objects that several versions of the dataset share count once."""

    name: str
    objects: int = 0
    size: int = 0
    missing: int = 0
    damaged: int = 0


@dataclass
class Report:
    """The truth about a remote.

    Attributes:
        address: of the remote, `s3://bucket/prefix`.
        endpoint: where that is.
        revisions: what was checked.
        deep: whether every content was read, now or before.
        read: how many objects were read now.
        objects: how many are needed; one that several datasets share counts once here.
        size: bytes of those that are there.
        missing: how many are not there.
        damaged: how many are there and are not what they should be.
        datasets: the table.
        findings: what is wrong, after repair.
        mended: what was wrong before it.
        unchecked: data that is not to be on this remote.
        notes: what else there is to say.
        foreign: how many objects nothing of what was checked needs.
        foreign_size: bytes of them together.
        foreign_keys: their keys, where all commits were checked, so that they are foreign to this
            clone; else None.
    """

    address: str
    endpoint: str
    revisions: Sequence[Revision]
    deep: bool
    read: int = 0
    objects: int = 0
    size: int = 0
    missing: int = 0
    damaged: int = 0
    datasets: list[Dataset] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    mended: list[Finding] = field(default_factory=list)
    unchecked: dict[Unchecked, list[Revision]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    foreign: int = 0
    foreign_size: int = 0
    foreign_keys: list[str] | None = None

    @property
    def ok(self) -> bool:
        """Whether everything that is needed is there and is what it should be."""
        return not self.findings
