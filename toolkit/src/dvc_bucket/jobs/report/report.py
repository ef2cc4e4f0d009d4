"""The report on a change, in Markdown, as long as a comment can be."""

from dvc_bucket.base.words import counted
from dvc_bucket.dvc.audit import AuditReport
from dvc_bucket.jobs.report import sections
from dvc_bucket.jobs.report.markdown import code, listed
from dvc_bucket.jobs.report.run import Changes
from dvc_bucket.jobs.report.stages import Stale

#: The first line, by which a program finds the comment that it wrote before.
MARKER = "<!-- bucket report -->"

#: Bytes of the text at most. A comment on GitHub has up to 65,536 characters, one on GitLab a
#: million; what puts the report there may add something.
MAX_PAGE_BYTES = 60_000

#: How many of a kind are listed: as many as there is room for.
LIMITS = (50, 20, 10, 5, 2, 1)


def text(found: Changes) -> str:
    """The whole of it."""
    for limit in LIMITS:
        page = "\n".join(_lines(found, limit)).rstrip("\n") + "\n"
        if len(page.encode()) <= MAX_PAGE_BYTES:
            break
    return page


def _lines(found: Changes, limit: int) -> list[str]:
    return [
        MARKER,
        f"## {_verdict(found)}",
        "",
        _head(found),
        "",
        *_warnings(found, limit),
        *sections.stages(found, limit),
        *sections.metrics(found, limit),
        *sections.plots(found, limit),
        *sections.unread(found.unread, limit),
        *sections.data(found, limit),
        *sections.remote(found, limit),
        f"<sub>`bucket report --base {found.pair.base[:10]} --head {found.pair.head[:10]}`</sub>",
    ]


def _verdict(found: Changes) -> str:
    """The whole in a line."""
    ran = [one for one in found.changed if one.kind != "removed"]
    if not ran:
        first = "No stage ran again" if found.stages else "No stages"
    else:
        verb = "ran" if any(one.kind == "new" for one in ran) else "ran again"
        differing = sum(not one.wrote_the_same for one in ran)
        first = f"{len(ran)} of {counted(found.stages, 'stage')} {verb}"
        first += f", {differing or 'none'} with other outputs"
    metrics = sum(one.has_changed for one in found.metrics)
    said = [first, f"{counted(metrics, 'metric') if metrics else 'no metric'} changed"]
    return "; ".join(said if found.metrics else said[:1])


def _head(found: Changes) -> str:
    pair = found.pair
    left = f", where it left {code(pair.left)}," if pair.left else ""
    return (
        f"From {pair.base[:7]}{left} to {pair.head[:7]}: {counted(pair.commits, 'commit')}, "
        f"the last one {code(pair.subject)}."
    )


def _warnings(found: Changes, limit: int) -> list[str]:
    """What has to be seen, in a box."""
    said = [_stale(one, limit) for one in found.stale[:limit]]
    if len(found.stale) > limit:
        said.append(f"And {counted(len(found.stale) - limit, 'more stage')} like that.")
    if found.stale:
        said.append(
            "So the results are not of this commit: `bucket repro`, `bucket push`, and commit "
            "`dvc.lock`."
        )
    chance = [one for one in found.changed if one.kind == "ran again" and not one.reasons]
    if chance:
        named = listed([code(one.name) for one in chance], limit)
        said.append(
            f"**Other outputs from the same inputs: {named}.** `bucket check --times 2` says why."
        )
    if found.pushed and not found.pushed.ok:
        said.append(_not_pushed(found.pushed))
    if not said:
        return []
    return ["> [!WARNING]", *"\n>\n".join(f"> {one}" for one in said).splitlines(), ""]


def _not_pushed(report: AuditReport) -> str:
    """What of the data is not where it should be, in short, and what to do."""
    of = f"of {counted(report.objects, 'object')}** that this commit needs"
    if report.damaged:
        bad = f"{report.missing:,} missing and {report.damaged:,} damaged {of}"
        return f"**On the remote: {bad}. `bucket verify --repair` in the clone that ran the stages."
    if report.missing:
        said = f"**Not on the remote: {report.missing:,} {of}."
        return f"{said} `bucket push` in the clone that ran the stages."
    return "**What this commit needs on the remote could not be told**; see below."


def _stale(one: Stale, limit: int) -> str:
    if any(why.what == "record" for why in one.reasons):
        return f"**Never run: {code(one.name)}.** `dvc.lock` has no record of it."
    reasons = listed([sections.reason(why) for why in one.reasons], min(limit, 5), "; ")
    return f"**Stale: {code(one.name)}.** Not as they were when it ran: {reasons}."
