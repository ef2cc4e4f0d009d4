"""The page of a crate: what a person reads of it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

import jinja2
from markupsafe import Markup, escape

from dvc_bucket.base.files import readable_size
from dvc_bucket.dvc.snapshot import PathRecord, StageRun
from dvc_bucket.jobs.provenance.facts import Facts
from dvc_bucket.jobs.provenance.graph import path_id

TEMPLATE = "preview.html.j2"

#: How an address begins that is no path, as a browser sees it: blanks and control characters in it
#: are dropped.
SCHEME = re.compile(r"[\x00-\x20]*([^/?#]*?):")
WEB = {"http", "https"}


@dataclass(frozen=True)
class Row:
    """A file or directory as the page shows it.

    Attributes:
        path: from the project's root.
        href: of the crate's own copy; empty where it has none.
        address: where DVC puts it; may be empty.
        size: readable.
        hash: DVC's.
        licence: in words; may be empty.
        maker: name of the stage that wrote it; empty for what no stage writes.
        users: names of the stages that read it.
        is_directory: whether it is one.
        has_changed: the commit has something else at its path.
    """

    path: str
    href: str
    address: str
    size: str
    hash: str
    licence: str
    maker: str
    users: Sequence[str]
    is_directory: bool
    has_changed: bool


def page(facts: Facts) -> str:
    """The page, as HTML that needs nothing but itself."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["link"] = link
    text = files("dvc_bucket.jobs.provenance").joinpath(TEMPLATE).read_text(encoding="utf-8")
    rows = {item: _row(facts, item) for item in facts.run.items}
    made = [rows[item] for stage in facts.run.stages for item in stage.writes]
    commit_page = (
        facts.papers.repository and f"{facts.papers.repository}/commit/{facts.revision.commit}"
    )
    return environment.from_string(text).render(
        facts=facts,
        path_id=path_id,
        date=facts.revision.date[:10],
        commit_page=commit_page,
        flows=list(dict.fromkeys(stage.flow for stage in facts.run.stages)),
        stages=[_stage(facts, stage, rows) for stage in facts.run.stages],
        results=made,
        # The first path of each content: an anchor is there once.
        anchored={row.path for row in {row.hash: row for row in reversed(made)}.values()},
        pages=[row for row in made if row.href and row.path.endswith(".html")],
        notes=facts.notes(),
    )


def link(text: object, address: str) -> Markup:
    """A text that leads to a file of the crate or to the web; to nowhere else, as by a script."""
    scheme = SCHEME.match(address)
    if not address or (scheme and scheme[1].lower() not in WEB):
        return escape(text)
    return Markup('<a href="{}">{}</a>').format(address, text)


def _stage(facts: Facts, stage: StageRun, rows: Mapping[PathRecord, Row]) -> dict[str, object]:
    code = [rows[item] for item in stage.reads if facts.run.output(item.path) is None]
    data = [rows[item] for item in stage.reads if facts.run.output(item.path) is not None]
    makers = [row.maker for row in data if row.maker]
    return {
        "stage": stage,
        "after": list(dict.fromkeys(makers)),
        "code": code,
        "data": data,
        "outputs": [rows[item] for item in stage.writes],
        "parameters": stage.values,
    }


def _row(facts: Facts, item: PathRecord) -> Row:
    row = facts.papers.dataset(item.path)
    maker = facts.run.makers.get(item.path)
    return Row(
        path=item.path,
        href=path_id(item.path, is_directory=item.is_directory) if facts.is_here(item) else "",
        address=facts.places.address(item),
        size="" if item.size is None else readable_size(item.size),
        hash=item.hash,
        licence=row.licence if row else "",
        maker=maker.name if maker else "",
        users=[stage.name for stage in facts.run.stages if item in stage.reads],
        is_directory=item.is_directory,
        has_changed=facts.places.has_changed(item),
    )
