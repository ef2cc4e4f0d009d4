"""The entities of a crate, made with the library for RO-Crates; nothing of this project is here."""

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from dvc_bucket.base import extras

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

#: Terms beyond RO-Crate's: those of the profiles (md5, sha256, ...) and one of CodeMeta.
RUN_CONTEXT = "https://w3id.org/ro/terms/workflow-run/context"
EXTRA_TERMS = {"buildInstructions": "https://codemeta.github.io/terms/buildInstructions"}


class Graph:
    """A crate in memory. Adding an entity again adds properties to the first one.

    Properties without a value (None, an empty text or list) are left out. A list of one is written
    as that one, as RO-Crate 1.1 asks for.
    """

    def __init__(self, date: str) -> None:
        """Begin a crate that was published at `date`, in ISO 8601."""
        with extras.needed("crate"):
            from rocrate.rocrate import ROCrate

        self._crate = ROCrate(version=VERSION)
        self._crate.datePublished = date  # the default is the current time
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

    def get(self, id_: str) -> "Entity | None":
        """The entity with an identifier."""
        found: Entity | None = self._crate.get(id_)
        return found

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

    def write(self, folder: Path) -> None:
        """Write the metadata file, which names the page for people too."""
        from rocrate.model import Preview

        self._crate.add(Preview(self._crate))
        self._crate.metadata.write(folder)

    def _add(self, of: Any, id_: str, kind: str | list[str], properties: Any) -> "Entity":
        entity = self.get(id_) or self._crate.add(of(self._crate, id_, {"@type": kind}))
        self.describe(entity, **properties)
        return entity


def path_id(path: str, *, is_directory: bool = False) -> str:
    """The identifier of a file or directory in the crate."""
    return quote(path) + ("/" if is_directory else "")


def local_id(*words: str) -> str:
    """The identifier of something that has no address."""
    return "#" + "/".join(quote(word, safe="/:@") for word in words)
