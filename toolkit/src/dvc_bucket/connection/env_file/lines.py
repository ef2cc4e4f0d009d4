"""The lines of a dotenv file, and which of them every program reads alike.

Four kinds of program read `.env`: python-dotenv (`bucket`, `dotenv run`), uv, and shells, of which
sh and bash agree. `tests/bucket/test_env_file.py` holds every rule here against all of them.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from io import StringIO

from dotenv.parser import Binding, parse_stream

from dvc_bucket.base.errors import SettingsError

#: Names that matter here; what else somebody keeps in the file is theirs.
OURS = ("OS_", "AWS_")

#: All expand `${NAME}` where it is bare or in double quotes, to nothing if it is not set above.
REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")

_START = r"(?:export[ \t]+)?[A-Za-z_][A-Za-z0-9_]*="
_END = r"[ \t]*(?:[ \t]\#[^\r]*)?"

#: A line that all read alike. Bare: nothing that a shell acts on, no `#` first (uv: a comment), no
#: `~` where a shell puts the home folder. Single quotes: no `\\` or `\'` and nothing like `${...}`,
#: as python-dotenv replaces these even there. Double quotes: no escape but `\\` and `\"`.
PORTABLE = re.compile(
    rf"""{_START}
    (?: '(?:\\(?!['\\]) | (?!\$\{{[^}}:]*(?::-[^}}]*)?\}})[^'\\\r])*'
      | "(?:{REFERENCE.pattern} | \\[\\"] | [^"\\$`\r])*"
      | (?![\#~])(?:{REFERENCE.pattern} | :(?!~) | [^\s:'"`$\\;&|<>()])*
    ){_END}""",
    re.VERBOSE,
)

#: A line of somebody else, which may mean different things to different programs, but after which
#: each still reads ours. Of what it leaves out, most has uv give up, or a shell wait for an end.
HARMLESS = re.compile(
    rf"""(?:export[ \t]+)?[A-Za-z_][A-Za-z0-9_]*[ \t]*=[ \t]*
    (?: '(?:\\(?!['\\]) | [^'\\])*'
      | "(?:\$\{{\w+(?::-[^"'`$\\{{}}]*)?\}} | \\[\\"'$ n] | [^"\\$`])*"
      | \$\{{\w+(?::-[^\s"'`$\\{{}}()]*)?\}} | \$(?![\{{(]) | \\[\\"'$] | [^\s'"`$\\<>()]
    )*{_END}\r?""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Line:
    """One setting of the file.

    Attributes:
        value: with quotes taken off and references put in; never shown, as it can be a secret.
        number: of the line, from 1.
    """

    value: str = field(repr=False)
    number: int


@dataclass(frozen=True)
class _Setting:
    """A line `NAME=value` as it stands there, and where; the last may lack its line end."""

    name: str
    value: str
    text: str
    where: str
    number: int
    has_end: bool


def read(text: str, file: str, environment: Mapping[str, str]) -> dict[str, Line]:
    """The settings of ours in the text of a dotenv file, by name.

    Args:
        text: of the file.
        file: its name, for messages.
        environment: where references are looked up that the file does not set.

    Raises:
        SettingsError: a line of ours means different things to different programs, or a line of
            somebody else keeps a program from reading ours.
    """
    settings = _settings(text, file)
    ours = _ours(settings)
    known = dict(environment)
    found: dict[str, Line] = {}
    for setting in settings:
        if setting.name not in ours:
            _check_harmless(setting)
            known[setting.name] = setting.value
            continue
        _check_portable(setting)
        value = REFERENCE.sub(lambda match: known.get(match[1], ""), setting.value)
        before = found.get(setting.name)
        if before and before.value != value:
            raise SettingsError(
                f"{setting.where} sets {setting.name} again, after line {before.number}; some "
                "programs take the first, some the last. Delete one of the two."
            )
        known[setting.name] = value
        found[setting.name] = before or Line(value, setting.number)
    return {name: line for name, line in found.items() if name.upper().startswith(OURS)}


def is_portable(line: str) -> bool:
    """Whether every program reads a line alike."""
    return PORTABLE.fullmatch(line) is not None


def _settings(text: str, file: str) -> list[_Setting]:
    """What python-dotenv finds, each with its own line and the number of that.

    Raises:
        SettingsError: a line that is neither a setting nor a comment nor blank.
    """
    settings = []
    for binding in parse_stream(StringIO(text, newline="")):
        number = _number(binding)
        where = f"{file}, line {number}"
        if binding.error:
            raise SettingsError(
                f"{where} is not of the form NAME=value; perhaps a quote is not closed. Correct it."
            )
        if binding.key is not None:
            line = binding.original.string.lstrip(" \t\r\n")
            text, value = line.removesuffix("\n"), binding.value or ""
            settings.append(_Setting(binding.key, value, text, where, number, line != text))
    return settings


def _number(binding: Binding) -> int:
    """Of the line of a setting; python-dotenv counts from the blank lines before it."""
    string = binding.original.string
    blank = string[: len(string) - len(string.lstrip())]
    return binding.original.line + len(re.findall(r"\r\n|\n|\r", blank))


def _ours(settings: Iterable[_Setting]) -> set[str]:
    """Names of ours, and of those that they refer to."""
    names: set[str] = set()
    for setting in reversed(list(settings)):
        # A character that does not show may stand before a name; one in small letters is reported
        # where it is missed.
        name = re.sub(r"\A\W+", "", setting.name).upper()
        if setting.name in names or name.startswith(OURS):
            names |= {setting.name, *REFERENCE.findall(setting.value)}
    return names


def _check_harmless(setting: _Setting) -> None:
    if not HARMLESS.fullmatch(setting.text):
        raise SettingsError(  # not its name, which could be a key that was pasted on its own
            f"{setting.where} can keep uv or a shell from reading the rest of the file. Write it "
            "as NAME='value', or take it out."
        )


def _check_portable(setting: _Setting) -> None:
    """Refuse a line that programs read differently; says what it is, never the value."""
    name, line = setting.name, setting.text
    is_cut = not setting.has_end and line.endswith((" ", "\t"))
    if is_portable(line) and not is_cut:
        return
    if not name.startswith(OURS):
        name = "NAME"  # spoilt, or referred to
    start = r"(?:export[ \t]+)?" + re.escape(setting.name)
    if is_cut:
        fault = "ends in a blank and has no line end, so that uv does not read it"
        fix = "Add the line end"
    elif "\r" in line:
        fault = "has a carriage return (of Windows), which a shell makes part of the value"
        fix = "Convert the file: sed -i 's/\\r$//' .env"
    elif strange := next((c for c in line if ord(c) > 127 and not c.isalnum()), None):
        fault = f"holds the character U+{ord(strange):04X} ({unicodedata.name(strange, '?')})"
        fix = "Type the line anew; it was copied from a formatted text"
    elif "=" not in line:
        fault, fix = "has no `=`", f"Write {name}=value"
    elif re.match(rf"{start}(?:[ \t]+=|=[ \t]+(?!\#|$))", line):
        fault, fix = "has spaces around `=`, which a shell reads as a command", "Take them out"
    elif re.fullmatch(rf"{start}=<[^<>]*>{_END}", line):
        return  # a placeholder of .env.example: the settings say so better
    else:
        fault = "has a value that a shell, uv and python-dotenv do not read alike"
        fix = f"Put it in single quotes: {name}='value'"
    raise SettingsError(f"{setting.where}: the line of {name} {fault}. {fix}.")
