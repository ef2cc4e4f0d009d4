"""A plain content is written as DVC writes it, byte for byte; all other content is left to DVC."""

import io
import os
from collections import OrderedDict
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dvc_bucket.dvc.patched import plain_yaml
from tests.repro.test_splice import ENTRIES, NAMES, SCALARS, TEXTS, VALUES

#: As many as the default suite has time for; the soak sets more.
EXAMPLES = int(os.environ.get("SPLICE_EXAMPLES", "150"))

#: Texts of the characters that commands have.
COMMANDS = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=200)
VERSIONS = st.from_regex(r"\A-?[0-9]{1,4}(\.[0-9]{1,4}){0,3}\Z")
PLAIN = st.recursive(
    st.one_of(COMMANDS, NAMES, VERSIONS, st.integers(), st.floats(width=32), st.booleans()),
    lambda some: st.lists(some, max_size=3) | st.dictionaries(NAMES | COMMANDS, some, max_size=3),
    max_leaves=5,
)
CONTENTS = ENTRIES | st.dictionaries(NAMES | TEXTS, st.one_of(VALUES, PLAIN, *SCALARS), max_size=3)

#: What DVC records of a usual stage.
FILE = {"path": "data/raw/flights.parquet", "hash": "md5", "md5": "0e" + "1" * 29 + "a", "size": 9}
ENTRY = {
    "cmd": "python src/fit.py data/raw/flights.parquet > models/'a b'.txt",
    "deps": [OrderedDict(FILE), dict(FILE, md5="d41d8cd98f00b204e9800998ecf8427e.dir", nfiles=3)],
    "params": {
        "packages.yaml": {"pandas": "3.1.1", "scipy": "1.10"},
        "params.yaml": OrderedDict(train={"seed": 7, "rate": 0.1, "months": [1, 2]}),
    },
    "outs": [{**FILE, "isexec": True}],
}


class LeftToDvcError(Exception):
    """It is."""


def left(_data: Any, _stream: Any) -> None:
    raise LeftToDvcError


def written(data: Any) -> str:
    stream = io.StringIO()
    plain_yaml.dump(left)(data, stream)
    return stream.getvalue()


def by_dvc(data: Any) -> str:
    from dvc.utils.serialize import dumps_yaml

    return str(dumps_yaml(data))


@settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=[*HealthCheck]
)
@given(CONTENTS)
def test_what_is_written_is_what_dvc_writes(content: Any) -> None:
    try:
        text = written(content)
    except LeftToDvcError:
        return
    assert text == by_dvc(content)


def test_a_usual_stage_is_plain() -> None:
    for content in (ENTRY, {"schema": "2.0", "stages": {"train@2013": ENTRY}}):
        assert written(content) == by_dvc(content)
