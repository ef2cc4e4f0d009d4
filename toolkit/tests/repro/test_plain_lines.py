"""A YAML text of plain lines is read as DVC reads it; any other text is left to DVC."""

import os
from typing import Any

import pytest
from dvc.utils.serialize import YAMLFileCorruptedError, dumps_yaml
from dvc.utils.serialize._yaml import parse_yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from dvc_bucket.dvc.patched import plain_lines
from tests.repro.test_plain_yaml import CONTENTS, ENTRY

#: As many as the default suite has time for; the soak sets more.
EXAMPLES = int(os.environ.get("SPLICE_EXAMPLES", "150"))

#: Parts of lines, of which most texts are none or have another meaning in YAML 1.1.
PARTS = st.sampled_from(
    """
    a:_ b: -_ _ __ ____ yes No on true null ~ 0b1 0b12 0o7 0x1f 1e5 12e3 1_0 1:30 .5 .inf 2001-01-01
    y 'a' 'y:_1' "b" "\\n" [a,_b] [1,_no] {a:_1} >- | |- { } # #_c _# : a:b a#b --x -x --- ... &a *a
    !t % 0.10 1.2.3 00 -0 é \t ? ' <<:_ = // word
    """.replace("\t", "TAB").split()
).map(lambda part: part.replace("_", " ").replace("TAB", "\t"))
TEXTS = st.lists(st.lists(PARTS, max_size=4).map("".join), max_size=6).map("\n".join)


def by_dvc(text: str) -> Any:
    try:
        return parse_yaml(text, "file")
    except YAMLFileCorruptedError:
        return "no YAML"


@settings(max_examples=EXAMPLES, deadline=None)
@given(CONTENTS.map(dumps_yaml) | TEXTS)
def test_what_is_read_is_what_dvc_reads(text: str) -> None:
    content = plain_lines.read(text)
    assert not content or repr(content) == repr(by_dvc(text))


@pytest.mark.parametrize(
    "text",
    [
        dumps_yaml({"schema": "2.0", "stages": {"fit": ENTRY}}),
        "stages:\n  fit: # the model\n    cmd: >-\n      python fit.py\n      --rate 0.1\n"
        "    deps:\n      - in/a b.csv\n\n    outs: [out/a, out/b]\n",
    ],
)
def test_a_usual_file_is_read(text: str) -> None:
    assert plain_lines.read(text) == by_dvc(text)


@pytest.mark.parametrize(
    "text",
    [
        *("a: 1\na: 2", "a: yes", "a: 1e5", "a: é", "a: &b c", "a: 'b\n  c'", "a: b: c"),
        "a: |\n \n  b",
    ],
)
def test_any_other_text_is_left_to_dvc(text: str) -> None:
    assert plain_lines.read(text) is None
