"""What `bucket init` asks for: each answer is checked as it is given, and asked for again."""

import os
import re
from collections.abc import Callable, Mapping
from functools import partial

import typer
from pydantic import ValidationError

from dvc_bucket.base.errors import SettingsError
from dvc_bucket.base.paths import Project
from dvc_bucket.connection import env_file
from dvc_bucket.connection.named_files import NAME, Names
from dvc_bucket.connection.settings import DEFAULT_REGION, Settings, is_embedded
from dvc_bucket.connection.settings.rules import check_text, is_aws_setup, shown
from dvc_bucket.connection.settings.sources import Found, Sources

#: A prefix of keys: parts of unreserved characters, without an empty one (some stores take `a//b`
#: and `a/b` for one object) and without `.` and `..`, which clients resolve.
PREFIX = re.compile(r"(?!\.{1,2}(?:/|$))[A-Za-z0-9._-]+(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._-]+)*")

#: A region: what is signed, and written into files that a shell reads.
REGION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")

#: The form of an answer, and the same in words.
FORMS = {
    "project": (re.compile(NAME), "lower-case letters, digits and single hyphens"),
    "prefix": (PREFIX, "letters, digits, . _ - and a single / between parts"),
    "region": (REGION, "letters, digits, . _ and -"),
}

#: How stores draw keys, OpenStack for one. A bucket could have such a name.
HEXADECIMAL = re.compile(r"[0-9a-f]{32,}")

KEYS = ("OS_ACCESS_KEY_ID", "OS_SECRET_ACCESS_KEY")
TOKEN = "OS_SESSION_TOKEN"  # noqa: S105 (a name)

#: The keys of `.env.example`, to be filled in by a person.
PLACEHOLDERS = {KEYS[0]: "<your-access-key>", KEYS[1]: "<your-secret-key>"}

#: What is typed for AWS's own endpoint of the region.
AWS = "aws"

KEEP = "Use it (you only need keys)?"

QUESTIONS = {
    "project": "Name of the project",
    "endpoint": f"Endpoint of the S3 API (or: {AWS})",
    "region": "Region",
    "bucket": "Bucket",
    "prefix": "Prefix of this project in the bucket",
}


def are_kept(project: Project, given: Names, now: Names) -> bool:
    """Whether a person who cloned a project with a bucket takes its names as they are.

    Asked once, instead of for each name, where this clone has no `.env` yet.
    """
    is_first = not project.env_file.exists() and given == Names() and now.endpoint and now.bucket
    if not is_first or is_embedded(now.endpoint or ""):
        return False
    typer.echo(f"The project keeps its data in s3://{now.bucket}/{now.prefix} at {now.endpoint}.")
    return typer.confirm(KEEP, default=True)


def complete(given: Names, now: Names, *, ask: bool) -> Names:
    """All names: those given; the others asked for, or as they are now.

    Raises:
        SettingsError: one cannot be right.
    """
    names = Names(**{what: _tidy(value) for what, value in vars(given).items()})
    for what, value in vars(names).items():
        if value is not None:
            check(what, value)
    for what, question in QUESTIONS.items():
        if getattr(names, what) is None:
            default = _default(what, names, now)
            answer = _ask(question, partial(check, what), default) if ask else default
            check(what, answer)
            names = names.with_defaults(Names(**{what: _tidy(answer)}))
    if names.endpoint == AWS:
        names = Names(**(vars(names) | {"endpoint": _aws_endpoint(names.region)}))
    return names


def check(what: str, value: str) -> None:
    """Refuse an answer that cannot be right.

    Raises:
        SettingsError: says what was found and what would do.
    """
    label, value = what.capitalize(), value.strip()
    if not value:
        why = " Each project in a bucket needs its own prefix." if what == "prefix" else ""
        raise SettingsError(f"{label}: the value is empty.{why}")
    if what in FORMS and not FORMS[what][0].fullmatch(value):
        raise SettingsError(f"{label} {value!r}: use {FORMS[what][1]}.")
    if what == "endpoint" and value.lower() != AWS:
        _check_setting("endpoint_url", label, value)
    if what == "bucket":
        _check_setting("bucket_name", label, value)
        if HEXADECIMAL.fullmatch(value):
            raise SettingsError(
                f"{label}{shown(Found(label, value))} looks like a key, but would be written to "
                "files that git tracks. If it is the name of the bucket, write it with an editor."
            )


