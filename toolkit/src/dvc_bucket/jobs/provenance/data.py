"""Files and directories as entities: what they are, their hash, their licence, where they are."""

from typing import TYPE_CHECKING, Any

from dvc_bucket.base.formats import media_type
from dvc_bucket.dvc.snapshot import PathRecord
from dvc_bucket.jobs.provenance.facts import Facts, Hashes
from dvc_bucket.jobs.provenance.graph import Graph, local_id, path_id
from dvc_bucket.jobs.provenance.licences import licence

if TYPE_CHECKING:
    from rocrate.model import Entity


class Data:
    """Makes the entities of files and directories."""

    def __init__(self, made: Graph, facts: Facts) -> None:
        self._made, self._facts = made, facts
        self._known: dict[PathRecord, Entity] = {}

    def of(self, item: PathRecord) -> "Entity":
        """The entity of what a stage read or wrote."""
        if item not in self._known:
            self._known[item] = self._entity(item)
        return self._known[item]

    def text(self, path: str, *kinds: str, **said: Any) -> "Entity":
        """The entity of a file that is in the commit."""
        return self._made.data(
            path_id(path),
            ["File", *kinds] if kinds else "File",
            **self._file(path),
            **_said(Hashes.of(self._facts.revision.read(path))),
            **said,
        )

    def _entity(self, item: PathRecord) -> "Entity":
        if item.is_directory:
            return self._directory(item)
        if self._facts.places.is_in_git(item):
            return self.text(item.path)
        if self._facts.is_included(item):
            hashes = _said(self._facts.included[item.path])
            return self._made.data(path_id(item.path), "File", **self._file(item.path), **hashes)
        said = {
            **self._file(item.path),
            "md5": item.hash,
            "contentSize": None if item.size is None else str(item.size),
            "description": self._note(item),
        }
        if address := self._free(self._facts.places.address(item), item):
            return self._made.data(address, "File", **said)
        return self._made.context(self._nowhere(item), "File", **said)

    def _directory(self, item: PathRecord) -> "Entity":
        said: dict[str, Any] = {
            "name": item.path,
            "license": self._licence(item.path),
            "description": self._note(item),
            "contentSize": None if item.size is None else str(item.size),
            # Not of its bytes, as it has none: of the list of its files.
            "identifier": f"md5:{item.hash}",
        }
        if self._facts.is_here(item):
            said["hasPart"] = [
                self._made.context(path_id(path), "File", **self._file(path), **_said(hashes))
                for path, hashes in self._facts.members(item).items()
            ]
            return self._made.data(path_id(item.path, is_directory=True), "Dataset", **said)
        address = self._facts.places.address(item)
        if not address:
            return self._made.context(self._nowhere(item), "Dataset", **said)
        said["distribution"] = self._made.context(
            local_id("list", item.path),
            "DataDownload",
            name=f"DVC's list of the files in {item.path}",
            contentUrl=address,
            encodingFormat="application/json",
        )
        return self._made.data(self._free(f"{address}/", item), "Dataset", **said)

    def _file(self, path: str) -> dict[str, Any]:
        return {
            "name": path,
            "encodingFormat": media_type(path),
            "license": self._licence(path),
        }

    def _licence(self, path: str) -> "Entity | str | None":
        row = self._facts.papers.dataset(path)
        return licence(self._made, row.licence) if row else None

    def _note(self, item: PathRecord) -> str:
        """What else is known, in words."""
        row = self._facts.papers.dataset(item.path)
        notes = [f"From: {row.origin}." if row and row.origin else ""]
        if item.files is not None:
            notes.append(f"{item.files:,} files.")
        if self._facts.places.has_changed(item):
            notes.append("The commit has another content at this path than the stage read.")
        return " ".join(filter(None, notes))

    def _free(self, address: str, item: PathRecord) -> str:
        """The address, told apart where another path has the same content."""
        if not address or self._made.crate.get(address) is None:
            return address
        return f"{address}{local_id(item.path)}"

    def _nowhere(self, item: PathRecord) -> str:
        """An identifier of what is neither in the crate nor known to be anywhere."""
        return local_id(item.path, item.hash)


def _said(hashes: Hashes) -> dict[str, str]:
    """As properties of an entity."""
    return {"md5": hashes.md5, "sha256": hashes.sha256, "contentSize": str(hashes.size)}
