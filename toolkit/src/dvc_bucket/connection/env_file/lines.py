"""Which lines of a dotenv file are accepted: those that every program reads alike.

Four kinds of program read `.env`: python-dotenv (`bucket`, `dotenv run`), uv, and shells, of which
sh and bash agree. A line that sets a name of ours has the form `PORTABLE`, which all read alike.
Any other line has the form `HARMLESS`: it may mean different things, but after it each program
still reads ours. Everything else is refused with its number, and the value is never shown.
`tests/bucket/test_env_file.py` holds both forms against all four.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from io import StringIO

from dotenv.parser import parse_stream

from dvc_bucket.base.errors import SettingsError

#: How names of ours begin; with them count the names that they refer to.
OURS = ("OS_", "AWS_")

#: The names of the keys of another project, and of what goes with them: `OTHER_OS_ACCESS_KEY_ID`.
OF_OTHERS = re.compile(
    r"[A-Z][A-Z0-9_]*_OS_(?:ENDPOINT_URL|ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN|REGION|CACERT"
    r"|ADDRESSING_STYLE|CONNECT_TIMEOUT|READ_TIMEOUT|RETRY_SECONDS)"
)

#: All expand `${NAME}` where it is bare or in double quotes, to nothing if it is not set above.
REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")

_START = r"(?:export[ \t]+)?[A-Za-z_][A-Za-z0-9_]*="
_END = r"[ \t]*(?:[ \t]\#[^\r]*)?"

#: A line that all read alike. Single quotes: no `\\` or `\'` and nothing like `${...}`, as
#: python-dotenv replaces these even there. Double quotes: no escape but `\\` and `\"`.
#: Bare: nothing that a shell acts on, no `#` first (uv: a comment), no `~` where a shell puts the
#: home folder.
PORTABLE = re.compile(
    rf"""{_START}
    (?: '(?:\\(?!['\\]) | (?!\$\{{[^}}:]*(?::-[^}}]*)?\}})[^'\\\r])*'
      | "(?:{REFERENCE.pattern} | \\[\\"] | [^"\\$`\r])*"
      | (?![\#~])(?:{REFERENCE.pattern} | :(?!~) | [^\s:'"`$\\;&|<>()])*
    ){_END}""",
    re.VERBOSE,
)

#: A line of somebody else. Of what it leaves out, most has uv give up, or a shell wait for an end.
HARMLESS = re.compile(
    rf"""(?:export[ \t]+)?[A-Za-z_][A-Za-z0-9_]*[ \t]*=[ \t]*
    (?: '(?:\\(?!['\\]) | [^'\\])*'
      | "(?:\$\{{\w+(?::-[^"'`$\\{{}}]*)?\}} | \\[\\"'$ n] | [^"\\$`])*"
      | \$\{{\w+(?::-[^\s"'`$\\{{}}()]*)?\}} | \$(?![\{{(]) | \\[\\"'$] | [^\s'"`$\\<>()]
    )*{_END}\r?""",
    re.VERBOSE,
)

#: A line of `.env.example` that is not filled in, which the settings say better.
PLACEHOLDER = re.compile(rf"{_START}<[^<>\r]*>{_END}", re.VERBOSE)


@dataclass(frozen=True)
class Line:
    """A line `NAME=value`, which can have line breaks in its quotes.

    Attributes:
        name: that it sets.
        value: with quotes taken off and references put in; never shown, as it can be a secret.
        number: of the line, from 1.
        text: as it stands there, without its line end.
        has_end: whether it has a line end; the last line may lack it.
    """

    name: str
    value: str = field(repr=False)
    number: int
    text: str = field(repr=False)
    has_end: bool


def read(text: str, file: str, environment: Mapping[str, str]) -> dict[str, Line]:
    """The lines of ours in the text of a dotenv file, by name.

    Args:
        text: of the file.
        file: its name, for messages.
        environment: where references are looked up that the file does not set.

    Raises:
        SettingsError: a line of ours means different things to different programs, or a line of
            somebody else keeps a program from reading ours.
    """
    lines = _lines(text)
    ours = _ours(lines)
    values, accepted = dict(environment), dict[str, Line]()
    for line in lines:
        is_ours, value = line.name in ours, line.value
        fault = _fault(line) if is_ours else _harm(line)
        if is_ours:
            value = REFERENCE.sub(lambda match: values.get(match[1], ""), value)
            before = accepted.setdefault(line.name, replace(line, value=value))
            if not fault and before.value != value:
                fault = (
                    f" sets {line.name} again, after line {before.number}; some programs use the "
                    "first, others the last. Delete one of them."
                )
        if fault:
            raise SettingsError(f"{file}, line {line.number}{fault}")
        values[line.name] = value
    return {name: line for name, line in accepted.items() if _is_ours(name.upper())}


def _is_ours(name: str) -> bool:
    return name.startswith(OURS) or OF_OTHERS.fullmatch(name) is not None


def is_portable(line: str) -> bool:
    """Whether every program reads a line alike."""
    return PORTABLE.fullmatch(line) is not None


def _lines(text: str) -> list[Line]:
    """What python-dotenv finds, without comments; where it finds no setting, the name is empty."""
    lines = []
    for binding in parse_stream(StringIO(text, newline="")):
        if binding.error or binding.key is not None:
            string = binding.original.string
            own = string.lstrip(" \t\r\n")
            # python-dotenv counts from the blank lines before a setting.
            above = re.findall(r"\r\n|\n|\r", string.removesuffix(own))
            number, line = binding.original.line + len(above), own.removesuffix("\n")
            name = "" if binding.error else binding.key or ""
            lines.append(Line(name, binding.value or "", number, line, has_end=line != own))
    return lines


def _ours(lines: Sequence[Line]) -> set[str]:
    """Names of ours, and of those that they refer to."""
    names: set[str] = set()
    for line in reversed(lines):
        # A character that does not show may stand before a name; one in small letters is reported
        # where it is missed.
        name = re.sub(r"\A\W+", "", line.name).upper()
        if line.name in names or _is_ours(name):
            names |= {line.name, *REFERENCE.findall(line.value)}
    return names


def _harm(line: Line) -> str:
    """What a line of somebody else does to ours, and the fix; empty if it does nothing."""
    if not line.name:
        return " is not of the form NAME=value; perhaps a quote is not closed. Correct it."
    if HARMLESS.fullmatch(line.text):
        return ""
    # Not its name, which could be a key that was pasted on its own.
    return (
        " can keep uv or a shell from reading the rest of the file. Write it as NAME='value', or "
        "remove it."
    )


def _fault(line: Line) -> str:
    """What is wrong with a line of ours, and the fix; empty if nothing is."""
    text, name = line.text, line.name if _is_ours(line.name) else "NAME"
    strange = re.search(r"[^\x00-\x7f\w]", text)
    if not line.has_end and text.endswith((" ", "\t")):
        fault = "ends with a blank and without a line end, so uv does not read it"
        fix = "Add the line end"
    elif is_portable(text) or PLACEHOLDER.fullmatch(text):
        return ""
    elif "\r" in text:
        fault = "has a Windows line end, which a shell adds to the value"
        fix = "Convert the file: sed -i 's/\\r$//' .env"
    elif strange:
        character = f"U+{ord(strange[0]):04X} ({unicodedata.name(strange[0], '?')})"
        fault = f"contains the character {character}"
        fix = "Type the line again; it was copied from a formatted text"
    elif "=" not in text:
        fault, fix = "has no `=`", f"Write {name}=value"
    elif re.match(r"(?:export[ \t]+)?[^\s=]+(?:[ \t]+=|=[ \t]+(?!#|$))", text):
        fault, fix = "has spaces around `=`, which a shell reads as a command", "Remove them"
    else:
        fault = "has a value that a shell, uv and python-dotenv read differently"
        fix = f"Put it in single quotes: {name}='value'"
    return f": the line of {name} {fault}. {fix}."
