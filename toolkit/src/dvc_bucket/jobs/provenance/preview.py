"""The page of a crate for people: HTML that needs no other file."""

import re
from importlib.resources import files

import jinja2
from markupsafe import Markup, escape

from dvc_bucket.base.files import readable_size
from dvc_bucket.dvc.snapshot import PathRecord, StageRun
from dvc_bucket.jobs.provenance.facts import Facts
from dvc_bucket.jobs.provenance.graph import path_id

TEMPLATE = "preview.html.j2"

#: The scheme of an address, as a browser reads it: it drops blanks and control characters.
SCHEME = re.compile(r"[\x00-\x20]*([^/?#]*?):")
WEB = {"http", "https"}


def page(facts: Facts) -> str:
    """The page of a commit; the same for the same facts."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )

    def href(record: PathRecord) -> str:
        is_here = facts.is_here(record)
        return path_id(record.path, is_directory=record.is_directory) if is_here else ""

    def readers(record: PathRecord) -> list[str]:
        return [run.name for run in facts.runs if record in run.reads]

    environment.filters |= {"link": link, "size": _size, "href": href, "path_id": path_id}
    text = files("dvc_bucket.jobs.provenance").joinpath(TEMPLATE).read_text(encoding="utf-8")
    results = [record for run in facts.runs for record in run.writes]
    return environment.from_string(text).render(
        facts=facts,
        papers=facts.papers,
        commit=facts.commit,
        flows=list(dict.fromkeys(run.flow for run in facts.runs)),
        stages=[_stage(facts, run) for run in facts.runs],
        results=results,
        readers=readers,
        # The first path of each content: a page has an anchor only once.
        anchored=list({record.hash: record for record in reversed(results)}.values()),
        reports=[
            record for record in results if record.path.endswith(".html") and facts.is_here(record)
        ],
    )


def link(text: object, address: str) -> Markup:
    """A text with a link to a file of the crate or to the web; a script's address gives no link."""
    scheme = SCHEME.match(address)
    if not address or (scheme and scheme[1].lower() not in WEB):
        return escape(text)
    return Markup('<a href="{}">{}</a>').format(address, text)


def _size(record: PathRecord) -> str:
    return "" if record.size is None else readable_size(record.size)


def _stage(facts: Facts, run: StageRun) -> dict[str, object]:
    """A run as the page shows it: its inputs as data and code, and the stages before it."""
    data = [record for record in run.reads if facts.commit.output(record.path) is not None]
    makers = [facts.commit.makers.get(record.path) for record in data]
    return {
        "run": run,
        "after": list(dict.fromkeys(maker.name for maker in makers if maker)),
        "code": [record for record in run.reads if facts.commit.output(record.path) is None],
        "data": data,
    }
