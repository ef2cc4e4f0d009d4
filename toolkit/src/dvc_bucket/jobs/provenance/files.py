"""Files and directories as entities: type, hashes, licence, and where the content is."""

from typing import TYPE_CHECKING, Any

from dvc_bucket.base.formats import media_type
from dvc_bucket.dvc.snapshot import PathRecord
from dvc_bucket.jobs.provenance.facts import Facts
from dvc_bucket.jobs.provenance.graph import Graph, local_id, path_id

if TYPE_CHECKING:
    from rocrate.model import Entity


class FileGraph(Graph):
    """A crate in memory that knows the files and the data of a commit.

    Attributes:
        facts: of the commit.
    """

    def __init__(self, facts: Facts) -> None:
        super().__init__(facts.commit.revision.date)
        self.facts = facts
        self._by_record: dict[PathRecord, Entity] = {}

    def file(self, path: str, *kinds: str, **properties: Any) -> "Entity":
        """A file of the commit."""
        return self.data(
            path_id(path),
            ["File", *kinds] if kinds else "File",
            **self._named(path),
            **self.facts.digest(path),
            **properties,
        )

    def recorded(self, record: PathRecord) -> "Entity":
        """A file or directory that a stage read or wrote."""
        if record not in self._by_record:
            make = self._directory if record.is_directory else self._file
            self._by_record[record] = make(record)
        return self._by_record[record]

    def _file(self, record: PathRecord) -> "Entity":
        path = record.path
        properties = self._named(path)
        if self.facts.is_here(record):
            digest = self.facts.files(record)[path]
            return self.data(path_id(path), "File", **properties, **digest)
        properties |= self._noted(record) | {"md5": record.hash}
        if address := self.facts.commit.address(record):
            return self.data(self._distinct(address, record), "File", **properties)
        return self.context(local_id(path, record.hash), "File", **properties)

    def _directory(self, record: PathRecord) -> "Entity":
        path = record.path
        properties: dict[str, Any] = {
            "name": path,
            "license": self._licence(path),
            **self._noted(record),
            # A directory has no bytes: this is the hash of the list of its files.
            "identifier": f"md5:{record.hash}",
        }
        if self.facts.is_here(record):
            properties["hasPart"] = [
                self.context(path_id(member), "File", **self._named(member), **digest)
                for member, digest in self.facts.files(record).items()
            ]
            return self.data(path_id(path, is_directory=True), "Dataset", **properties)
        address = self.facts.commit.address(record)
        if not address:
            return self.context(local_id(path, record.hash), "Dataset", **properties)
        properties["distribution"] = self.context(
            local_id("list", path),
            "DataDownload",
            name=f"DVC's list of the files in {path}",
            contentUrl=address,
            encodingFormat="application/json",
        )
        return self.data(self._distinct(f"{address}/", record), "Dataset", **properties)

    def _named(self, path: str) -> dict[str, Any]:
        """What follows from the path of a file."""
        licence = self._licence(path)
        return {"name": path, "encodingFormat": media_type(path), "license": licence}

    def _noted(self, record: PathRecord) -> dict[str, str | None]:
        """What DVC and the papers note of a content that is not in the crate."""
        row = self.facts.papers.dataset(record.path)
        notes = [f"From: {row.origin}."] if row and row.origin else []
        if record.files is not None:
            notes.append(f"{record.files:,} files.")
        if self.facts.commit.has_changed(record):
            notes.append("The commit has another content at this path than the stage read.")
        size = None if record.size is None else str(record.size)
        return {"contentSize": size, "description": " ".join(notes)}

    def _licence(self, path: str) -> "Entity | str | None":
        row = self.facts.papers.dataset(path)
        return self.licence(row.licence) if row else None

    def _distinct(self, address: str, record: PathRecord) -> str:
        """The address, with the path added if another path has the same content."""
        return address if self.get(address) is None else f"{address}{local_id(record.path)}"
