"""The tracked files that name the project, its endpoint, bucket and prefix: read and written here.

`bucket init` writes them all; `bucket doctor` and a test hold them together.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from dvc_bucket.base import project_settings
from dvc_bucket.base.errors import ProjectError
from dvc_bucket.base.paths import Project
from dvc_bucket.connection import dvc_config as config
from dvc_bucket.connection import env_file


@dataclass(frozen=True)
class Names:
    """What a file says; None for what it does not.

    Attributes:
        project: name of the project: small letters, digits, hyphens.
        endpoint: URL of the S3 API; empty for AWS's own.
        bucket: the bucket.
        prefix: of this project's keys in the bucket.
        region: to sign requests for.
    """

    project: str | None = None
    endpoint: str | None = None
    bucket: str | None = None
    prefix: str | None = None
    region: str | None = None

    def with_defaults(self, other: "Names") -> "Names":
        """These names, and those of `other` for what these do not say."""
        missing = {
            what: value for what, value in vars(other).items() if getattr(self, what) is None
        }
        return replace(self, **missing)


@dataclass(frozen=True)
class Place:
    """One file that names some of it.

    Attributes:
        file: path below the project's root.
        read: from the file's text, what it says.
        write: the text with new names; told the project's old ones too.
        is_needed: whether the project is broken without the file.
    """

    file: str
    read: Callable[[str], Names]
    write: Callable[[str, Names, Names], str]
    is_needed: bool = True


def named(project: Project) -> dict[str, Names]:
    """What each place says now; `.dvc/config`, which DVC itself obeys, first.

    Raises:
        ProjectError: a file is missing, or does not say what it should.
    """
    return {place.file: place.read(_text(project, place)) for place in _there(project)}


def current(project: Project) -> Names:
    """All names, each as the first place that says it.

    Raises:
        ProjectError: a file is missing, or does not say what it should.
    """
    names = Names()
    for found in named(project).values():
        names = names.with_defaults(found)
    return names


def rewritten(project: Project, new: Names) -> dict[Path, tuple[str, str]]:
    """The text before and after of each file that `new` names change.

    To be written from the last to the first: what is read first, and counts, is then changed last,
    so that after an interruption the old names are still known.

    Raises:
        ProjectError: a file is missing, or has no line to change.
    """
    old, texts = current(project), {}
    for place in _there(project):
        before = _text(project, place)
        after = place.write(before, new, old)
        if after != before:
            texts[project.root / place.file] = (before, after)
    return texts


def _there(project: Project) -> list[Place]:
    """The places but for those that this project does without."""
    return [p for p in all_of(project) if p.is_needed or (project.root / p.file).exists()]


def _text(project: Project, place: Place) -> str:
    try:
        text = (project.root / place.file).read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ProjectError(
            f"{place.file} cannot be read ({type(error).__name__}). "
            f"Take it back with `git checkout {place.file}`."
        ) from None
    if "\r" in text:
        raise ProjectError(
            f"{place.file} has the line ends of Windows. Convert it: sed -i 's/\\r$//' {place.file}"
        )
    return text


def _read_dvc(text: str) -> Names:
    remote = config.remote_of(text)
    bucket, prefix = config.split(str(remote.get("url", "")))
    return Names(endpoint=str(remote.get("endpointurl", "")), bucket=bucket, prefix=prefix)


def _write_dvc(text: str, new: Names, _: Names) -> str:
    if _read_dvc(text).with_defaults(new) == new:
        return text  # written anew, it could differ in a blank
    options = {"url": f"s3://{new.bucket}/{new.prefix}", "endpointurl": new.endpoint or None}
    return config.with_options(text, options)


def _read_example(text: str) -> Names:
    found = dict(re.findall(r"^(OS_[A-Z_]+)=(\S*)", text, re.MULTILINE))
    return Names(
        endpoint=found.get("OS_ENDPOINT_URL"),
        bucket=found.get("OS_BUCKET_NAME"),
        region=found.get("OS_REGION"),
    )


def _write_example(text: str, new: Names, _: Names) -> str:
    values = {
        "OS_ENDPOINT_URL": new.endpoint or "",
        "OS_BUCKET_NAME": new.bucket or "",
        "OS_REGION": new.region or "",
    }
    return env_file.with_values(text, values, ".env.example")


#: Rows of the table in the data page: the first cell's beginning, and what the second shows.
ENDPOINT_ROW, BUCKET_ROW, REMOTE_ROW = "endpoint", "bucket", "results and fetched data"
AWS_ITSELF = "AWS's own"


def _data_page(file: str, *, is_needed: bool) -> Place:
    """The page that names endpoint, bucket and remote in a table of its own."""

    def cell(text: str, first_cell: str) -> str:
        found = _row(first_cell).search(text)
        if found is None:
            raise ProjectError(
                f"{file} has no table row `| {first_cell} ... | ... |`. Add it, as "
                "`bucket init` writes it there."
            )
        return found[2]

    def read(text: str) -> Names:
        endpoint = cell(text, ENDPOINT_ROW)
        bucket, prefix = config.split(cell(text, REMOTE_ROW))
        if bucket != cell(text, BUCKET_ROW):
            raise ProjectError(f"{file} names two buckets: {cell(text, BUCKET_ROW)}, {bucket}.")
        there = "" if endpoint == AWS_ITSELF else endpoint
        return Names(endpoint=there, bucket=bucket, prefix=prefix)

    def write(text: str, new: Names, _: Names) -> str:
        old_bucket = cell(text, BUCKET_ROW)
        cells = {
            ENDPOINT_ROW: new.endpoint or AWS_ITSELF,
            BUCKET_ROW: new.bucket,
            REMOTE_ROW: f"s3://{new.bucket}/{new.prefix}",
        }
        for row, value in cells.items():
            text = _row(row).sub(rf"\g<1>{value}\g<3>", text, count=1)
        # Other objects of the bucket that the page names, such as the raw data as published.
        return re.sub(rf"s3://{re.escape(old_bucket)}(?=[/`])", f"s3://{new.bucket}", text)

    return Place(file, read, write, is_needed)


def _row(first_cell: str) -> re.Pattern[str]:
    return re.compile(rf"^(\| {first_cell}[^|]*\| `)([^`]*)(` \|)", re.MULTILINE)


#: What a title is taken for the project's name by: such a name, and no other word.
NAME = "[a-z0-9]+(?:-[a-z0-9]+)*"


def _name_place(
    file: str, name: str | None, *others: str, form: str = NAME, is_needed: bool = False
) -> Place:
    """A place that holds the project's name only.

    Args:
        file: path below the project's root.
        name: pattern of the line that says the name, `{}` in it where; None if none does.
        others: of lines that hold the name too, and are somebody else's where it is another.
        form: pattern of a name.
        is_needed: whether the project is broken without the file.
    """

    def read(text: str) -> Names:
        line = (name or "").replace("{}", f"({form})")
        found = re.search(rf"^{line}", text, re.MULTILINE) if name else None
        return Names(project=found[1] if found else None)

    def write(text: str, new: Names, old: Names) -> str:
        here = read(text).project or str(old.project)
        for pattern in filter(None, (name, *others)):
            before, _, after = pattern.partition("{}")
            line = rf"^({before}){re.escape(here)}(?={after})"
            text = re.sub(line, rf"\g<1>{new.project}", text, count=1, flags=re.MULTILINE)
        return text

    return Place(file, read, write, is_needed)


def all_of(project: Project) -> tuple[Place, ...]:
    """The places of a project, those that count most first. Pages may be missing by default.

    Raises:
        ProjectError: `pyproject.toml` does not say where its pages are.
    """
    settings = project_settings.of(project)
    return (
        Place(".dvc/config", _read_dvc, _write_dvc),
        Place(".env.example", _read_example, _write_example),
        _data_page(settings.data_page, is_needed=settings.is_set("data_page")),
        _name_place(project_settings.FILE, 'name = "{}"', form='[^"]+'),
        _name_place("README.md", r"\A# {}$"),
        _name_place("CITATION.cff", 'title: "{}[:"]', "  - name: The {} contributors"),
        _name_place(
            settings.license_file,
            None,
            r"Copyright .* The {} contributors",
            is_needed=settings.is_set("license_file"),
        ),
    )
