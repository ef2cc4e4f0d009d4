"""The words of `bucket`: its own, and all of DVC's."""

import argparse
import os
import re
import subprocess
import sys
import textwrap
import time
from importlib.metadata import version
from pathlib import Path

import pytest

from dvc_bucket import Project
from dvc_bucket.cli import dvc_words
from dvc_bucket.cli.app import app
from dvc_bucket.connection.env_file import create_env
from tests import TESTS_ROOT, forking
from tests.bucket.git_tools import TOOLS
from tests.bucket.store_tools import BUCKET, run

#: The words that are ours, each with its group.
OURS = {
    "Everyday": {"repro", "save", "new"},
    "Look at data": {"ls", "cat", "cp", "share", "du", "pack", "advise", "env"},
    "Prove and protect": {"verify", "check", "report", "provenance", "secrets"},
    "Set up": {"init", "serve", "doctor", "lfs", "run", "clean", "leave"},
}


@pytest.fixture
def connected(project: Project) -> Project:
    create_env(project)
    return project


def dvc(project: Project, *words: str) -> subprocess.CompletedProcess[str]:
    """Plain `dvc`."""
    command = [str(TOOLS / "dvc"), *words]
    return forking.run(command, cwd=project.root, capture_output=True, text=True, check=False)


def help_of(*words: str, **variables: str) -> str:
    """What `--help` prints into a pipe."""
    command = [str(BUCKET), *words, "--help"]
    env = os.environ | variables
    done = forking.run(command, env=env, capture_output=True, text=True, check=True)
    return str(done.stdout)


def test_the_table_has_every_command_of_dvc() -> None:
    from dvc.cli.parser import get_main_parser

    actions = get_main_parser()._actions
    [commands] = [one for one in actions if isinstance(one, argparse._SubParsersAction)]
    assert set(commands.choices) == dvc_words.WORDS
    assert set(dvc_words.LISTED) <= dvc_words.WORDS


@pytest.mark.parametrize(
    "words",
    [
        ("add", "--help"),
        ("exp", "show", "--help"),
        ("experiments", "list", "--help"),
        ("stage", "add", "--help"),
        ("diff", "-h"),
        ("pull", "--help"),
        ("checkout", "--no-such-option"),
        ("add",),
        ("remote", "list"),
        ("add", "no-such-file"),
        ("check-ignore", "notes.txt"),
        ("version", "--help"),
    ],
)
def test_a_word_of_dvc_is_dvc(connected: Project, words: tuple[str, ...]) -> None:
    subprocess.run(["git", "init", "-q"], cwd=connected.root, check=True)
    ours, plain = run(connected, *words), dvc(connected, *words)
    assert (ours.returncode, ours.stdout) == (plain.returncode, plain.stdout)
    assert ours.stderr == plain.stderr


@pytest.mark.parametrize("words", [("repro",), ("exp", "run"), ("experiments", "run")])
def test_the_help_of_dvcs_word_begins_with_what_we_add(
    connected: Project, words: tuple[str, ...]
) -> None:
    ours, plain = run(connected, *words, "--help"), dvc(connected, *words, "--help")
    assert ours.stdout.endswith(plain.stdout)
    assert "--jobs N" in ours.stdout.removesuffix(plain.stdout)


def test_dvc_gets_every_argument_as_it_is(connected: Project) -> None:
    """Also options of the same name as ours, and what follows two dashes."""
    subprocess.run(["git", "init", "-q"], cwd=connected.root, check=True)
    (connected.root / "--version").write_text("data")
    assert run(connected, "add", "-q", "--", "--version").returncode == 0
    assert (connected.root / "--version.dvc").is_file()
    words = ("stage", "add", "-n", "one", "-o", "one.txt", "printf x >one.txt")
    assert run(connected, *words).returncode == 0
    assert run(connected, "repro", "-q").returncode == 0
    assert (connected.root / "one.txt").read_text() == "x"
    assert run(connected, "status").stdout == dvc(connected, "status").stdout


def test_the_alias_reaches_what_has_a_name_of_ours(connected: Project, tmp_path: Path) -> None:
    assert run(connected, "dvc", "ls", "--help").stdout == dvc(connected, "ls", "--help").stdout
    bare = Project(tmp_path / "bare")
    bare.root.mkdir()
    assert run(bare, "dvc", "init", "--no-scm", "-q").returncode == 0
    assert (bare.root / ".dvc" / "config").is_file()
    assert run(bare, "remote", "add", "-d", "storage", "s3://bucket/prefix").returncode == 0


def test_outside_of_a_project_dvc_says_so(tmp_path: Path) -> None:
    outside = Project(tmp_path)
    ours, plain = run(outside, "status"), dvc(outside, "status")
    assert (ours.returncode, ours.stderr) == (plain.returncode, plain.stderr)


@pytest.mark.parametrize(
    ("word", "near"),
    [("statsu", "status"), ("verfy", "verify"), ("reproduce-all", "repro"), ("xyzzy", "--help")],
)
def test_an_unknown_word_gets_one_sentence_with_near_matches(
    tmp_path: Path, word: str, near: str
) -> None:
    begin = time.monotonic()
    done = run(Project(tmp_path), word, "more")
    assert time.monotonic() - begin < 5
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"bucket: neither bucket nor DVC has a command '{word}'.")
    assert near in done.stderr


