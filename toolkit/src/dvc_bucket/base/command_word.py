"""A function becomes a word of the command line: its docstring is the help."""

import inspect
import sys
from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

#: What a docstring's examples begin with.
EXAMPLES = "\n\nExamples:\n"


class Verbatim(TyperCommand):
    """A word that takes all its arguments as they are, `--help` too."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take all arguments as they are."""
        ctx.args = list(args)
        return args


class Group(TyperGroup):
    """Words in groups, each with one whole sentence."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 (as overridden)
        """Write the words of each group and their sentences."""
        groups = self.groups()
        width = max(len(word) for rows in groups.values() for word in rows)
        for title, rows in groups.items():
            with formatter.section(title):
                formatter.write_dl([(word.ljust(width), said) for word, said in rows.items()])

    def groups(self) -> dict[str, dict[str, str]]:
        """The words and their sentences, by group."""
        groups: dict[str, dict[str, str]] = {}
        for name, command in self.commands.items():
            if not command.hidden:
                group = getattr(command, "rich_help_panel", None) or "More"
                groups.setdefault(group, {})[name] = command.get_short_help_str(sys.maxsize)
        return groups


def add(
    app: typer.Typer, function: Callable[..., Any], group: str | None = None, **options: Any
) -> None:
    """Add a word to a command.

    Args:
        app: the command, or a group of words.
        function: with typer's annotations. Its name is the word. Its docstring is the help, and
            ends with `Examples:`, two lines that a person can type.
        group: of `bucket --help`; None hides the word.
        options: of typer's `command`.
    """
    text, _, examples = inspect.cleandoc(function.__doc__ or "").partition(EXAMPLES)
    options.setdefault("hidden", group is None)
    app.command(help=text, epilog=f"\b\nExamples:\n{examples}", rich_help_panel=group, **options)(
        function
    )
