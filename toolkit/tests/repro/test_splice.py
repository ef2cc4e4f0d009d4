"""The text of `dvc.lock` with a stage's entry in its place: byte for byte what DVC writes."""

import copy
import os
from collections import OrderedDict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from dvc_bucket.dvc.lock import splice
from dvc_bucket.dvc.patched import recording

#: As many as the default suite has time for; the soak sets more.
EXAMPLES = int(os.environ.get("SPLICE_EXAMPLES", "15"))

#: Texts that YAML reads as something else, or that have its own characters.
ODD_TEXTS = [
    *("on", "yes", "null", "~", "1e-3", "1_000", "0o17", "2020-01-01", "a: b", "a #b", "- x", ""),
    *("'q'", '"q"', "x\ny", "trailing ", "  lead", "@x", "{a}", "[b]", "&a", "*a", "!t", "|"),
    *("python " + "--long-option value " * 12, "echo 'it''s' && " * 9, "é" * 90, "a\n\nb\n"),
    *("line1\n  line2\n# no comment\n", "schema: '2.0'\nstages:\n  x:\n"),
]
TEXTS = st.sampled_from(ODD_TEXTS) | st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], include_characters="\n\t"),
    max_size=120,
)
NAMES = st.sampled_from(["on", "null", "1", "1e5", "0x1f", "2020-01-01", "~", "é", "-1", "_"]) | (
    st.from_regex(r"\A[a-zA-Z0-9_][a-zA-Z0-9_\-]{0,12}(@[a-zA-Z0-9_.\-]{1,12})?\Z")
)
SCALARS = (
    *(st.none(), st.booleans(), st.integers(), st.floats(width=16), TEXTS),
    st.sampled_from([1e-5, 2.5e-7, 0.1, 1e20]),
)
VALUES = st.recursive(
    st.one_of(*SCALARS),
    lambda some: st.lists(some, max_size=3) | st.dictionaries(TEXTS, some, max_size=3),
    max_leaves=6,
)
MD5S = st.from_regex(r"\A[0-9a-f]{32}(\.dir)?\Z") | st.sampled_from(["1" * 32, f"1e{'2' * 30}"])
FILES = st.builds(
    lambda path, md5, size: OrderedDict(path=path, hash="md5", md5=md5, size=size),
    st.from_regex(r"\A[a-z0-9_./\-]{1,60}\Z") | TEXTS,
    MD5S,
    st.integers(0, 10**12),
)
PARAMS = st.dictionaries(
    st.sampled_from(["params.yaml", "other.yaml"]),
    st.dictionaries(TEXTS, VALUES, max_size=3).map(OrderedDict),
    max_size=2,
).map(OrderedDict)
ENTRIES = st.builds(
    lambda cmd, **parts: OrderedDict(cmd=cmd, **{key: part for key, part in parts.items() if part}),
    TEXTS | st.lists(TEXTS, min_size=1, max_size=3),
    deps=st.lists(FILES, max_size=3),
    params=PARAMS,
    outs=st.lists(FILES, max_size=2),
)


def lock_file(path: Path) -> Any:
    """What DVC's function needs of its `Lockfile`."""
    from dvc.fs import localfs

    context = SimpleNamespace(track_file=lambda _: None)
    repo = SimpleNamespace(fs=localfs, scm_context=context)
    return SimpleNamespace(path=str(path), relpath=str(path), repo=repo)


def stable(name: str, entry: Any) -> bool:
    """Whether DVC itself writes an entry that it has read as it was."""
    from dvc.utils.serialize import dumps_yaml, parse_yaml_for_update

    text = dumps_yaml({"schema": "2.0", "stages": {name: entry}})
    try:
        return bool(dumps_yaml(parse_yaml_for_update(text, "")) == text)
    except Exception:  # ruamel cannot read what it wrote
        return False


@pytest.fixture(scope="module", autouse=True)
def _entries_as_given() -> Any:
    from dvc.stage import serialize

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(serialize, "to_lockfile", lambda stage: {stage.name: stage.entry})
        yield


@settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=[*HealthCheck]
)
@given(st.lists(st.tuples(NAMES, ENTRIES), min_size=1, max_size=5))
def test_every_text_is_what_dvc_writes(tmp_path_factory: Any, sequence: list[Any]) -> None:
    from dvc.dvcfile import Lockfile

    assume(all(stable(name, entry) for name, entry in sequence))
    folder = tmp_path_factory.mktemp("lock")
    ours = recording.record(Lockfile.dump_stages)
    for name, entry in sequence:
        for dump, file in ((Lockfile.dump_stages, "dvc"), (ours, "ours")):
            stage = SimpleNamespace(name=name, entry=copy.deepcopy(entry))
            dump(lock_file(folder / file), [stage])
        assert (folder / "ours").read_bytes() == (folder / "dvc").read_bytes()


USUAL = """\
schema: '2.0'
stages:
  one:
    cmd: a
  two:
    cmd: b
"""


@pytest.mark.parametrize(
    "text",
    [
        USUAL.replace("  two", "# why\n  two"),
        USUAL.replace("  two", "  # why\n  two"),
        USUAL.replace("two:", "two: # why"),
        USUAL.replace("two:", "? two\n  :"),
        USUAL.replace("\n", "\r\n"),
        USUAL.replace("cmd: a", "cmd: &a b").replace("cmd: b", "cmd: *a"),
        USUAL.replace("schema: '2.0'", 'schema: "2.0"'),
        "stages: {one: {cmd: a}}\nschema: '2.0'\n",
        "schema: '2.0'\n",
    ],
)
def test_what_dvc_did_not_write_is_dumped_as_dvc_does(tmp_path: Path, text: str) -> None:
    from dvc.dvcfile import Lockfile

    with pytest.raises(splice.OddError):
        splice.split(text)
    stage = SimpleNamespace(name="two", entry={"cmd": "c"})
    ours, dvc = tmp_path / "ours", tmp_path / "dvc"
    for file in (ours, dvc):
        file.write_bytes(text.encode())
    Lockfile.dump_stages(lock_file(dvc), [stage])
    recording.record(Lockfile.dump_stages)(lock_file(ours), [stage])
    assert ours.read_bytes() == dvc.read_bytes()


def test_what_follows_the_stages_stays_behind_them() -> None:
    tail = "datasets:\n- name: x\n"
    lock = splice.put(splice.split(USUAL + tail), [splice.rendered({"new": {"cmd": "c"}})])
    assert lock.text == f"{USUAL}  new:\n    cmd: c\n{tail}"
    assert splice.split(lock.text) == lock
