"""The command `bucket`: collects the words of the jobs, groups them, and leaves the rest to DVC."""

import difflib
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from bucket.cli import (
    check,
    clean,
    doctor,
    dvc,
    dvc_words,
    init,
    lfs,
    lock,
    provenance,
    reading,
    report,
    run,
    secrets,
    serve,
    verify,
)
from bucket.cli.word import Verbatim, add, sentence

#: The groups of `bucket --help`, in order. A word of DVC is there with its sentence; the rest of
#: DVC's words work without being listed.
GROUPS: dict[str, list[Callable[..., Any] | typer.Typer | str]] = {
    "Everyday": ["pull", "push", "fetch", "add", "status", dvc.repro],
    "Look": [reading.ls, reading.cat, reading.cp, reading.pack, reading.advise],
    "Prove": [
        *(verify.verify, check.check, report.report, provenance.provenance, secrets.secrets),
    ],
    "Set up": [init.init, serve.serve, doctor.doctor, lfs.app, run.run, clean.clean],
}

#: Words that programs call: make, git and this project's own set-up.
HIDDEN = (dvc.dvc, dvc.reproduce, doctor.protect_cache, lock.lock_merge)

#: Words whose arguments are another program's: DVC gets all of them, `--help` too.
OPTIONS: dict[Callable[..., Any], dict[str, Any]] = {
    dvc.dvc: {"cls": Verbatim, "add_help_option": False},
    dvc.repro: {"cls": Verbatim, "add_help_option": False},
    dvc.reproduce: {"context_settings": {"allow_extra_args": True, "ignore_unknown_options": True}},
    run.run: {
        "context_settings": {"ignore_unknown_options": True, "allow_interspersed_args": False}
    },
}

#: Near matches that are named where a word is unknown.
NEAR = 3

FOOTER = (
    "Every other command of DVC works too, with this project's connection: `bucket checkout`, "
    "`bucket exp run`, `bucket remote list`. Where a name is taken, `bucket dvc` reaches DVC's "
    "command: `bucket dvc init`, `bucket dvc ls`."
)


class Words(TyperGroup):
    """The words of `bucket`, and all those of DVC that are not among them."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the first argument names; exit status 2 if there is none."""
        word = args[0]
        if word in self.commands:
            return super().resolve_command(ctx, args)
        if word in dvc_words.WORDS:
            return super().resolve_command(ctx, ["dvc", *args])
        ours = {name for name, command in self.commands.items() if not command.hidden}
        near = difflib.get_close_matches(word, sorted(ours | dvc_words.WORDS), NEAR)
        advice = f"Did you mean {' or '.join(near)}?" if near else "`bucket --help` lists them."
        print(f"bucket: neither bucket nor DVC has a command {word!r}. {advice}", file=sys.stderr)
        raise typer.Exit(2)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 (as overridden)
        """Write each group with one whole sentence for each word."""
        groups = {name: dict(_rows(words)) for name, words in GROUPS.items()}
        for name, command in self.commands.items():
            if not command.hidden:
                group = getattr(command, "rich_help_panel", None) or "More"
                groups.setdefault(group, {})[name] = sentence(command)
        width = max(len(word) for rows in groups.values() for word in rows)
        for title, rows in groups.items():
            with formatter.section(title):
                formatter.write_dl([(word.ljust(width), said) for word, said in rows.items()])


def _rows(words: list[Callable[..., Any] | typer.Typer | str]) -> list[tuple[str, str]]:
    """DVC's words of a group; the sentences of ours are in their docstrings."""
    return [(word, dvc_words.LISTED[word]) for word in words if isinstance(word, str)]


def collect(app: typer.Typer) -> None:
    """Add every word to the command, each job's own in the order of the groups."""
    for group, words in GROUPS.items():
        for word in words:
            if isinstance(word, typer.Typer):
                app.add_typer(word, rich_help_panel=group)
            elif not isinstance(word, str):
                add(app, word, group, **OPTIONS.get(word, {}))
    for word in HIDDEN:
        add(app, word, None, **OPTIONS.get(word, {}))


def _version(*, is_wanted: bool) -> None:
    if is_wanted:
        from bucket import toolkit

        print(toolkit.versions())
        raise typer.Exit


def bucket(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            help="Print the versions of the toolkit, DVC and Python.",
            is_eager=True,
            callback=lambda value: _version(is_wanted=value),
        ),
    ] = False,
) -> None:
    """Reproducible data on object storage: DVC with this project's connection, and more."""


app = typer.Typer(
    name="bucket",
    cls=Words,
    epilog=FOOTER,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.callback()(bucket)
collect(app)
