"""The command `bucket`: collects the jobs' commands in groups and passes the rest to DVC."""

import difflib
import os
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from dvc_bucket import plugin
from dvc_bucket.base.command_word import Group, Verbatim, add
from dvc_bucket.cli import dvc, dvc_words, init, packages, proving, reading, serve, set_up, update
from dvc_bucket.jobs.check import cli as check
from dvc_bucket.jobs.du import cli as du
from dvc_bucket.jobs.lfs import cli as lfs
from dvc_bucket.jobs.new import cli as new
from dvc_bucket.jobs.notebook import cli as notebook
from dvc_bucket.jobs.report import cli as report
from dvc_bucket.jobs.save import cli as save
from dvc_bucket.jobs.share import cli as share
from dvc_bucket.jobs.verify import cli as verify

#: The groups of `bucket --help`, in order. A text is a command of DVC. DVC's other commands work,
#: too, without being listed.
GROUPS: dict[str, list[Callable[..., Any] | typer.Typer | str]] = {
    "Everyday": ["pull", "push", "fetch", "add", "status", dvc.repro, save.save, new.app],
    "Look at data": [
        *(reading.ls, reading.cat, reading.cp, share.share, du.du, reading.pack, reading.advise),
        packages.env,
    ],
    "Prove and protect": [
        *(verify.verify, check.check, report.report, proving.provenance, proving.secrets),
    ],
    "Set up": [
        *(init.init, serve.serve, set_up.doctor, lfs.app, set_up.run, set_up.clean),
        set_up.leave,
    ],
}

#: Commands that make, git, stages and the set-up call, and commands that pass to DVC.
HIDDEN = (
    *(dvc.dvc, dvc.exp, dvc.reproduce, set_up.protect_cache, notebook.notebook),
    *(proving.lock_merge, packages.add_package),
    *(update.merge_template, update.prove_update),
)

#: Commands that pass their arguments on. DVC gets all of them, `--help` too.
OPTIONS: dict[Callable[..., Any], dict[str, Any]] = {
    dvc.dvc: {"cls": Verbatim, "add_help_option": False},
    dvc.repro: {"cls": Verbatim, "add_help_option": False},
    dvc.exp: {"cls": Verbatim, "add_help_option": False},
    dvc.reproduce: {"context_settings": {"allow_extra_args": True, "ignore_unknown_options": True}},
    set_up.run: {
        "context_settings": {"ignore_unknown_options": True, "allow_interspersed_args": False}
    },
}

#: Suggestions for an unknown command, at most.
NEAR = 3

#: The group of `bucket --help` for commands of plugins.
PLUGINS = "Plugins"

FOOTER = (
    "Every other command of DVC works too, with this project's connection: `bucket checkout`, "
    "`bucket exp run`, `bucket remote list`. If `bucket` has a command of the same name, use "
    "`bucket dvc`: `bucket dvc init`, `bucket dvc ls`. `bucket --install-completion` makes the Tab "
    "key complete commands and options in your shell."
)


class Words(Group):
    """The commands of `bucket`, and those of DVC that `bucket` does not have."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the first argument names; exit status 2 if there is none."""
        word = args[0]
        if word == "experiments":  # DVC's other name
            return super().resolve_command(ctx, ["exp", *args[1:]])
        if word in self.commands:
            return super().resolve_command(ctx, args)
        if word in dvc_words.WORDS:
            return super().resolve_command(ctx, ["dvc", *args])
        if self.add_plugins(word) or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        ours = {name for name, command in self.commands.items() if not command.hidden}
        near = difflib.get_close_matches(word, sorted(ours | dvc_words.WORDS), NEAR)
        advice = f"Did you mean {' or '.join(near)}?" if near else "`bucket --help` lists them."
        print(f"bucket: neither bucket nor DVC has a command {word!r}. {advice}", file=sys.stderr)
        raise typer.Exit(2)

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        """The words that the shell offers: ours, those of plugins and those of DVC."""
        self.add_plugins()
        words = ((word, dvc_words.LISTED.get(word)) for word in sorted(dvc_words.WORDS))
        of_dvc: dict[str, Any] = {word: TyperCommand(word, help=said) for word, said in words}
        self.commands = {**of_dvc, **self.commands}
        return super().shell_complete(ctx, incomplete)

    def add_plugins(self, word: str | None = None) -> bool:
        """Add the commands of installed plugins; True if there are any.

        Args:
            word: name of the only one to load; None for all.
        """
        added = typer.Typer()
        for name, value in plugin.commands(word, {*self.commands, *dvc_words.WORDS}):
            if isinstance(value, typer.Typer):
                added.add_typer(value, name=name, rich_help_panel=PLUGINS)
            else:
                added.command(name=name, rich_help_panel=PLUGINS)(value)
        if not (added.registered_commands or added.registered_groups):
            return False
        added.callback()(lambda: None)  # with it, typer makes a group of a single command too
        group: Any = typer.main.get_command(added)
        self.commands |= group.commands
        return True

    def groups(self) -> dict[str, dict[str, str]]:
        """The commands and their sentences, by group; DVC's first, those of plugins last."""
        self.add_plugins()
        of_dvc = {
            group: {word: dvc_words.LISTED[word] for word in words if isinstance(word, str)}
            for group, words in GROUPS.items()
        }
        ours = super().groups()
        return {group: of_dvc.get(group, {}) | ours.get(group, {}) for group in of_dvc | ours}


def collect(app: typer.Typer, called: str) -> None:
    """Add the command that is called; all commands, in the order of the groups, if it is not ours.

    Building all of them takes longer than the start of Python.
    """
    ours: list[tuple[Callable[..., Any], str | None]] = [(word, None) for word in HIDDEN]
    ours = [(word, group) for group in GROUPS for word in GROUPS[group] if callable(word)] + ours
    for word, group in [one for one in ours if _name(one[0]) == called] or ours:
        if isinstance(word, typer.Typer):
            app.add_typer(word, rich_help_panel=group)
        else:
            add(app, word, group, **OPTIONS.get(word, {}))


def _name(word: Callable[..., Any]) -> str | None:
    """The name on the command line."""
    if isinstance(word, typer.Typer):
        return word.info.name
    return word.__name__.replace("_", "-")


def _version(*, is_wanted: bool) -> None:
    if is_wanted:
        from dvc_bucket.base import toolkit

        print(toolkit.versions())
        raise typer.Exit


def _log(*, is_wanted: bool) -> None:
    from dvc_bucket.connection import log

    if is_wanted:
        os.environ[log.VARIABLE] = log.STDERR  # for the programs that a command starts, too
    log.begin(sys.argv)


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
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose",
            help="Log each request on stderr, and the traceback of a failure.",
            callback=lambda value: _log(is_wanted=value),
        ),
    ] = False,
) -> None:
    """Version, prove and read data on object storage with DVC."""


#: A shell asks for completions, or a person for the script of it. Typer's options for that import
#: pydantic, which takes longer than the help.
IS_COMPLETING = "_BUCKET_COMPLETE" in os.environ or any(
    word.endswith("-completion") for word in sys.argv[1:2]
)

app = typer.Typer(
    name="bucket",
    cls=Words,
    epilog=FOOTER,
    no_args_is_help=True,
    add_completion=IS_COMPLETING,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.callback()(bucket)
collect(app, next(iter(sys.argv[1:]), ""))
