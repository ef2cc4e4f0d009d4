"""The library that writes RO-Crates, for our use: entities without what is not known."""

from collections.abc import Iterable, Mapping, Sequence
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

#: Terms beyond RO-Crate's: of the profiles (md5, sha256, ...), and one of CodeMeta, as they say.
RUN_CONTEXT = "https://w3id.org/ro/terms/workflow-run/context"
EXTRA_TERMS = {"buildInstructions": "https://codemeta.github.io/terms/buildInstructions"}


class Graph:
    """The entities of a crate, each made once."""

    def __init__(self, date: str) -> None:
        with extras.needed("crate"):
            from rocrate.rocrate import ROCrate

        self.crate: ROCrate = ROCrate(version=VERSION)
        self.crate.datePublished = date  # else the time of day
        self.crate.metadata.extra_contexts.append(RUN_CONTEXT)
        self.crate.metadata.extra_terms.update(EXTRA_TERMS)
        self.crate.metadata["conformsTo"] = [
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
        return self.crate.root_dataset

    def data(self, id_: str, kind: str | Sequence[str], **said: Any) -> "Entity":
        """A file or directory, which the crate then lists among its parts."""
        from rocrate.model import DataEntity

        return self._add(DataEntity, id_, kind, said)

    def context(self, id_: str, kind: str | Sequence[str], **said: Any) -> "Entity":
        """Something that is no part of the crate."""
        from rocrate.model import ContextEntity

        return self._add(ContextEntity, id_, kind, said)

    def add_preview(self) -> None:
        """Say that there is a page for people."""
        from rocrate.model import Preview

        self.crate.add(Preview(self.crate))

    def say(self, entity: "Entity", **said: Any) -> None:
        """Add what is known of an entity."""
        for name, value in _known(said).items():
            entity[name] = value

    def _add(self, of: Any, id_: str, kind: Any, said: Mapping[str, Any]) -> "Entity":
        found: Entity | None = self.crate.get(id_)
        if found is None:
            found = self.crate.add(of(self.crate, id_, {"@type": kind}))
        self.say(found, **said)
        return found


def path_id(path: str, *, is_directory: bool = False) -> str:
    """The identifier of what is in the crate at a path."""
    return quote(path) + ("/" if is_directory else "")


def local_id(*words: str) -> str:
    """An identifier of what has no place of its own."""
    return "#" + "/".join(quote(word, safe="/:@") for word in words)


def _known(said: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is empty; a list of one as that one, as RO-Crate 1.1 asks for."""
    found = {}
    for name, value in said.items():
        if isinstance(value, Iterable) and not isinstance(value, str | Mapping | _entity()):
            items = list(dict.fromkeys(value))
            value = items[0] if len(items) == 1 else items
        if value is not None and value != "" and value != []:
            found[name] = value
    return found


def _entity() -> Any:
    from rocrate.model import Entity

    return Entity
