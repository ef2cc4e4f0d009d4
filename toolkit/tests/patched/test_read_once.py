"""A text is parsed and checked once in a process, and each reader has values of its own."""

import subprocess
import sys
import textwrap
from collections.abc import Iterator

import pytest
from dvc import schema
from dvc.utils import strictyaml
from dvc.utils.serialize import YAMLFileCorruptedError
from dvc.utils.strictyaml import YAMLValidationError

from dvc_bucket.dvc.patched import read_once
from tests.patched.small_repos import Small

#: Runs a command of DVC as `bucket` does. Prints its status, how many texts it parsed, and the most
#: often that it parsed one.
COUNT = """
    import sys
    from collections import Counter
    from dvc_bucket.dvc import process
    from dvc_bucket.dvc.patched import plain_lines
    counts, read = Counter(), plain_lines.read
    def count(text):
        if "cmd:" in text:  # dvc.yaml and dvc.lock, and no parameters
            counts[text] += 1
        return read(text)
    plain_lines.read = count
    status = process.main(sys.argv[1:])
    print(status, len(counts), max(counts.values()))
"""


@pytest.fixture(autouse=True)
def reading() -> Iterator[None]:
    before = strictyaml.parse_yaml, strictyaml.validate, schema.vol
    read_once.read_once()
    yield
    strictyaml.parse_yaml, strictyaml.validate, schema.vol = before


@pytest.mark.parametrize("word", ["status", "repro"])
def test_a_command_parses_each_text_once(ran: Small, word: str) -> None:
    command = [sys.executable, "-c", textwrap.dedent(COUNT), word]
    done = subprocess.run(command, cwd=ran.root, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 2 1"


def test_each_reader_has_values_of_its_own() -> None:
    first = strictyaml.parse_yaml("a: {b: [1]}", "file")
    first["a"]["b"].append(2)
    assert strictyaml.parse_yaml("a: {b: [1]}", "file") == {"a": {"b": [1]}}


def test_comments_are_there_for_who_wants_them() -> None:
    assert strictyaml.parse_yaml("a: 1 # one", "file") == {"a": 1}
    kept = strictyaml.parse_yaml("a: 1 # one", "file", typ="rt")
    assert "# one" in str(kept.ca)


def test_what_is_wrong_is_wrong_each_time() -> None:
    for _ in range(2):
        with pytest.raises(YAMLFileCorruptedError):
            strictyaml.parse_yaml("a: [", "file")
        with pytest.raises(YAMLValidationError):
            strictyaml.validate({"stages": 1}, schema.COMPILED_MULTI_STAGE_SCHEMA, text="t")


def test_a_text_that_fits_one_schema_is_held_against_another() -> None:
    text = "outs: []"
    content: dict[str, list[str]] = {"outs": []}
    strictyaml.validate(content, schema.COMPILED_SINGLE_STAGE_SCHEMA, text=text)
    with pytest.raises(YAMLValidationError):
        strictyaml.validate(content, schema.COMPILED_MULTI_STAGE_SCHEMA, text=text)


@pytest.mark.parametrize(
    ("stage", "is_right"),
    [
        ({"cmd": "true"}, True),
        ({"foreach": [1], "do": {"cmd": "true"}}, True),
        ({"cmd": 1}, False),
        ({"foreach": [1], "do": {"cmd": "true", "other": 1}}, False),
    ],
)
def test_each_stage_is_held_against_its_own_definition(
    stage: dict[str, object], *, is_right: bool
) -> None:
    for _ in range(2):
        try:
            schema.COMPILED_MULTI_STAGE_SCHEMA({"stages": {"s": stage, "t": {"cmd": "true"}}})
        except schema.vol.Invalid:
            assert not is_right
        else:
            assert is_right
