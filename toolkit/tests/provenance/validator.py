"""The validator of RO-Crates, without a network.

It needs two documents of the web: what the terms of RO-Crate 1.1 and of the run profiles mean. They
are laid into its cache beforehand, as far as our crates use them; `unknown_terms` names a term that
is in neither, which a reader of a crate would not know.
"""

import json
from pathlib import Path
from typing import Any

import requests
from requests_cache import CachedSession
from rocrate_validator import services
from rocrate_validator.models import Severity, ValidationSettings
from urllib3 import HTTPResponse

from dvc_bucket.jobs.provenance.graph import EXTRA_TERMS, RUN_CONTEXT

CRATE_CONTEXT = "https://w3id.org/ro/crate/1.1/context"

#: Terms of RO-Crate 1.1 by what they mean: https://www.researchobject.org/ro-crate/1.1/context.jsonld
SCHEMA_ORG = """
    ComputerLanguage ControlAction CreateAction CreativeWork DataDownload Dataset HowTo HowToStep
    Organization OrganizeAction Person PropertyValue SoftwareApplication SoftwareSourceCode
    about additionalType affiliation author codeRepository contentSize contentUrl dateModified
    datePublished description distribution encodingFormat exampleOfWork familyName givenName hasPart
    identifier instrument isBasedOn license mainEntity mentions name object position
    programmingLanguage result runtimePlatform softwareVersion step url value version workExample
"""
CRATE_TERMS = {term: f"http://schema.org/{term}" for term in SCHEMA_ORG.split()} | {
    "File": "http://schema.org/MediaObject",
    "ComputationalWorkflow": "https://bioschemas.org/ComputationalWorkflow",
    "FormalParameter": "https://bioschemas.org/FormalParameter",
    "input": "https://bioschemas.org/ComputationalWorkflow#input",
    "conformsTo": "http://purl.org/dc/terms/conformsTo",
}

#: Terms of https://w3id.org/ro/terms/workflow-run
RUN_TERMS = {term: f"https://w3id.org/ro/terms/workflow-run#{term}" for term in ("md5", "sha256")}


def issues(crate: Path, cache: Path, *, recommended: bool = False) -> list[str]:
    """What the validator has against a crate, by the profile of provenance."""
    if not cache.exists():
        _fill(cache)
    result = services.validate(
        ValidationSettings(
            rocrate_uri=str(crate),
            profile_identifier="provenance-run-crate",
            requirement_severity=Severity.RECOMMENDED if recommended else Severity.REQUIRED,
            offline=True,
            cache_path=cache.with_suffix(""),
        )
    )
    return [f"{issue.check.identifier}: {issue.message}" for issue in result.get_issues()]


def unknown_terms(metadata: dict[str, Any]) -> set[str]:
    """Types and properties of a crate that its context does not explain."""
    used = set()
    for entity in metadata["@graph"]:
        kinds = entity["@type"]
        used |= set(kinds if isinstance(kinds, list) else [kinds])
        used |= {key for key in entity if not key.startswith("@")}
    return used - {*CRATE_TERMS, *RUN_TERMS, *EXTRA_TERMS}


def _fill(cache: Path) -> None:
    """Have the validator's cache hold what it would fetch."""
    session = CachedSession(str(cache.with_suffix("")), backend="sqlite", expire_after=-1)
    for url, terms in ((CRATE_CONTEXT, CRATE_TERMS), (RUN_CONTEXT, RUN_TERMS)):
        answer = requests.Response()
        answer.status_code, answer.url, answer.encoding = 200, url, "utf-8"
        answer.headers["Content-Type"] = "application/ld+json"
        answer._content = json.dumps({"@context": terms}).encode()
        headers = {"Accept": "application/ld+json, application/json, */*;q=0.1"}
        answer.request = session.prepare_request(requests.Request("GET", url, headers=headers))
        answer.raw = HTTPResponse(status=200)
        session.cache.save_response(answer)
