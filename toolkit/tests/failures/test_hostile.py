"""Whatever project, machine or store do to it, a command ends with a status and a sentence.

`make -C toolkit soak` tries two thousand other examples.
"""

import pytest
from hypothesis import HealthCheck, given, settings

from tests.failures import world as worlds
from tests.failures.hostile import Changed, Listed, Placed, Rewritten
from tests.failures.world import EXAMPLES, Example, World


@settings(
    max_examples=15,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(example=EXAMPLES)
def test_every_command_ends_with_a_status_and_a_sentence(world: World, example: Example) -> None:
    assert worlds.wrong(world, example) == []


#: A list of files that DVC did not write, each by what is wrong with it; its hash is right.
LISTS = {
    "a number": b"5",
    "an object": b'{"md5": "a", "relpath": "b"}',
    "no name": b'[{"md5": "d41d8cd98f00b204e9800998ecf8427e"}]',
    "no hash": b'[{"relpath": "a"}]',
    "a hash that is a number": b'[{"md5": 5, "relpath": "a"}]',
    "a name that is a list": b'[{"md5": "d41d8cd98f00b204e9800998ecf8427e", "relpath": []}]',
    "a zero byte": b'[{"md5": "d41d8cd98f00b204e9800998ecf8427e", "relpath": "a\\u0000b"}]',
    "no text": b'[{"md5": "\xff", "relpath": "a"}]',
    "nothing": b"",
    "nested": b"[" * 200_000,
}


@pytest.mark.parametrize("what", LISTS)
def test_a_list_that_dvc_did_not_write(world: World, what: str) -> None:
    for words in ("ls many", "pull many"):
        example = Example(words, mutations=[Listed(LISTS[what])])
        assert worlds.wrong(world, example, "unexpected error") == []


#: What else is known to have ended in a traceback.
KNOWN = {
    "a .dvc file of DVC 1": Example(
        "pull",
        mutations=[
            Rewritten("data.csv.dvc", b"md5: a\nouts:\n- md5: b\n  cache: true\n  path: data.csv\n")
        ],
    ),
    "a .dvc file of a later DVC": Example(
        "ls", mutations=[Rewritten("data.csv.dvc", b"outs:\n- blake3: a\n  path: data.csv\n")]
    ),
    **{
        f"{words}: {value} in the place of a hash": Example(
            words, mutations=[Changed("data.csv.dvc", 2, value)]
        )
        for words, value in (("repro", True), ("gc -w -f", 123), ("ls", True), ("verify", True))
    },
    "a value of a file without values": Example(
        "ls", mutations=[Rewritten("data.csv.dvc", b""), Changed("data.csv.dvc", 2, True)]
    ),
    "a value of a file that is no YAML": Example(
        "ls", mutations=[Rewritten("data.csv.dvc", b"\0"), Changed("data.csv.dvc", 2, True)]
    ),
    "a link to itself": Example("add {}", "data.csv", [Placed("pyproject.toml", "link to itself")]),
    "no HOME": Example("pull", variables={"HOME": None}),
    "a HOME that is not there": Example("doctor --json", variables={"HOME": "/nonexistent"}),
    "markup": Example("add {}", "[/x]", [Placed("[/x]", "file")]),
    "a command for the terminal": Example("cp {} OUT", "\x1b[2J", [Placed("\x1b[2J", "file")]),
    "a name that is no text": Example("add {}", "\udc80", [Placed("\udc80", "file")]),
    "a limit on the size of files": Example("pull", largest=4),
}


@pytest.mark.parametrize("what", KNOWN)
def test_what_is_known_to_have_ended_in_a_traceback(world: World, what: str) -> None:
    assert worlds.wrong(world, KNOWN[what]) == []
