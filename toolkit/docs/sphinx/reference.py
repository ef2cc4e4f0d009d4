"""The reference of the command line and of Python, from the code: nothing of it is written twice.

Each part is added at the end of the page that introduces it.
"""

import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

ROOT = Path(__file__).parents[3]

#: A target with its sentence, as `make help` finds it.
TARGET = re.compile(r"^([a-z]+):.*## (.+)", re.MULTILINE)

#: Parts of the Makefile that a project made of the template does not have.
ONLY_HERE = re.compile(r"^# template: only here$.*?^# template: end$", re.MULTILINE | re.DOTALL)

#: Modules whose names are public.
MODULES = ("dvc_bucket", "dvc_bucket.stages", "dvc_bucket.testing", "dvc_bucket.plugin")


def commands() -> Iterator[str]:
    """The words of `bucket`, by group: sentence, usage, options and examples."""
    from dvc_bucket.cli.app import app

    group: Any = typer.main.get_command(app)
    for title, words in group.groups().items():
        yield f"## {title}"
        for word, sentence in words.items():
            if word in group.commands:
                yield from _command(group.commands[word], f"bucket {word}")
            else:
                yield f"### `bucket {word}`"
                yield _text(sentence)
    yield "## Every other command of DVC"
    yield _text(group.epilog)
    yield "## Targets of the Makefile"
    yield from _targets((ROOT / "Makefile").read_text(encoding="utf-8"))


def _targets(makefile: str) -> Iterator[str]:
    targets = TARGET.findall(makefile)
    in_projects = {name for name, _ in TARGET.findall(ONLY_HERE.sub("", makefile))}
    missing = [f"`make {name}`" for name, _ in targets if name not in in_projects]
    yield f"A project made of the template does not have {', '.join(missing)}."
    rows = [f"| `make {name}` | {_text(said)} |" for name, said in targets]
    yield "\n".join(["| target | |", "| --- | --- |", *rows])


def _command(command: Any, name: str) -> Iterator[str]:
    context = command.make_context(name, [], resilient_parsing=True)
    yield f"###{'#' * (name.count(' ') - 1)} `{name}`"
    yield _text(command.help or "")
    if children := getattr(command, "commands", {}):
        for word, child in children.items():
            if not child.hidden:
                yield from _command(child, f"{name} {word}")
        return
    yield f"```text\n{name} {' '.join(command.collect_usage_pieces(context))}\n```"
    records = [one.get_help_record(context) for one in command.get_params(context)]  # --help last
    rows = [_row(option, said) for option, said in filter(None, records[:-1])]
    yield "\n".join(["| option | |", "| --- | --- |", *rows]) if rows else ""
    examples = (command.epilog or "").partition("Examples:\n")[2]
    yield f"```sh\n{inspect.cleandoc(examples)}\n```" if examples else ""


def _row(option: str, said: str) -> str:
    r"""A row of a table, where a bare `|` ends the cell, also within code: `--kind <python|r>`."""
    code = option.replace("|", r"\|")
    return f"| `{code}` | {_text(said)} |"


def _text(words: str) -> str:
    r"""Words of a help text as Markdown: `<`, `|` and `*` are letters, `\b` is typer's mark."""
    for letter in "<|*[":
        words = words.replace(letter, f"\\{letter}")
    return words.replace("\b\n", "")


def python() -> Iterator[str]:
    """The public names of each module, with their docstrings; each once."""
    shown: list[object] = []
    for name in MODULES:
        module = importlib.import_module(name)
        yield f"## `{name}`"
        yield "```{eval-rst}"
        for public in module.__all__:
            value = getattr(module, public)
            if not any(value is one for one in shown):
                yield f".. {_directive(value)}:: {name}.{public}\n"
            shown.append(value)
        yield "```"


def _directive(value: object) -> str:
    if inspect.isclass(value):
        return "autoclass"
    return "autofunction" if callable(value) else "autodata"


#: What is added to which page.
PARTS = {"toolkit/docs/commands": commands, "toolkit/docs/python": python}


def _add_part(_app: Any, name: str, source: list[str]) -> None:
    if part := PARTS.get(name):
        source[0] += "\n" + "\n\n".join(part())


def setup(app: Any) -> dict[str, bool]:
    """Register the extension."""
    app.connect("source-read", _add_part)
    return {"parallel_read_safe": True}
