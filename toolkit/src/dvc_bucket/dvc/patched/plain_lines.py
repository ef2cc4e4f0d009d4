"""Reads plain YAML by libyaml, ten times as fast as the Python that DVC reads it with.

Libyaml follows YAML 1.1 and DVC 1.2. Both read a text alike if each of its lines is one of those
described here, which is so for most files of DVC: mappings, lists and folded texts of plain words,
numbers and simple quoted texts, and comments. DVC reads any other text.
"""

import re
from typing import Any

#: Words that are a truth value or nothing in one of the versions (yaml.org/type), in any case.
_ODD = r"(?!(?:yes|no|on|off|true|false|null)(?![\w./@-]))"

#: A key: words, names, paths. YAML takes no longer ones than 128 characters.
_KEY = rf"(?i:{_ODD})(?=[^:]{{1,99}}:)[A-Za-z_][\w./@-]*(?: [\w./@-]+)*"

#: A text that no version takes for something else: in it no colon ends a word, as after a key, and
#: no number sign begins one, as of a comment. An option of a command may begin a folded line.
_TEXT = rf"(?i:{_ODD})(?:[A-Za-z_/]|--?[A-Za-z]|\.\.?/|\$\{{)[!-~]*(?<!:)(?: (?!#)[!-~]*[!-9;-~])*"

_NUMBER = r"-?(?:0|[1-9]\d*)|-?\d+\.\d+"

#: What both read alike besides: numbers, versions, hashes, and quoted texts without escapes.
_OTHER = (
    rf"{_NUMBER}|\d+(?:\.\d+){{2,}}|true|false|null"
    r"|(?!0b[01]+(?![0-9a-f]))[0-9a-f]*[a-df][0-9a-f]*(?:\.dir)?"
    r"""|'[ -&(-~]*'|"[ !#-\[\]-~]*\""""
)

#: An item of a list between brackets.
_ITEM = rf"(?:{_NUMBER}|(?i:{_ODD})[A-Za-z_][\w./@-]*)"

_VALUE = rf"(?:{_TEXT}|{_OTHER}|\[{_ITEM}(?:, {_ITEM})*\])"

#: The groups are the keys of a line. A text may be in the lines below its key. DVC refuses one that
#: begins with a line of spaces.
LINE = re.compile(
    rf"(?! +\Z) *(?:- )?(?:({_KEY}):(?: (?:{_VALUE}|[|>]-?))?|{_VALUE})? *(?:(?:^|(?<= ))#[ -~]*)?",
    re.ASCII,
)


def read(text: str) -> Any:
    """The content of a YAML text; None if DVC has to read it."""
    lines = [LINE.fullmatch(line) for line in text.split("\n")]
    if not all(lines):
        return None
    import yaml  # type: ignore[import-untyped]

    try:
        content = yaml.load(text, yaml.CSafeLoader)
    except (AttributeError, RecursionError, yaml.YAMLError):  # without libyaml; no YAML
        return None
    keys = sum(1 for line in lines if line and line[1])
    return content if _keys(content) == keys else None  # DVC refuses a key that stands there twice


def _keys(content: Any) -> int:
    """Number of keys in a content and below."""
    if isinstance(content, dict):
        return len(content) + sum(map(_keys, content.values()))
    return sum(map(_keys, content)) if isinstance(content, list) else 0
