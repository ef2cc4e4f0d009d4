"""What a project, a machine and a store can do to a command, as strategies of hypothesis."""

import json
from hashlib import md5
from typing import Any, NamedTuple

from hypothesis import strategies as st

from tests.stores.faults import Faults

#: Names that programs choke on: markup, escapes, options, other encodings, lengths.
NAMES = st.sampled_from(
    [
        *(
            "[/x]",
            "[bold]a[/bold]",
            "\x1b[2J",
            "a\nb",
            "a\tb",
            "-rf",
            "--help",
            "a b",
            "é",
            "\u202e",
        ),
        *("%s", "{x}", "$(x)", ";x", "~", "*", "a\\b", "'", '"', "#", "a:b", "x" * 255, "x" * 300),
        *(
            "\udc80\udcff",
            "..",
            ".",
            "",
            "/",
            "/etc/passwd",
            "a/../b",
            "\0",
            "a\0b",
            "CON",
            ".git/x",
        ),
    ]
)

#: Values where a file has another.
VALUES: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, -1, 10**30, 1.5, float("inf"), [], {}, [[]], {"a": {"b": []}}, "x" * 5000]),
    NAMES,
    st.text(max_size=8),
)

#: Files of the project, which any other one can have written.
FILES = [
    *("data.csv.dvc", "many.dvc", "dvc.yaml", "dvc.lock", "params.yaml", ".dvcignore"),
    *(".dvc/config", ".dvc/config.local", ".env", ".env.example", ".gitignore", ".gitattributes"),
    *("pyproject.toml", "requirements.lock", "CITATION.cff", "data/README.md"),
]

TEXTS = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        [
            *(b"", b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"a: b: c\n", b"[" * 20_000, b"{" * 3000),
            *(b"outs:\n- md5: 5\n  path: data.csv\n", b"outs: 5\n", b"- a\n- b\n", b"a\r\nb\r\n"),
            *(b"outs:\n- etag: x\n  path: data.csv\n", b"outs:\n- path: ../../x\n  md5: aa\n"),
            *(
                b"&a [*a, *a]\n",
                b"stages: []\n",
                b"stages: {a: 5}\n",
                b"schema: '9.0'\nstages: {}\n",
            ),
            *(
                b"outs:\n- md5: a\n  hash: md5\n  path: data.csv\n",
                b"<<<<<<< ours\na\n=======\nb\n",
            ),
            *(b"stages: {a: {cmd: 'false'}}\n", b"stages: {a: {cmd: [], foreach: 5, do: 6}}\n"),
            *(b"!!python/object/apply:os.system ['x']\n", b"OS_ENDPOINT_URL=\n", b"export A='\n"),
        ]
    ),
)


class Rewritten(NamedTuple):
    """A file with other content."""

    path: str
    content: bytes


class Changed(NamedTuple):
    """A value in a YAML or `NAME=value` file that is another, at a place among all of them."""

    path: str
    place: int
    value: Any


class Listed(NamedTuple):
    """The list of the directory, in the bucket, with its right hash in `many.dvc`."""

    content: bytes

    @property
    def oid(self) -> str:
        return f"{md5(self.content).hexdigest()}.dir"


class Placed(NamedTuple):
    """What is at a path of the work tree: a file, a folder, a link or nothing."""

    path: str
    kind: str


ENTRIES = st.one_of(
    VALUES,
    st.fixed_dictionaries(
        {},
        optional={
            "md5": st.one_of(st.just("0" * 32), st.just("zz"), VALUES),
            "relpath": st.one_of(st.just("ok"), NAMES, VALUES),
            "size": VALUES,
        },
    ),
)
LISTS = st.one_of(
    st.lists(ENTRIES, max_size=3).map(lambda entries: json.dumps(entries).encode()),
    VALUES.map(lambda value: json.dumps(value).encode()),
    st.sampled_from([b"", b"\xff", b"[" * 20_000, b"[1", b'[{"md5": "\xff"}]', b"[{}]" * 2]),
    st.binary(max_size=20),
)