def keys(project: Project, endpoint: str, *, ask: bool) -> Mapping[str, str]:
    """New values of the two keys and of their token; empty if those of `.env` stay.

    They are those of the environment, typed ones, or new ones for the embedded store.

    Raises:
        SettingsError: `.env` cannot be read.
    """
    file = Sources(project, {})
    current = [file.find(name).value for name in KEYS]
    if all(os.environ.get(name) for name in KEYS):
        return {name: os.environ[name] for name in (*KEYS, TOKEN) if os.environ.get(name)}
    is_set = all(value and not value.startswith("<") for value in current)
    was_for = file.find("OS_ENDPOINT_URL").value.rstrip("/")
    if is_embedded(endpoint):
        return {} if is_set else env_file.new_keys()
    were_drawn = is_set and is_embedded(was_for)
    if not ask:  # keys drawn for the embedded store open no other one
        return PLACEHOLDERS if were_drawn else {}
    if is_set and not were_drawn:
        whose = "" if was_for == endpoint else f", which were for {was_for or 'AWS'}"
        if typer.confirm(f"Keep the keys in .env{whose}?", default=True):
            return {}
    return _ask_for_keys(file, endpoint)


def _ask_for_keys(file: Sources, endpoint: str) -> Mapping[str, str]:
    typer.echo("The two keys are stored in .env only and are not shown as you type or paste them.")
    has_aws = is_aws_setup(Sources(file.project), Found("endpoint", endpoint, "answer"))
    typed = {}
    for name, what in zip(KEYS, ("Access key", "Secret key"), strict=True):
        question = f"{what} ({name})"
        if name == KEYS[0] and has_aws:
            question += ", or Enter to use your AWS configuration"
            typed[name] = _ask(question, partial(_check_key, name), default="", hidden=True)
            if not typed[name]:
                return dict.fromkeys(KEYS, "")
        else:
            typed[name] = _ask(question, partial(_check_key, name), hidden=True)
    return typed


def _ask(
    question: str, check: Callable[[str], None], default: str | None = None, *, hidden: bool = False
) -> str:
    """Ask until `check` takes the answer."""
    while True:
        shown = bool(default) and not hidden
        answer = typer.prompt(question, default, hide_input=hidden, show_default=shown).strip()
        try:
            check(answer)
        except SettingsError as error:
            typer.echo(str(error))
        else:
            return str(answer)


def _check_key(name: str, value: str) -> None:
    if value:
        check_text(Found(name, value, "answer"))
        env_file.quoted(value)


def _check_setting(field: str, label: str, value: str) -> None:
    """Apply the rules that the settings have for a value."""
    check_text(Found(label, value, "answer"))
    try:
        Settings.model_validate({field: value})
    except ValidationError as error:
        for fault in error.errors():
            if fault["loc"] == (field,):  # the other settings are missing here
                reason = fault["msg"].removeprefix("Value error, ")
                raise SettingsError(
                    f"{label}{shown(Found(label, value, 'answer'))} {reason}."
                ) from None


def _default(what: str, names: Names, now: Names) -> str:
    """The current value; a prefix that is the project's name follows the new name."""
    current = getattr(now, what) or ""
    if what == "endpoint" and current in {"", _aws_endpoint(now.region)}:
        return AWS  # follows the region
    if what == "prefix" and current == now.project:
        return names.project or current
    return current or (DEFAULT_REGION if what == "region" else "")


def _aws_endpoint(region: str | None) -> str:
    return f"https://s3.{region or DEFAULT_REGION}.amazonaws.com"


def _tidy(answer: str | None) -> str | None:
    """Without the blanks and the last slash that a pasted answer brings along."""
    if answer is None:
        return None
    answer = answer.strip()
    if "://" in answer:
        return answer.rstrip("/")
    return AWS if answer.lower() == AWS else answer
