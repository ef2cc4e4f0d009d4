"""What the command of a stage starts: scripts, modules and notebooks of the project."""

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

#: How names of scripts end: the first such word of a command is what it runs.
PYTHON, NOTEBOOK, SHELL, R = ".py", ".ipynb", (".sh", ".bash"), (".r", ".R")
SUFFIXES = (PYTHON, NOTEBOOK, *SHELL, *R)

#: How Python is called.
INTERPRETER = re.compile(r"(?:.*/)?python[\d.]*")

#: R's function that runs another file.
R_SOURCE = re.compile(r"""\bsource\(\s*["']([^"']+)["']""")


@dataclass
class Programs:
    """What a command starts.

    Attributes:
        files: scripts and notebooks, with those that shell scripts and R scripts start.
        modules: names that `python -m` runs.
        path: folders that the command adds to Python's path of imports.
        words: all words of the command itself.
    """

    files: list[Path] = field(default_factory=list)
    modules: list[str] = field(default_factory=list)
    path: list[Path] = field(default_factory=list)
    words: list[str] = field(default_factory=list)


def of_command(command: str, folder: Path) -> Programs:
    """What a command starts that runs in a folder.

    Args:
        command: as DVC has it; several have a line each.
        folder: in which it runs.
    """
    programs = Programs()
    for words in _simple_commands(command):
        programs.words += words
        _add(programs, words, folder)
    return programs


def _add(programs: Programs, words: Sequence[str], folder: Path) -> None:
    """Add what one simple command starts, and what that starts in its turn."""
    for word in words:
        name, _, value = word.partition("=")
        if name == "PYTHONPATH":
            programs.path += [folder / part for part in value.split(":") if part]
    for before, option, module in zip(words, words[1:], words[2:], strict=False):
        if option == "-m" and INTERPRETER.fullmatch(before):
            programs.modules.append(module)
            return
    scripts = (folder / word for word in words if word.endswith(SUFFIXES))
    file = next((path for path in scripts if path.is_file()), None)
    if file is None or file in programs.files:
        return
    programs.files.append(file)
    if file.suffix in SHELL:
        for inner in _simple_commands(_text(file)):
            _add(programs, inner, folder)
    elif file.suffix in R:
        for name in R_SOURCE.findall(_text(file)):
            _add(programs, [name], folder)


def _simple_commands(command: str) -> Iterator[list[str]]:
    """The words of each command between `;`, `|`, `&&` and the like; of redirections, the file."""
    for line in command.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words: list[str] = []
        try:
            for word in lexer:
                if word and set(word) <= set("();|&"):
                    yield words
                    words = []
                elif not (word and set(word) <= set("<>")):
                    words.append(word)
        except ValueError:  # a quotation over several lines, as in a script
            pass
        yield words


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace")
