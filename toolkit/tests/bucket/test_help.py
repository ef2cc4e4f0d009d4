"""Each command's help: one sentence, two examples that parse, and what a shell completes."""

import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from dvc_bucket import Project
from dvc_bucket.base.command_word import Group, Verbatim
from dvc_bucket.cli import repro_options
from dvc_bucket.cli.app import app
from tests.bucket.git_tools import TOOLS
from tests.bucket.store_tools import BUCKET, run

#: What an epilog begins with.
EXAMPLES = "\b\nExamples:\n"

ROOT: Any = typer.main.get_command(app)

#: Typer's error for arguments that do not fit.
WrongUsage: Any = typer.BadParameter.__base__


def commands(
    group: Any = ROOT, above: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command with its words, those that `bucket --help` does not list too."""
    for name, command in group.commands.items():
        yield (*above, name), command
        if isinstance(command, Group):
            yield from commands(command, (*above, name))


def examples() -> list[tuple[str, str]]:
    """The examples of all commands, each with its command."""
    return [
        (" ".join(words), line.strip())
        for words, command in commands()
        for line in command.epilog.removeprefix(EXAMPLES).splitlines()
    ]


def of_bucket(line: str) -> list[list[str]]:
    """The arguments of each `bucket` in a line for the shell."""
    text = line.replace('"$(', "; ").replace(')"', " ;")
    lexer = shlex.shlex(text, posix=True, punctuation_chars="|&;")
    lexer.whitespace_split, lexer.commenters = True, "#"
    found: list[list[str]] = [[]]
    for token in lexer:
        if set(token) <= set("|&;"):
            found.append([])
        else:
            found[-1].append(token)
    return [words[1:] for words in found if words[:1] == ["bucket"]]


def parse(words: list[str]) -> None:
    """Read the arguments as `bucket` does; DVC's or typer's error if they are wrong."""
    from dvc.cli.parser import get_main_parser

    name, *rest = words
    if name == "repro":
        words = ["repro", *repro_options.read(rest)[1]]
    elif name == "dvc":
        words = rest
    command = ROOT.commands.get(name)
    if command is None or isinstance(command, Verbatim):
        get_main_parser().parse_args(words)
        return
    if isinstance(command, Group):
        command = command.commands[rest.pop(0)]
    command.make_context(name, rest)


@pytest.mark.parametrize(("words", "command"), list(commands()), ids=str)
def test_help_is_one_sentence_more_text_and_two_examples(
    words: tuple[str, ...], command: Any
) -> None:
    first, *_ = command.help.split("\n\n")
    said = " ".join(first.split())
    assert re.fullmatch(r"[A-Z].*\.", said), said
    assert ". " not in said, said
    assert command.epilog.startswith(EXAMPLES)
    lines = command.epilog.removeprefix(EXAMPLES).splitlines()
    assert len(lines) >= 2
    assert any(line.strip().startswith(f"bucket {words[0]}") for line in lines)


@pytest.mark.parametrize("line", [line for _, line in examples()])
def test_an_example_is_right_usage(line: str) -> None:
    if line.startswith(("make ", "git lfs ")):
        return
    found = of_bucket(line)
    assert found, line
    for words in found:
        parse(words)


def test_an_example_with_a_wrong_option_would_not_pass() -> None:
    from dvc.cli import DvcParserError

    for words in (["ls", "--no-such"], ["repro", "--no-such"], ["lfs", "setup", "more"]):
        with pytest.raises((DvcParserError, WrongUsage)):
            parse(words)


@pytest.mark.parametrize(
    ("words", "near"),
    [
        (("pusch",), "Did you mean push?"),
        (("new", "stge"), "Did you mean 'stage'?"),
        (("verify", "--all-brnches"), "--all-branches"),
        (("--vesion",), "--version"),
    ],
)
def test_a_misspelt_word_or_option_gets_the_nearest(
    tmp_path: Path, words: tuple[str, ...], near: str
) -> None:
    done = run(Project(tmp_path), *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert near in done.stderr


#: Prints what bash offers for each line, in a row of its own.
COMPLETE = r"""
source ~/.bashrc
offer() {
  COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
  _bucket_completion "$1"
  printf '%s|' "${COMPREPLY[@]}"; echo
}
offer bucket verif
offer bucket pu
offer bucket new ''
offer bucket verify --all-b
offer bucket new stage smooth --kind ''
offer bucket nothing-such new
"""


def test_bash_completes_commands_and_options_once_it_is_installed(tmp_path: Path) -> None:
    env = os.environ | {"HOME": str(tmp_path), "PATH": f"{TOOLS}:{os.environ['PATH']}"}

    def bash(script: str) -> str:
        command = ["bash", "--norc", "-c", script]
        done = subprocess.run(
            command, env=env, cwd=tmp_path, capture_output=True, text=True, check=True
        )
        assert done.stderr == ""
        return done.stdout

    bash(f"{BUCKET} --install-completion; true")  # true: else bash becomes the command
    assert bash("source ~/.bashrc; complete -p bucket").endswith("-F _bucket_completion bucket\n")
    offered = [line.strip("|").split("|") for line in bash(COMPLETE).splitlines()]
    verify, push, new, branches, kinds, _ = offered
    assert verify == ["verify"]
    assert push == ["pull", "push"]  # DVC's
    assert new == ["stage", "data"]
    assert branches == ["--all-branches"]
    assert kinds[:2] == ["python", "notebook"]
