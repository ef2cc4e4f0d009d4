"""`bucket share`."""

import json
import re
import sys
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dvc_bucket.base.options import JsonOption, PathArgument, RemoteOption, RevOption

if TYPE_CHECKING:
    from dvc_bucket.jobs.share.links import Shared

#: A time: a number and its unit.
TIME = re.compile(r"([1-9][0-9]{0,5})([mhd])")
UNITS = {"m": "minutes", "h": "hours", "d": "days"}


LifeOption = Annotated[
    str,
    typer.Option(
        "--for",
        metavar="TIME",
        help="Lifetime of the links: 30m, 12h, 7d (at most 7d).",
    ),
]
IndexOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Write a new HTML page with the links of a folder."),
]


def share(
    path: PathArgument,
    rev: RevOption = None,
    life: LifeOption = "7d",
    index: IndexOption = None,
    remote: RemoteOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print a link that lets anyone read a file for some days, without keys.

    Anyone who has the link can read the file until it expires, so treat it as a secret. To disable
    it earlier, revoke the key that signed it. For a folder, write a page of links, or print them as
    JSON.

    Examples:
      bucket share data/raw/table.csv --rev v1.0
      bucket share data/processed --for 12h --index links.html
    """
    from dvc_bucket.jobs.share import links
    from dvc_bucket.read import tracked

    span = _life(life)
    data = links.find(tracked.from_here(path), rev, remote)
    if not (index or as_json or data.is_file):
        raise typer.BadParameter(
            f"{path} is a folder. Write a page of its links with --index FILE, or print --json",
            param_hint="PATH",
        )
    shared = links.share(data, span)
    if index:
        links.write_index(shared, index)
    ends = f"{shared.ends:%Y-%m-%d %H:%M} UTC"
    print(f"Anyone who has a link can read the file until {ends}.", file=sys.stderr)
    for note in shared.notes:
        print(note, file=sys.stderr)
    _print(shared, index, as_json=as_json)


def _print(shared: "Shared", index: Path | None, *, as_json: bool) -> None:
    if as_json:
        listed = [asdict(link) for link in shared.links]
        print(json.dumps({"ends": f"{shared.ends:%Y-%m-%dT%H:%M:%SZ}", "links": listed}))
    elif index:
        print(index)
    else:
        print(shared.links[0].url)


def _life(text: str) -> timedelta:
    from dvc_bucket.jobs.share.links import MAX_LIFE

    match = TIME.fullmatch(text)
    if not match:
        raise typer.BadParameter(f"{text!r} is not a time such as 12h or 7d", param_hint="--for")
    life = timedelta(**{UNITS[match[2]]: int(match[1])})
    if life > MAX_LIFE:
        raise typer.BadParameter(
            f"{text} is longer than 7d, the maximum for a signature", param_hint="--for"
        )
    return life