MUTATIONS = st.one_of(
    st.builds(Rewritten, st.sampled_from(FILES), TEXTS),
    st.builds(Changed, st.sampled_from(FILES), st.integers(0, 30), VALUES),
    st.builds(Listed, LISTS),
    st.builds(
        Placed,
        st.sampled_from(
            [
                *FILES,
                *("data.csv", "many", "many/0", ".dvc/tmp", ".dvc/cache", ".git/HEAD", "out.csv"),
            ]
        ),
        st.sampled_from(["gone", "folder", "link to nowhere", "link to itself"]),
    ),
    st.builds(Placed, NAMES.filter(bool), st.sampled_from(["file", "folder"])),
)

#: Variables of the environment; None for one that is not set.
VARIABLES = st.dictionaries(
    st.sampled_from(
        [
            *("HOME", "TMPDIR", "LC_ALL", "LANG", "COLUMNS", "TERM", "BUCKET_FAST", "SCRATCH"),
            *("OS_ENDPOINT_URL", "OS_BUCKET_NAME", "OS_ACCESS_KEY_ID", "OS_SECRET_ACCESS_KEY"),
            *("OS_REGION", "OS_CACERT", "OS_ADDRESSING_STYLE", "OS_SESSION_TOKEN", "AWS_PROFILE"),
            *("OS_CONNECT_TIMEOUT", "OS_READ_TIMEOUT", "USER", "SHELL", "EDITOR", "XDG_CACHE_HOME"),
        ]
    ),
    st.one_of(
        st.none(),
        st.sampled_from(
            [
                *(
                    "",
                    "x",
                    "0",
                    "-1",
                    "C",
                    "latin-1",
                    "/nonexistent",
                    "/dev/null",
                    "/proc/1/root/x",
                ),
                *(
                    "http://127.0.0.1:1",
                    "http://127.0.0.1:99999",
                    "https://u:pw@h.invalid",
                    "file:///",
                ),
                *(
                    "http://[::1",
                    "a b",
                    "é",
                    "\x1b[2J",
                    "[/x]",
                    "x" * 5000,
                    "<your-key>",
                    "9" * 400,
                ),
            ]
        ),
    ),
    max_size=2,
)

WEATHER = st.builds(
    Faults,
    kind=st.sampled_from(
        ["status", "reset", "cut", "short", "flip", "etag", "whole", "redirect", "close"]
    ),
    every=st.sampled_from([0, 0, 1, 2, 3]),
    status=st.sampled_from(
        [301, 400, 401, 403, 404, 405, 408, 409, 411, 412, 416, 429, 500, 501, 503, 507]
    ),
    retry_after=st.sampled_from(["", "0", "-1", "x", "1e9"]),
    seed=st.integers(0, 3),
)

#: The words, with `{}` for a name: of a tracked file, or any.
WORDS = st.sampled_from(
    [
        *("pull", "pull {}", "fetch", "push", "push {}", "add {}", "status", "checkout", "diff"),
        *("repro", "repro {}", "repro --dry", "dag", "gc -w -f", "ls", "ls {}", "ls {} --rev HEAD"),
        *("cat {}", "cat {} --rev HEAD", "cp {} OUT", "cp many data.csv OUT", "cp {} s3://{}"),
        *(
            "pack {} OUT",
            "advise {}",
            "share {} --json",
            "verify",
            "verify --deep",
            "verify --rev {}",
            "verify --cache",
        ),
        *(
            "check",
            "check --here",
            "report --base HEAD~1",
            "report --base {}",
            "provenance --out OUT",
        ),
        *("provenance --out OUT --with {}", "provenance --out OUT --zip --with-data", "secrets"),
        *("secrets --history", "doctor --json", "run true", "run {}", "clean --dry-run", "leave"),
        *("lfs prune --dry-run", "new stage {}", "save -m {}", "init --help", "{}", "{} ls"),
    ]
)
SUBJECTS = st.one_of(st.sampled_from(["data.csv", "many", "many/1.txt", "out.csv", "HEAD"]), NAMES)