#: What takes longer to import than `bucket --help` may take, or a good part of that.
LARGE = {
    *("dvc", "obstore", "pyarrow", "pandas", "numpy", "rich.console", "pydantic", "psutil"),
    *("urllib.request", "importlib.metadata", "ruamel.yaml", "configobj", "asyncio"),
}


#: What typer imports to read options.
OF_TYPER = {"pydantic", "importlib.metadata"}


@pytest.mark.parametrize("words", [("--help",), ("statsu",), ("verify", "--help"), ("--version",)])
def test_dvc_and_large_libraries_are_not_imported_to_know_the_words(words: tuple[str, ...]) -> None:
    code = """
        import sys
        from dvc_bucket.cli import main
        sys.argv = ["bucket", *sys.argv[1:]]
        try:
            main()
        except SystemExit:
            print(*sys.modules, file=sys.stderr)
    """
    command = [sys.executable, "-c", textwrap.dedent(code), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    imported = LARGE & {*done.stderr.splitlines()[-1].split()}
    assert imported <= (set() if words == ("--help",) else OF_TYPER)


@pytest.mark.parametrize("columns", ["", "80", "60"])
def test_help_groups_the_words_with_whole_sentences(columns: str) -> None:
    """In a pipe, where click takes 80 columns, as on a terminal of so many."""
    text = help_of(COLUMNS=columns)
    assert max(map(len, text.splitlines())) <= int(columns or 80)
    assert "..." not in text.replace("COMMAND [ARGS]...", "")
    assert "…" not in text
    *paragraphs, footer = text.split("\n\n")
    assert " ".join(footer.split()).startswith("Every other command of DVC works too")
    groups = re.split(r"^(\w[\w ]*):\n", "\n\n".join(paragraphs) + "\n", flags=re.MULTILINE)[1:]
    rows = {
        title: dict(re.findall(r"^  (\w+) +((?:.+\n)(?:   +.+\n)*)", body, flags=re.MULTILINE))
        for title, body in zip(groups[::2], groups[1::2], strict=True)
    }
    rows.pop("Options")
    assert list(rows) == list(OURS)
    for title, words in OURS.items():
        assert words | (set(dvc_words.LISTED) if title == "Everyday" else set()) == set(rows[title])
        for sentence in rows[title].values():
            said = " ".join(sentence.split())
            assert said.endswith("."), said
            assert said.count(". ") == 0, said


def test_the_page_of_commands_lists_them_in_the_same_groups() -> None:
    page = (TESTS_ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    for title, words in OURS.items():
        [row] = re.findall(rf"^\| {title} \| (.+) \|$", page, re.MULTILINE)
        of_dvc = set(dvc_words.LISTED) if title == "Everyday" else set()
        assert set(re.findall(r"`(\w+)`", row)) == words | of_dvc


def test_each_word_has_a_sentence_and_two_examples() -> None:
    for word in (one for words in OURS.values() for one in words if one != "repro"):
        text = help_of(word)
        assert not re.search(r"\w\.\.\.|…", text.replace("COMMAND...", "")), word
        examples = text.split("Examples:\n")[1].strip().splitlines()
        assert len(examples) >= 2, word
        assert any(line.strip().startswith(f"bucket {word}") for line in examples), word


def test_version_names_toolkit_dvc_and_python() -> None:
    done = forking.run([BUCKET, "--version"], capture_output=True, text=True, check=True)
    toolkit, of_dvc, python = done.stdout.splitlines()
    assert re.fullmatch(r"dvc-bucket \d+\.\d+\.\d+.*", toolkit)
    assert of_dvc == f"dvc {version('dvc')}"
    assert python == f"Python {sys.version.split()[0]}"


def test_the_help_of_repro_is_that_of_dvc_and_of_our_option(connected: Project) -> None:
    ours, plain = run(connected, "repro", "--help"), dvc(connected, "repro", "--help")
    assert ours.stdout.endswith(plain.stdout)
    assert "--locked" in ours.stdout.removesuffix(plain.stdout)
    assert app.info.name == "bucket"


STAGES = """\
stages:
  copy:
    cmd: cp {path}in.txt {path}out.txt
    deps: [in.txt]
    outs: [out.txt]
"""


@pytest.mark.parametrize("folder", ["", "sub/"])
def test_repro_locked_fails_where_the_lock_changes(connected: Project, folder: str) -> None:
    """Also the lock file of a pipeline in a folder."""
    root = connected.root
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    at = root / folder
    at.mkdir(exist_ok=True)
    (at / "dvc.yaml").write_text(STAGES.format(path=""))
    (at / "in.txt").write_text("one")
    target = f"{folder}dvc.yaml:copy" if folder else "copy"
    assert run(connected, "repro", target).returncode == 0
    locked = run(connected, "repro", "--locked", target)
    assert (locked.returncode, locked.stderr) == (0, "")
    (at / "out.txt").unlink()
    assert run(connected, "repro", "--locked", target).returncode == 0
    assert (at / "out.txt").read_text() == "one"
    (at / "in.txt").write_text("two")
    changed = run(connected, "repro", "--locked", target)
    assert changed.returncode == 1
    assert f"bucket: Results differ from dvc.lock: {target}." in changed.stderr
    (at / "dvc.yaml").write_text(STAGES.format(path="no/"))
    failed = run(connected, "repro", "--locked", target)
    assert failed.returncode == run(connected, "repro", target).returncode != 1
