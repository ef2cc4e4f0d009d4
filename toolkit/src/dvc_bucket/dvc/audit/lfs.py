"""Objects of Git LFS that commits need, against what is on the remote."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from dvc_bucket.base.paths import Project
from dvc_bucket.dvc.audit import deep
from dvc_bucket.dvc.audit.compare import MISSING, wrong_size
from dvc_bucket.dvc.audit.findings import Dataset, Fault, Finding, Report, Revision
from dvc_bucket.dvc.audit.listing import BATCH
from dvc_bucket.dvc.audit.notes import Notes, key_mark, mark, note, salt_of
from dvc_bucket.dvc.audit.repair import in_work_tree, send
from dvc_bucket.dvc.audit.revisions import Selection, everywhere
from dvc_bucket.dvc.remote.place import Remote
from dvc_bucket.git import lfs_layout as layout
from dvc_bucket.git.contents import Entry, Repository
from dvc_bucket.git.lfs_layout import Pointer
from dvc_bucket.transfer.errors import naming_failures
from dvc_bucket.transfer.single import file_sha256

#: What the table calls them.
DATASET = "Git LFS"


@dataclass(frozen=True, slots=True)
class Need:
    """A file that is an object of Git LFS at some revisions."""

    path: str
    pointer: Pointer


@dataclass
class Check:
    """Looks for the objects on a remote.

    Attributes:
        project: in the clone.
        remote: where they are to be.
        deep: read every content.
        read: how many contents were read.
    """

    project: Project
    remote: Remote
    deep: bool
    read: int = field(default=0, init=False)

    def add_to(self, report: Report, selection: Selection, *, repair: bool) -> None:
        """Put what is found to a report of the same commits, after sending what can be sent.

        Raises:
            ProjectError: git cannot read the commits.
            TransferError: the store refused or could not be reached.
        """
        needs = self._needs(report.revisions, selection)
        if not needs:
            report.notes.append("No file is one of Git LFS.")
            return
        faults, sizes = self._survey(needs)
        findings = _name(needs, faults)
        if repair and findings:
            reasons = self._repair(findings)
            faults, sizes = self._survey(needs)
            left = {(one.name, one.path): one for one in _name(needs, faults)}
            report.mended += [one for one in findings if (one.name, one.path) not in left]
            findings = [replace(one, repair=reasons.get(one.name, "")) for one in left.values()]
        report.findings += findings
        report.read += self.read
        _count(report, faults, sizes)

    @cached_property
    def _repository(self) -> Repository:
        return Repository.of(self.project)

    def _needs(
        self, revisions: Iterable[Revision], selection: Selection
    ) -> dict[Need, list[Revision]]:
        """What the revisions need: of the workspace, what git would commit."""
        entries = [(one, self._files(one)) for one in revisions if one.names or not one.commit]
        if selection.all_commits:
            entries += [
                (Revision(entry.commit), [entry])
                for entry in self._repository.history([*everywhere(self.project), *selection.revs])
                if entry.path
            ]
        pointers = self.pointers({file.id for _, files in entries for file in files})
        needs: dict[Need, list[Revision]] = {}
        for revision, files in entries:
            for file in files:
                if pointer := pointers.get(file.id):
                    needs.setdefault(Need(file.path, pointer), []).append(revision)
        return needs

    def _files(self, revision: Revision) -> list[Entry]:
        if revision.commit:
            return self._repository.files(revision.commit)
        return self._repository.tracked()

    def pointers(self, contents: set[str]) -> dict[str, Pointer]:
        """Those of git's contents that are pointers."""
        found = {}
        sizes = self._repository.sizes(sorted(contents))
        with self._repository.contents() as read:
            for content in [one for one, size in sizes.items() if size < layout.POINTER_BYTES]:
                body = b"".join(piece.data for piece in read(content) or ())
                if pointer := Pointer.parse(body):
                    found[content] = pointer
        return found

    def _survey(self, needs: Iterable[Need]) -> tuple[dict[str, Fault], dict[str, int]]:
        """What is wrong with which needed object; sizes of all of them on the remote."""
        listed = self._listed()
        faults, sound, sizes = {}, {}, {}
        for pointer in {need.pointer for need in needs}:
            size, version, _ = listed.get(pointer.oid, (None, 0, ""))
            sizes[pointer.oid] = size or 0
            if size is None:
                faults[pointer.oid] = MISSING
            elif size != pointer.size:
                faults[pointer.oid] = wrong_size(size, pointer.size)
            else:
                sound[pointer.oid] = version
        if self.deep:
            faults |= self._read(sound, sizes)
        return faults, sizes

    def compare(self, copies: Mapping[str, Path], md5: Callable[[str], str]) -> dict[str, Fault]:
        """What is wrong with objects on the remote, of which there are local copies.

        Args:
            copies: files, by SHA-256.
            md5: the MD5 of one of them.

        Returns:
            Faults by SHA-256; an object without one is proven by its ETag or by its content.
        """
        listed, faults, unproven = self._listed(), {}, {}
        sizes = {oid: path.stat().st_size for oid, path in copies.items()}
        for oid, expected in sizes.items():
            size, version, tag = listed.get(oid, (None, 0, ""))
            if size is None:
                faults[oid] = MISSING
            elif size != expected:
                faults[oid] = wrong_size(size, expected)
            elif tag != md5(oid):
                unproven[oid] = version
        return faults | self._read(unproven, sizes)

    def _listed(self) -> dict[str, tuple[int, int, str]]:
        """Size, version and ETag, by SHA-256, of each object of Git LFS on the remote."""
        import obstore

        below = layout.key(self.remote.prefix, "").rstrip("/")
        salt, found = salt_of(self.remote), {}
        with naming_failures(f"list {self.remote.address}/{layout.FOLDER}", self.remote.settings):
            for batch in obstore.list(self.remote.store, below, chunk_size=BATCH):
                for item in batch:
                    if oid := layout.promised_sha256(item["path"]):
                        tag = (item["e_tag"] or "").strip('"')
                        found[oid] = item["size"], mark(salt, item), tag
        return found

    def _read(self, versions: Mapping[str, int], sizes: Mapping[str, int]) -> dict[str, Fault]:
        """Read the contents that were not read before; note those that are right."""
        notes, faults = Notes(self.project), {}
        known, salt = set(notes.read().tolist()), salt_of(self.remote)
        left = [oid for oid, version in versions.items() if version not in known]
        with (
            notes.appending() as file,
            closing(deep.bar(sum(sizes[oid] for oid in left))) as shown,
            ThreadPoolExecutor(deep.THREADS) as pool,
        ):
            for oid, fault in zip(left, pool.map(self._read_one, left), strict=True):
                if fault:
                    faults[oid] = fault
                else:
                    note(file, versions[oid], key_mark(salt, self._key(oid)))
                shown.update(sizes[oid])
        self.read += len(left)
        return faults

    def _read_one(self, oid: str) -> Fault | None:
        key, remote = self._key(oid), self.remote
        return deep.compare(
            remote, key, oid, "SHA-256", lambda: deep.streamed(remote, key, hashlib.sha256())
        )

    def _repair(self, findings: Iterable[Finding]) -> dict[bytes | None, str]:
        """Send objects from copies of git-lfs's or of the work tree; why not, for the others."""
        objects = layout.storage(self._repository) / "objects"
        reasons: dict[bytes | None, str] = {}
        for one in findings:
            oid = one.name.hex() if one.name else ""
            copies = [objects / oid[:2] / oid[2:4] / oid]
            copies += in_work_tree(self._repository.root, one.path)
            reasons[one.name] = send(
                copies,
                lambda path, oid=oid: file_sha256(path) == oid,  # type: ignore[misc]
                self._key(oid),
                self.remote,
            )
        return reasons

    def _key(self, oid: str) -> str:
        return layout.key(self.remote.prefix, oid)


def _name(needs: Mapping[Need, list[Revision]], faults: Mapping[str, Fault]) -> list[Finding]:
    """Every fault at every path that has it."""
    return [
        Finding(fault, DATASET, need.path, bytes.fromhex(need.pointer.oid), tuple(revisions))
        for need, revisions in sorted(needs.items(), key=lambda entry: entry[0].path)
        if (fault := faults.get(need.pointer.oid))
    ]


def _count(report: Report, faults: Mapping[str, Fault], sizes: Mapping[str, int]) -> None:
    """A line for the table, and the totals."""
    missing = [fault.kind for fault in faults.values()].count("missing")
    damaged = len(faults) - missing
    size = sum(sizes.values())
    report.datasets.append(Dataset(DATASET, len(sizes), size, missing, damaged))
    report.objects += len(sizes)
    report.size += size
    report.missing += missing
    report.damaged += damaged
