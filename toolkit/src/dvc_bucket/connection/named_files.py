"""The tracked files that name the project, its endpoint, bucket and prefix: read and written here.

`.dvc/config` names endpoint, bucket, prefix and any region but the default. A table of the data
page names the first three, the other files the project. `bucket init` writes them all;
`bucket doctor` and a test compare them.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path

from dvc_bucket.base import project_settings
from dvc_bucket.base.errors import ProjectError
from dvc_bucket.base.paths import Project
from dvc_bucket.connection import dvc_config as config
from dvc_bucket.connection.settings import DEFAULT_REGION


@dataclass(frozen=True)
class Names:
    """The names in a file; None for what it does not name.

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
        """These names, and those of `other` where these are None."""
        missing = {
            what: value for what, value in vars(other).items() if getattr(self, what) is None
        }
        return replace(self, **missing)


#: A project's name. A title in words is not taken for one.
NAME = "[a-z0-9]+(?:-[a-z0-9]+)*"

#: Rows of the table in the data page: how the first cell begins.
ENDPOINT_ROW, BUCKET_ROW, REMOTE_ROW = "endpoint", "bucket", "results and fetched data"

#: The cell for AWS's own endpoint, which has no URL.
AWS_ITSELF = "AWS's own"


@dataclass(frozen=True)
class NamedFile:
    """A tracked file with some of the names.

    Attributes:
        file: path below the project's root.
        read: the names in its text.
        write: the text with new names, from the text, the new names and the project's old ones.
        is_needed: whether the project is broken without the file.
    """

    file: str
    read: Callable[[str], Names]
    write: Callable[[str, Names, Names], str]
    is_needed: bool = True


def all_of(project: Project) -> tuple[NamedFile, ...]:
    """The files of a project, the most important first.

    Raises:
        ProjectError: `pyproject.toml` has a wrong path of a page.
    """
    settings = project_settings.of(project)
    citation = ('title: "{}[:"]', "  - name: The {} contributors")
    return (
        NamedFile(".dvc/config", _read_dvc, _write_dvc),
        _data_page(settings.data_page, is_needed=settings.is_set("data_page")),
        _with_name(project_settings.FILE, ('name = "{}"',), form='[^"]+'),
        _with_name("README.md", (r"\A# {}$",)),
        _with_name("CITATION.cff", citation),
        _with_name(
            settings.license_file,
            (r"Copyright .* The {} contributors",),
            has_own=False,
            is_needed=settings.is_set("license_file"),
        ),
    )


def named(project: Project) -> dict[str, Names]:
    """The names in each file; `.dvc/config`, which DVC itself reads, first.

    Raises:
        ProjectError: a file is missing, or lacks a line.
    """
    return {file.file: file.read(_text(project, file)) for file in _present(project)}


def current(project: Project) -> Names:
    """All names, each from the first file that has it.

    Raises:
        ProjectError: a file is missing, or lacks a line.
    """
    return reduce(Names.with_defaults, named(project).values(), Names())


def rewritten(project: Project, new: Names) -> dict[Path, tuple[str, str]]:
    """The text before and after of each file that `new` names change.

    To be written from the last to the first. The most important file is then changed last, so that
    the old names are still known after an interruption.

    Raises:
        ProjectError: a file is missing, or lacks a line.
    """
    old = current(project)
    befores = {file: _text(project, file) for file in _present(project)}
    texts = {
        project.root / file.file: (before, file.write(before, new, old))
        for file, before in befores.items()
    }
    return {path: text for path, text in texts.items() if text[0] != text[1]}


def _present(project: Project) -> list[NamedFile]:
    """The files, except those that this project does without."""
    files = all_of(project)
    return [file for file in files if file.is_needed or (project.root / file.file).exists()]


def _text(project: Project, named_file: NamedFile) -> str:
    file = named_file.file
    try:
        text = (project.root / file).read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ProjectError(
            f"{file} cannot be read ({type(error).__name__}). Restore it: `git checkout {file}`."
        ) from None
    if "\r" in text:
        raise ProjectError(f"{file} has Windows line ends. Convert it: sed -i 's/\\r$//' {file}")
    return text


def _read_dvc(text: str) -> Names:
    remote = config.remote_of(text)
    bucket, prefix = config.split(str(remote.get("url", "")))
    region = str(remote.get("region", DEFAULT_REGION))
    return Names(None, str(remote.get("endpointurl", "")), bucket, prefix, region)


def _write_dvc(text: str, new: Names, _: Names) -> str:
    if _read_dvc(text).with_defaults(new) == new:
        return text  # writing it again could change a blank
    return config.with_options(
        text,
        {
            "url": f"s3://{new.bucket}/{new.prefix}",
            "endpointurl": new.endpoint or None,
            "region": None if new.region == DEFAULT_REGION else new.region,
        },
    )


def _data_page(file: str, *, is_needed: bool) -> NamedFile:
    """The page with endpoint, bucket and remote in a table of its own."""

    def row(first_cell: str) -> str:
        return rf"^\| {first_cell}[^|]*\| `([^`]*)` \|"

    def cell(text: str, first_cell: str) -> str:
        match = re.search(row(first_cell), text, re.MULTILINE)
        if match is None:
            raise ProjectError(
                f"{file} has no table row `| {first_cell} ... | ... |`. Add it; `bucket init` "
                "updates that row."
            )
        return match[1]

    def read(text: str) -> Names:
        endpoint, named_bucket = cell(text, ENDPOINT_ROW), cell(text, BUCKET_ROW)
        bucket, prefix = config.split(cell(text, REMOTE_ROW))
        if bucket != named_bucket:
            raise ProjectError(f"{file} names two buckets: {named_bucket}, {bucket}.")
        return Names(None, "" if endpoint == AWS_ITSELF else endpoint, bucket, prefix)

    def write(text: str, new: Names, _: Names) -> str:
        old_bucket = cell(text, BUCKET_ROW)
        text = _put(text, row(ENDPOINT_ROW), new.endpoint or AWS_ITSELF)
        text = _put(text, row(BUCKET_ROW), str(new.bucket))
        text = _put(text, row(REMOTE_ROW), f"s3://{new.bucket}/{new.prefix}")
        # Other objects of the bucket that the page names, such as published raw data.
        return re.sub(rf"s3://{re.escape(old_bucket)}(?=[/`])", f"s3://{new.bucket}", text)

    return NamedFile(file, read, write, is_needed)


def _with_name(
    file: str,
    lines: Sequence[str],
    *,
    form: str = NAME,
    has_own: bool = True,
    is_needed: bool = False,
) -> NamedFile:
    """A file with the project's name.

    Args:
        file: path below the project's root.
        lines: patterns of lines, with `{}` for the name. A line with another name stays.
        form: pattern of a name.
        has_own: the name in the first line is the project's; else no line tells it.
        is_needed: whether the project is broken without the file.
    """

    def read(text: str) -> Names:
        match = re.search(f"^{lines[0]}".replace("{}", f"({form})"), text, re.MULTILINE)
        return Names(project=match[1] if match and has_own else None)

    def write(text: str, new: Names, old: Names) -> str:
        here = re.escape(read(text).project or str(old.project))
        for line in lines:
            text = _put(text, f"^{line}".replace("{}", f"({here})"), str(new.project))
        return text

    return NamedFile(file, read, write, is_needed)


def _put(text: str, pattern: str, value: str) -> str:
    """`text` with a value in the place of the first match's group."""
    match = re.search(pattern, text, re.MULTILINE)
    return text[: match.start(1)] + value + text[match.end(1) :] if match else text
