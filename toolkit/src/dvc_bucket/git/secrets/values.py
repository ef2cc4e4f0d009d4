"""Values that somebody wrote beside the name of a credential, in whatever notation."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

#: The names. In front of a short form stands `OS_`, `AWS_` or nothing; `access-key-id` and
#: `accessKeyId` are the same name.
NAME = re.compile(
    r"""(?<![A-Za-z0-9])(?:
        (?:(?:OS|AWS)_)? (?:secret[_-]?access[_-]?key | access[_-]?key[_-]?id | session[_-]?token)
        | (?:OS|AWS)_SECRET_KEY | OS_PASSWORD | OS_APPLICATION_CREDENTIAL_SECRET
    )(?![A-Za-z0-9_-])""",
    re.IGNORECASE | re.VERBOSE,
)

#: One of these is in every text that has a name, in lower case.
HINTS = ("secret", "key", "session", "os_password")

#: DVC's other options that hold a secret, in its configuration files.
#: Source: DVC's documentation, "dvc remote modify".
DVC_OPTION = re.compile(
    r"""^[ \t]*(?P<name>password|passphrase|token|connection_string|account_key|sas_token
        |client_secret|gdrive_client_secret|oss_key_id|oss_key_secret|custom_auth_header_value
    )[ \t]*=[ \t]*["']?(?P<text>[^\r\n]*?)["']?[ \t]*\r?$""",
    re.MULTILINE | re.VERBOSE,
)

#: Where a bare word is the name of something, so that only what is in quotes is a value.
CODE = re.compile(
    r"\.(?:c|cc|cjs|cpp|cs|go|h|hcl|hpp|ipynb|java|jl|js|jsx|kt|lua|mjs|nix|php|pl|py|pyi|r|rb|rs"
    r"|scala|swift|tf|ts|tsx)"
)

#: Where a colon may begin an explanation.
PROSE = re.compile(r"\.(?:adoc|html|md|rst|tex|txt)")

SEPARATOR = (
    r"[ \t]*(?P<sign>=>|:=|\?{1,2}=|\|\|=|\+=|={1,3}|:)[ \t]*"
    r"(?:[(\\|>][+-]?[ \t]*\r?\n\s*|\([ \t]*)?"  # the value can be on the next line
)
#: From the end of a name to its value: the rest of `environ["NAME"]`, a type, the sign.
TO_VALUE = re.compile(
    r"\\?[\"'`]?[ \t]*[\])]?(?:[ \t]*:[ \t]*[A-Za-z_][\w.\[\] |]{0,80}?(?=[ \t]*=))?" + SEPARATOR
)
#: `name: NAME` and, after it, `value: VALUE`, as in Kubernetes' lists.
IS_NAME = re.compile(r"\b(?:name|key)\\?[\"']?[ \t]*[:=][ \t]*\\?[\"']?$", re.IGNORECASE)
TO_PAIR = re.compile(r"\\?[\"']?[ \t]*,?\s*\\?[\"']?value\\?[\"']?" + SEPARATOR, re.IGNORECASE)
#: `setenv("NAME", "VALUE")`, `os.environ.setdefault("NAME", "VALUE")`.
IS_ARGUMENT = re.compile(
    r"(?:env|get|set|put|default|option|add|pop)\w*\(\s*[rbfu]?\\?[\"']$", re.IGNORECASE
)
TO_ARGUMENT = re.compile(r"\\?[\"']\s*,\s*")
#: Commands that take a name and a value with a space between them.
IS_COMMAND = re.compile(
    r"(?:\bENV|\bARG|\bsetenv|\bsetx|\bset[ \t]+-\w+|%(?:set_)?env|\bconfigure[ \t]+set"
    r"|\bremote[ \t]+modify(?:[ \t]+--?\w+)*[ \t]+[\w.-]+)[ \t]+(?:--?\w+[ \t]+)*$"
)
TO_OPERAND = re.compile(r"[ \t]+")
#: Words after which `NAME=VALUE` is no code, whatever the file.
IS_SHELL = re.compile(r"(?:\bexport|\bENV|%(?:set_)?env|-e|--env|[\"'`])[ \t]*$")

QUOTED = re.compile(
    r"[rbfuRBFU]{0,2}\\?(?P<quote>\"{3}|'{3}|[\"'`])"
    r"(?P<text>(?:(?!\\?(?P=quote))[^\r\n])*)\\?(?P=quote)"
)
WORD = re.compile(r"[^\s\"'`]+")
#: What may follow a bare value where a line holds one name and one value.
END = re.compile(r"[\"'`,;\\&|)}\]]*[ \t]*(?:(?:#|//)[^\n]*)?\r?(?:\n|$)")

