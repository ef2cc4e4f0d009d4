"""Names and messages that are not ours cannot give commands to a terminal."""

import io
import os
import re
import subprocess
from pathlib import Path

import pytest
from rich.table import Table
from rich.text import Text

from dvc_bucket.base.console import Console
from dvc_bucket.base.terminal import visible
from tests.bucket.git_tools import TOOLS
from tests.bucket.terminal import Terminal
from tests.safety.hostile import publish
from tests.stores.fixtures import access
from tests.verify.published import Published, empty

#: What a terminal obeys: by what it does.
COMMANDS = {
    "colour": "\x1b[31m",
    "title": "\x1b]0;title\x07",
    "clipboard": "\x1b]52;c;Y3VybCBldmls\x07",
    "one byte": "\x9b31m",
    "back over what was said": "\r",
    "erase": "\x08\x08\x7f",
    "turn around": "\u202egnp.exe",
    "no text at all": "\udc80",
}


@pytest.fixture(scope="module")
def published(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Published:
    made = empty(tmp_path_factory.mktemp("terminal") / "project", access(request, "seaweed"))
    names = [f"{number}{COMMANDS[what]}end" for number, what in enumerate(list(COMMANDS)[:-1])]
    publish(made, names)
    publish(made, [*names, "../\x1b[31mup"], "worse")
    return made


def shown(published: Published, *words: str) -> str:
    """What a terminal gets from a command."""
    env = published.clone.environment
    with Terminal([TOOLS / "bucket", *words], published.root, env) as terminal:
        terminal.end()
        return terminal.shown


@pytest.mark.parametrize("what", COMMANDS)
def test_a_command_to_the_terminal_is_shown_as_text(what: str) -> None:
    text = visible(f"a{COMMANDS[what]}b\n\tc")
    assert text.replace("\n", "").replace("\t", "").isprintable()
    assert text.startswith("a\\")
    assert text.endswith("b\n\tc")


def test_usual_text_stays_as_it_is() -> None:
    text = "Zürich → 東京 100 % 👍\n\tand more"
    assert visible(text) == text


def test_lists_on_a_terminal_obey_nothing_and_a_pipe_has_the_names(published: Published) -> None:
    text = shown(published, "ls", "hostile")
    for what in list(COMMANDS)[:-1]:
        assert COMMANDS[what] not in text, what
    assert "hostile/0\\x1b[31mend" in text
    piped = subprocess.run(
        [TOOLS / "bucket", "ls", "hostile"],
        cwd=published.root,
        env=published.clone.environment,
        capture_output=True,
        check=True,
    )
    assert b"hostile/0\x1b[31mend" in piped.stdout


def test_errors_obey_nothing_on_a_terminal_and_in_a_pipe(
    published: Published, tmp_path: Path
) -> None:
    words = ("cp", "worse", str(tmp_path / "fast"))
    assert "\x1b[31m" not in shown(published, *words)
    missing = ("cat", "no\x1b[31mthing")
    assert "\x1b[31m" not in shown(published, *missing)
    for command in (words, missing):
        done = published.clone.run(TOOLS / "bucket", *command, check=False)
        assert done.returncode == 1
        assert "\\x1b[31m" in done.stderr
        assert "\x1b[31m" not in done.stderr


def test_messages_of_dvc_are_plain(published: Published) -> None:
    """Its colours are neither codes in a pipe nor text on a terminal."""
    words = ("remote", "--no-such-option")
    done = published.clone.run(TOOLS / "bucket", *words, check=False)
    for text in (shown(published, *words), done.stdout + done.stderr):
        assert "ERROR: " in text
        assert "Documentation: <https://" in text
        assert "[3" not in text


def test_tables_obey_nothing_and_keep_their_own_colours(published: Published) -> None:
    table = Table("name", "size")
    for what in COMMANDS.values():
        table.add_row(Text(f"a{what}b", style="red"), what)
    file = io.StringIO()
    Console(file=file, force_terminal=True, width=200, color_system="standard").print(table)
    text = file.getvalue().replace("\x1b[31m", "").replace("\x1b[1m", "").replace("\x1b[0m", "")
    assert "\x1b[31m" in file.getvalue()
    assert text.replace("\n", "").isprintable()
    key = next(key for key in published.keys if not key.endswith(".dir"))
    body = published.get(key)
    published.delete(key)
    try:
        said = shown(published, "verify")
        assert "1\\x1b]0;title" in said
        assert "\x1b]" not in said
    finally:
        published.put(key, body)


def test_a_long_list_is_not_slow() -> None:
    text = "".join(f"data/raw/file-{number}.csv\n" for number in range(100_000))
    start = os.times().user
    assert visible(text) == text
    assert os.times().user - start < 2


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_table_of_numbers_has_a_line_for_each_row(*, is_terminal: bool) -> None:
    file = io.StringIO()
    console = Console(file=file, force_terminal=is_terminal, no_color=True, width=60)
    rows = [("a", "1"), ("name\x1b[2J\n", "1,000"), ("漢字", "")]
    console.count(("dataset", "n"), [[Text(cell) for cell in row] for row in rows])
    lines = [line.rstrip() for line in re.sub(r"\x1b\[\d*m", "", file.getvalue()).splitlines()]
    if not is_terminal:
        assert lines == [
            "dataset            n",
            "a                  1",
            r"name\x1b[2J\n  1,000",
            "漢字",
        ]
    assert (lines[0].split(), lines[1].split()) == (["dataset", "n"], ["a", "1"])
    assert "\x1b[2J" not in file.getvalue()
