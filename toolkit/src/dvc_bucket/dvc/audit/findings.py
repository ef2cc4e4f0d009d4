"""The values of `bucket verify`: what commits need, what is wrong on the remote, and the report."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from dvc_bucket.base.words import counted
from dvc_bucket.dvc.others import Origin

#: "not checked" is an object that could not be read; "unreadable" a commit or file of the project.
Kind = Literal["missing", "truncated", "wrong size", "corrupt", "not checked", "unreadable"]

#: Exit status where nothing is known to be wrong, and something could not be looked at.
NOT_CHECKED = 3


@dataclass(frozen=True, slots=True)
class NamedCommit:
    """A commit, or the files of the work tree.

    Attributes:
        commit: its full id; None for the workspace.
        names: the branches, tags and words after --rev that lead to it.
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
        dataset: what has a row of its own in the report: a file or directory that DVC tracks, from
            the project's root, or Git LFS.
        path: of the file or directory.
        name: of the object; that of a directory stands for all its files.
        size: in bytes as DVC or Git LFS recorded it; of a directory, of its files together; None
            if it is not recorded.
    """

    dataset: str
    path: str
    name: bytes
    size: int | None = None


@dataclass(frozen=True, slots=True)
class SkippedData:
    """Data that is not looked for on this remote, or that DVC cannot read, and why.

    Attributes:
        dataset: a file or directory that DVC tracks.
        why: in words that follow the dataset and a comma.
        origin: of imported data, the project that has it.
        name: of its object there.
    """

    dataset: str
    why: str
    origin: Origin | None = None
    name: bytes = b""


@dataclass(frozen=True, slots=True)
class ImportedCount:
    """Imported data, looked for on the remote of the project that it comes from.

    Attributes:
        dataset: a file or directory that DVC tracks.
        source: repository and commit.
        objects: how many it has.
        missing: how many of them are not there.
        not_checked: why it could not be looked for; empty if it was.
        revisions: the commits that need it.
    """

    dataset: str
    source: str
    objects: int = 0
    missing: int = 0
    not_checked: str = ""
    revisions: Sequence[NamedCommit] = ()

    def __str__(self) -> str:
        head = f"Imported: {self.dataset} from {self.source}"
        if self.not_checked:
            return f"{head}: not checked. {self.not_checked}"
        if self.missing:
            return f"{head}: {self.missing:,} of {counted(self.objects, 'object')} missing there."
        return f"{head}: {counted(self.objects, 'object')}, all there."


@dataclass
class Needs:
    """What commits need, and which commits need it.

    Attributes:
        cache: DVC's local cache folder: in the clone, or where DVC's configuration says.
        needed: on the remote.
        left_out: data that does not belong there.
        unreadable: what DVC cannot read.
    """

    cache: Path
    needed: dict[Need, list[NamedCommit]] = field(default_factory=dict)
    left_out: dict[SkippedData, list[NamedCommit]] = field(default_factory=dict)
    unreadable: dict[SkippedData, list[NamedCommit]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ObjectFault:
    """What is wrong with an object on the remote, or that it could not be looked at."""

    kind: Kind
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.kind}, {self.detail}" if self.detail else self.kind


@dataclass(frozen=True, slots=True)
class AuditFinding:
    """A fault at a path that needs the object.

    Attributes:
        fault: what is wrong.
        dataset: its row in the report.
        path: the file; the directory itself for its list, or for the directory as a whole.
        name: of the object; None where the fault is not of one object.
        revisions: the commits that need it.
        repair: why `--repair` could not repair it; empty without `--repair`.
    """

    fault: ObjectFault
    dataset: str
    path: str
    name: bytes | None
    revisions: Sequence[NamedCommit]
    repair: str = ""


def count_faults(findings: Iterable[AuditFinding]) -> tuple[int, int, int]:
    """How many different objects are missing, how many damaged, how many not checked."""
    kinds = {finding.name: finding.fault.kind for finding in findings if finding.name}
    missing, unread = (list(kinds.values()).count(kind) for kind in ("missing", "not checked"))
    return missing, len(kinds) - missing - unread, unread


@dataclass
class DatasetCount:
    """A row of the table; objects that several versions of the dataset share count once."""

    name: str
    objects: int = 0
    size: int = 0
    missing: int = 0
    damaged: int = 0
    not_checked: int = 0


@dataclass
class AuditReport:
    """The state of a remote.

    Attributes:
        address: of the remote, `s3://bucket/prefix`.
        endpoint: of its store.
        revisions: the commits that were checked.
        deep: whether every content was read, now or before.
        read: how many objects were read now.
        objects: how many are needed; one that several datasets share counts once here.
        size: bytes of those that are on the remote.
        missing: how many are not there.
        damaged: how many are there with another content than their names promise.
        not_checked: how many the store did not give.
        datasets: the rows of the table.
        findings: what is wrong, after repair.
        mended: what was wrong before it.
        left_out: data that does not belong on this remote.
        imported: imported data, looked for where it comes from.
        notes: more sentences for the person.
        foreign: how many objects no checked commit needs.
        foreign_size: bytes of them together.
        foreign_keys: their keys, where all commits were checked, so that they are foreign to this
            clone; else None.
    """

    address: str
    endpoint: str
    revisions: Sequence[NamedCommit]
    deep: bool
    read: int = 0
    objects: int = 0
    size: int = 0
    missing: int = 0
    damaged: int = 0
    not_checked: int = 0
    datasets: list[DatasetCount] = field(default_factory=list)
    findings: list[AuditFinding] = field(default_factory=list)
    mended: list[AuditFinding] = field(default_factory=list)
    left_out: dict[SkippedData, list[NamedCommit]] = field(default_factory=dict)
    imported: list[ImportedCount] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    foreign: int = 0
    foreign_size: int = 0
    foreign_keys: list[str] | None = None

    @property
    def ok(self) -> bool:
        """Whether everything that is needed is there with the right content."""
        return not self.findings and not self.missing_elsewhere

    @property
    def missing_elsewhere(self) -> int:
        """How many objects of imported data are missing where they come from."""
        return sum(one.missing for one in self.imported)

    @property
    def exit_status(self) -> int:
        """Status for programs: 0, 1 for what is missing or damaged, 3 if it is only not checked."""
        kinds = {finding.fault.kind for finding in self.findings}
        if self.missing_elsewhere:
            return 1
        return NOT_CHECKED if kinds == {"not checked"} else bool(kinds)