#: What stands for a value instead of being one: `$NAME`, `<your-key>`, `{{ x }}`, `%(x)s`, `***`.
REFERENCE = re.compile(r"\$[A-Za-z_{(]|<.*>|\{.*\}|%[(A-Za-z]|op://|vault:")
INSIDE = re.compile(r"\$[{(]|\{\{|\.\.\.|\u2026|example", re.IGNORECASE)
EXPRESSION = re.compile(r"[$<{%*&]|!\w+$|[^\[(]*[\[(]|[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+$")
#: A value of such words alone is made up.
MADE_UP = re.compile(
    r"""(?:[\W_]|(?<!\d)\d(?!\d)|access|admin|and|any|aws|bad|change|credentials?|default|dummy
    |empty|fake|false|fill|goes|good|guest|here|hidden|ids?|in|invalid|is|keys?|local|me|missing
    |mock|my|new|no|none|not|null|old|optional|os|other|passphrase|password|placeholder|private
    |project|public|redacted|replace|required|right|root|s3|sample|secrets?|session|set|some|str
    |string|swift|test|tests|testing|the|this|to|token|true|undefined|unset|user|username|values?
    |very|with|wrong|x{2,}+|your)*""",
    re.IGNORECASE | re.VERBOSE,
)


@dataclass(frozen=True)
class Value:
    """A value, the name it was given to, and where both are in the text."""

    name: str
    text: str
    start: int
    end: int


def find(text: str, path: str) -> Iterator[Value]:
    """The values that `text`, the content of the file `path`, gives to names of credentials.

    Placeholders, references to a variable or a vault, and code that merely reads are none.
    """
    pure = PurePosixPath(path)
    lower = text.lower()
    if any(hint in lower for hint in HINTS):
        for name in NAME.finditer(text):
            value = _value(text, name, pure.suffix.lower())
            if value and not is_made_up(value.text):
                yield value
    if pure.parts[-2:-1] == (".dvc",) and pure.name in {"config", "config.local"}:
        for line in DVC_OPTION.finditer(text):
            if not is_made_up(line["text"]):
                yield Value(line["name"], line["text"], line.start("name"), line.end("text"))


def is_made_up(value: str) -> bool:
    """Whether `value` is a placeholder, a reference, or made of words such as `your-secret-key`."""
    return bool(
        len(set(value)) < 2
        or REFERENCE.match(value)
        or INSIDE.search(value)
        or MADE_UP.fullmatch(value)
    )


def _value(text: str, name: re.Match[str], suffix: str) -> Value | None:
    """What is given to the name at this place, if anything."""
    is_code = CODE.fullmatch(suffix) is not None
    before = text[max(0, name.start() - 100) : name.start()]
    line_before = before.rpartition("\n")[2]
    if IS_ARGUMENT.search(before) and (to := TO_ARGUMENT.match(text, name.end())):
        return _quoted(text, name, to.end(), suffix)
    if IS_COMMAND.search(line_before) and (to := TO_OPERAND.match(text, name.end())):
        return _quoted(text, name, to.end(), suffix) or _bare(text, name, to.end())
    pair = TO_PAIR.match(text, name.end()) if IS_NAME.search(line_before) else None
    to = pair or TO_VALUE.match(text, name.end())
    if to is None:
        return None
    if (value := _quoted(text, name, to.end(), suffix)) or text[to.end() : to.end() + 1] in "\"'`":
        return value
    if text[name.end() : to.end()] == "=":
        return _tight(text, name, to.end(), is_code and not IS_SHELL.search(line_before))
    if is_code:
        return None
    value = _bare(text, name, to.end())
    explains = PROSE.fullmatch(suffix) and to["sign"] == ":"
    return None if value and explains and not _is_random(value.text) else value


def _quoted(text: str, name: re.Match[str], at: int, suffix: str) -> Value | None:
    """The value in quotes that begins `at`."""
    found = QUOTED.match(text, at)
    if not found or (
        found["quote"] == "`" and not (CODE.fullmatch(suffix) or PROSE.fullmatch(suffix))
    ):
        return None  # in a shell, backquotes hold a command
    value = found["text"]
    if re.search(r"\s", value) and "PASSWORD" not in name[0].upper():
        return None  # words for a person: no key has a space
    return Value(name[0], value, name.start(), found.end())


def _bare(text: str, name: re.Match[str], at: int) -> Value | None:
    """The value without quotes that is the rest of the line."""
    found = WORD.match(text, at)
    if not found:
        return None
    in_braces = found[0][-1] in ",}" and "{" in text[text.rfind("\n", 0, at) + 1 : at]
    ends = END.match(text[found.end() : found.end() + 1000].lstrip(" \t"))
    return _plain(name, found) if ends or in_braces else None


def _tight(text: str, name: re.Match[str], at: int, is_code: bool) -> Value | None:
    """The value of `NAME=VALUE`; in code, `VALUE` is one only if it cannot be a name."""
    found = WORD.match(text, at)
    value = _plain(name, found) if found else None
    if value and is_code and not (name[0].isupper() and _is_random(value.text)):
        return None
    return value


def _plain(name: re.Match[str], found: re.Match[str]) -> Value | None:
    """A word without what does not belong to it: the end of a string, of a tag, of a list."""
    if EXPRESSION.match(found[0]):
        return None
    word = re.split(r"\\[nrt]|[<;]|,(?=\w+=)", found[0])[0].rstrip(",;)}]&|\\")
    return Value(name[0], word, name.start(), found.start() + len(word)) if word else None


def _is_random(value: str) -> bool:
    """Whether `value` is no word of a language."""
    return bool(re.search(r"\d", value)) or len(value) >= 16
