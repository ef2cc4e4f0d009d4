"""The entities of a crate, made with the library for RO-Crates: type, hashes, licence, address."""

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from dvc_bucket.base import extras
from dvc_bucket.base.formats import media_type
from dvc_bucket.dvc.snapshot import PathRecord
from dvc_bucket.jobs.provenance.facts import Facts

if TYPE_CHECKING:
    from rocrate.model import Entity

#: RO-Crate 1.1 and the profiles of version 0.5, which go together.
VERSION = "1.1"
WORKFLOW_CRATE = "https://w3id.org/workflowhub/workflow-ro-crate/1.0"
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/provenance/0.5": ("Provenance Run Crate", "0.5"),
    WORKFLOW_CRATE: ("Workflow RO-Crate", "1.0"),
}

#: Terms beyond those of RO-Crate: of the profiles (md5, sha256, ...), of CodeMeta, of schema.org.
RUN_CONTEXT = "https://w3id.org/ro/terms/workflow-run/context"
EXTRA_TERMS = {
    "buildInstructions": "https://codemeta.github.io/terms/buildInstructions",
    "softwareRequirements": "http://schema.org/softwareRequirements",
}


class Graph:
    """The crate of a commit, in memory. Adding an entity again adds properties to the first one.

    Properties without a value (None, an empty text or list) are left out. A list of one is written
    as that one, as RO-Crate 1.1 asks for.

    Attributes:
        facts: of the commit.
    """

    def __init__(self, facts: Facts) -> None:
        with extras.needed("crate"):
            from rocrate.rocrate import ROCrate

        self.facts = facts
        self._by_record: dict[PathRecord, Entity] = {}
        self._crate = ROCrate(version=VERSION)
        # The default is the current time.
        self._crate.datePublished = facts.commit.revision.date
        self._crate.metadata.extra_contexts.append(RUN_CONTEXT)
        self._crate.metadata.extra_terms.update(EXTRA_TERMS)
        self._crate.metadata["conformsTo"] = [
            {"@id": f"https://w3id.org/ro/crate/{VERSION}"},
            {"@id": WORKFLOW_CRATE},
        ]
        self.root["conformsTo"] = [
            self.context(address, "CreativeWork", name=name, version=version)
            for address, (name, version) in PROFILES.items()
        ]

    @property
    def root(self) -> "Entity":
        """The crate as a whole."""
        return self._crate.root_dataset

    def data(self, id_: str, kind: str | list[str], **properties: Any) -> "Entity":
        """A file or directory, which the crate lists among its parts."""
        from rocrate.model import DataEntity

        return self._add(DataEntity, id_, kind, properties)

    def context(self, id_: str, kind: str, **properties: Any) -> "Entity":
        """Something that is no part of the crate."""
        from rocrate.model import ContextEntity

        return self._add(ContextEntity, id_, kind, properties)

    def licence(self, licence: str) -> "Entity | str":
        """A licence: an entity if it has an address, else its words."""
        from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

        if licence.startswith(("http://", "https://")):
            return self.context(licence, "CreativeWork", name=licence)
        try:
            name = str(canonicalize_license_expression(licence))
        except InvalidLicenseExpression:
            return licence
        if " " in name or name.startswith("LicenseRef-"):
            return name
        address = f"https://spdx.org/licenses/{name}"
        return self.context(address, "CreativeWork", name=name, identifier=name)

    def describe(self, entity: "Entity", **properties: Any) -> None:
        """Add properties to an entity."""
        for name, value in properties.items():
            if isinstance(value, list):
                values = list(dict.fromkeys(value))
                value = values[0] if len(values) == 1 else values
            if value not in (None, "", []):
                entity[name] = value

    def add_to(self, entity: "Entity", name: str, values: "list[Entity]") -> None:
        """Add values to those that a property of an entity has."""
        others = entity.get(name) or []
        others = others if isinstance(others, list) else [others]
        self.describe(entity, **{name: [*others, *values]})

    def write(self, folder: Path) -> None:
        """Write the metadata file, which names the page for people too."""
        from rocrate.model import Preview

        self._crate.add(Preview(self._crate))
        self._crate.metadata.write(folder)

    def _add(self, of: Any, id_: str, kind: str | list[str], properties: Any) -> "Entity":
        entity = self._crate.get(id_) or self._crate.add(of(self._crate, id_, {"@type": kind}))
        self.describe(entity, **properties)
        return entity

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
            notes.append(
                "The content of this path in the commit differs from the content that the stage "
                "read."
            )
        size = None if record.size is None else str(record.size)
        return {"contentSize": size, "description": " ".join(notes)}

    def _licence(self, path: str) -> "Entity | str | None":
        row = self.facts.papers.dataset(path)
        return self.licence(row.licence) if row else None

    def _distinct(self, address: str, record: PathRecord) -> str:
        """The address, with the path added if another path has the same content."""
        return address if self._crate.get(address) is None else f"{address}{local_id(record.path)}"


def path_id(path: str, *, is_directory: bool = False) -> str:
    """The identifier of a file or directory in the crate."""
    return quote(path) + ("/" if is_directory else "")


def local_id(*words: str) -> str:
    """The identifier of something that has no address."""
    return "#" + "/".join(quote(word, safe="/:@") for word in words)
