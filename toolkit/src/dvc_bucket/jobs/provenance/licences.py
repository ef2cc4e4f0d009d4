"""Licences as entities, where they have an address."""

from typing import TYPE_CHECKING

from dvc_bucket.jobs.provenance.graph import Graph

if TYPE_CHECKING:
    from rocrate.model import Entity


def licence(made: Graph, said: str) -> "Entity | str":
    """A licence: an entity where it has an address, else the words that say it."""
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    if said.startswith(("http://", "https://")):
        return made.context(said, "CreativeWork", name=said)
    try:
        name = canonicalize_license_expression(said)
    except InvalidLicenseExpression:
        return said
    if " " in name or name.startswith("LicenseRef-"):
        return str(name)
    return made.context(
        f"https://spdx.org/licenses/{name}", "CreativeWork", name=str(name), identifier=str(name)
    )
