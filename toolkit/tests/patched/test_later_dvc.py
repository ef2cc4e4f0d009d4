"""With a DVC that has another inside: plain DVC does the work, `gc` stays guarded or is refused."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from dvc_bucket.dvc.patched import install
from dvc_bucket.dvc.patched import stage_touch_points as stages
from dvc_bucket.dvc.patched import touch_points as places
from dvc_bucket.dvc.patched.differences import NAMED, DvcDiffersError
from dvc_bucket.dvc.remote.outputs import opened
from tests.patched.later_dvc import LaterDvc
from tests.stores.fixtures import access
from tests.verify.published import FILES, OBJECTS, Published, empty, publish

#: Runs `bucket`; see the fixture of this name.
Bucket = Callable[..., subprocess.CompletedProcess[str]]

#: Places that are changed at once: a message names so many.
AT_ONCE = NAMED


def parts(table: Iterable[str]) -> list[tuple[str, ...]]:
    """The places of a table, so many at a time that a message names each."""
    found = list(table)
    return [tuple(found[at : at + AT_ONCE]) for at in range(0, len(found), AT_ONCE)]


#: What a process that is DVC compares before it starts.
COMPARED = [
    *parts(places.MOVING | places.READING | stages.READING_STAGES),
    # One line names three places of many.
    (stages.RECORD, stages.RUN_STAGES, stages.UNLOCKED),
]

#: Those that matter to a push beside those of a pull.
SENDING = parts(
    [
        places.COPY,
        places.COLLECT,
        places.REGISTRY,
        "dvc_s3:S3FileSystem.exists",
        "dvc_s3:S3FileSystem.find",
    ]
)

#: Those that the guard of `gc` has beside them.
GUARD = [*parts(places.PARSING), *parts(places.COLLECTING_GARBAGE)]

#: An object of DVC 2 in the cache.
LEGACY = "ab/cdef0123456789abcdef0123456789"

#: Other uses, and a command of each.
OTHER_USES = [
    *(
        (part, ("verify",))
        for part in parts(["dvc.repo:Repo.switch", "dvc.output:Output.can_push"])
    ),
    *((part, ("verify", "--cache")) for part in parts(places.HASHING)),
    *((part, ("clean",)) for part in parts(places.LOCKING)),
    *((part, ("report", "--base", "HEAD")) for part in parts(places.DRAWING)),
    *((part, ("report", "--experiments")) for part in parts(places.LISTING)),
    *((part, ("provenance", "--out", "crate")) for part in parts(places.SNAPSHOT)),
]


#: DVC's order of stages that do not depend on one another follows Python's hashes.
HASH_SEED = "1"


@pytest.fixture(scope="module")
def project(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Published]:
    """One for all tests of this file; none of them changes what git has."""
    made = empty(tmp_path_factory.mktemp("later") / "project", access(request, "seaweed"))
    publish(made)
    yield made
    shutil.rmtree(made.root)


@pytest.fixture(scope="module")
def later(project: Published) -> Iterator[LaterDvc]:
    with LaterDvc(project.clone.environment | {"PYTHONHASHSEED": HASH_SEED}) as found:
        yield found


@pytest.fixture
def bucket(project: Published, later: LaterDvc) -> Bucket:
    """Run `bucket` with a DVC that has another signature in some places."""

    def run(
        *words: str, changed: Sequence[str] = (), **variables: str
    ) -> subprocess.CompletedProcess[str]:
        done = later.run(project.root, words, changed, variables)
        print(f"$ bucket {' '.join(words)}\n{done.stdout}{done.stderr}")
        return done

    return run


def names(line: str, changed: Sequence[str]) -> bool:
    return all(place.replace(":", ".") in line for place in changed)


def forget(project: Published) -> None:
    """Lose the data: from the work tree and from the cache."""
    shutil.rmtree(project.root / ".dvc" / "cache", ignore_errors=True)
    for path in FILES:
        (project.root / path).unlink(missing_ok=True)


def is_there(project: Published) -> bool:
    files = {path: project.root / path for path in FILES}
    return all(files[path].exists() and files[path].read_bytes() == FILES[path] for path in FILES)


def cached(project: Published) -> list[Path]:
    return sorted(project.root.rglob(".dvc/cache/files/md5/*/*"))


@pytest.mark.parametrize("changed", COMPARED)
def test_plain_dvc_pulls(project: Published, bucket: Bucket, changed: tuple[str, ...]) -> None:
    forget(project)
    done = bucket("pull", changed=changed)
    assert done.returncode == 0
    assert is_there(project)
    [line] = done.stderr.splitlines()
    assert line.startswith("bucket: This version of DVC (dvc 3.")
    assert names(line, changed)
    assert "Plain DVC does the work: same results, slower." in line


def test_plain_dvc_runs_stages_one_at_a_time(project: Published, bucket: Bucket) -> None:
    folder = project.root / "stages"
    folder.mkdir()
    stage = (
        "  {0}: {{cmd: echo {0} | tee -a order > {0}.txt, outs: [{{{0}.txt: {{cache: false}}}}]}}\n"
    )
    (folder / "dvc.yaml").write_text(f"stages:\n{stage.format('a')}{stage.format('b')}")
    changed = [stages.RUN_STAGES]
    done = bucket("repro", "--jobs", "2", "stages/dvc.yaml", changed=changed)
    ran = (folder / "order").read_text()
    (folder / "order").unlink()
    project.clone.run("dvc", "repro", "--force", "stages/dvc.yaml", PYTHONHASHSEED=HASH_SEED)
    by_dvc = (folder / "order").read_text()
    shutil.rmtree(folder)
    assert (done.returncode, ran) == (0, by_dvc)
    assert sorted(ran.split()) == ["a", "b"]
    line = done.stderr.splitlines()[0]
    assert line.endswith("does the work: same results, slower. Stages run one at a time.")
    assert names(line, changed)


@pytest.mark.parametrize("changed", SENDING)
def test_plain_dvc_pushes(project: Published, bucket: Bucket, changed: tuple[str, ...]) -> None:
    bucket("fetch")
    for key in project.keys:
        project.delete(key)
    done = bucket("push", changed=changed)
    assert done.returncode == 0
    assert len(project.keys) == OBJECTS
    [line] = done.stderr.splitlines()
    assert names(line, changed)


def test_a_guard_that_cannot_be_kept_is_named(bucket: Bucket) -> None:
    paths = bucket("dvc", "--version", changed=[places.READ_LIST])
    assert paths.stderr.endswith("names in data that lead out of their folder.\n")
    redirects = bucket("dvc", "--version", changed=[places.REGISTRY])
    assert redirects.stderr.endswith("Its S3 client follows redirects to other hosts.\n")
    neither = bucket("dvc", "--version", changed=[places.COPY])
    assert neither.stderr.endswith("Plain DVC does the work: same results, slower.\n")


def test_the_exit_status_is_that_of_plain_dvc(project: Published, bucket: Bucket) -> None:
    for words, status in ((("dvc", "no-such-command"), 254), (("pull", "no-such-target"), 1)):
        done = bucket(*words, changed=[places.COPY])
        plain = project.clone.run("dvc", *words[words[0] == "dvc" :], check=False)
        assert (done.returncode, plain.returncode) == (status, status)
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize("changed", GUARD)
def test_gc_is_refused_where_it_cannot_be_guarded(
    project: Published, bucket: Bucket, changed: tuple[str, ...]
) -> None:
    if len(cached(project)) < OBJECTS:
        bucket("fetch")
    before = cached(project)
    done = bucket("dvc", "gc", "-w", "-c", "-f", changed=changed)
    assert done.returncode == 1
    *before_it, line = done.stderr.splitlines()
    assert names(line, changed)
    # What the guard uses, other commands may use as well: then plain DVC would do their work.
    shared = sorted({*changed} & {*install.USED})
    assert len(before_it) == bool(shared)
    assert all(names(first, shared) for first in before_it)
    assert "`gc` was not run and deleted nothing" in line
    assert (cached(project), len(project.keys)) == (before, OBJECTS)
    assert len(before) == OBJECTS


@pytest.mark.parametrize("variables", [{"BUCKET_FAST": "0"}, {"changed": [places.COPY]}])
def test_plain_dvc_collects_no_garbage_that_a_commit_needs(
    project: Published, bucket: Bucket, variables: Any
) -> None:
    bucket("pull")
    before = cached(project)
    hidden = project.root / "images.dvc"
    content = hidden.read_bytes()
    hidden.unlink()
    try:
        done = bucket("dvc", "gc", "-w", "-c", "-f", **variables)
    finally:
        hidden.write_bytes(content)
    assert done.returncode == 1
    plain, *refusal = done.stderr.splitlines()
    assert "does the work" in plain or "lain DVC" in plain
    assert "`gc --cloud` would delete" in refusal[0]
    assert (cached(project), len(project.keys)) == (before, OBJECTS)
    kept = bucket("dvc", "gc", "-w", "-f", **variables)
    assert kept.returncode == 0
    assert cached(project) == before


def test_a_target_of_the_name_gc_is_no_reason_to_refuse(bucket: Bucket) -> None:
    done = bucket("pull", "gc", changed=["dvc_data.hashfile.gc:gc"])
    assert "was not run" not in done.stderr


@pytest.mark.parametrize(("changed", "words"), OTHER_USES)
def test_other_commands_say_it_in_one_sentence(
    project: Published, bucket: Bucket, changed: tuple[str, ...], words: tuple[str, ...]
) -> None:
    if not is_there(project):
        bucket("pull")
    legacy = project.root / ".dvc" / "cache" / LEGACY
    if set(changed) <= set(places.HASHING):  # DVC's own hash is that of before DVC 3
        legacy.parent.mkdir()
        legacy.write_text("a line\n")
    done = bucket(*words, changed=changed)
    shutil.rmtree(legacy.parent, ignore_errors=True)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("bucket: This version of DVC (dvc 3.")
    assert names(line, changed)
    assert line.endswith("Install `dvc>=3.67,<3.68`.")
    assert is_there(project)


def test_an_attribute_that_dvcs_objects_no_longer_have_is_named(project: Published) -> None:
    with (
        pytest.raises(DvcDiffersError, match=r"at dvc\.repo\.Repo\.no_such_thing\. Install"),
        opened(project.project) as repo,
    ):
        _ = repo.no_such_thing
    with pytest.raises(AttributeError), opened(project.project):
        _ = project.no_such_thing  # type: ignore[attr-defined]


@pytest.mark.parametrize("changed", parts(places.WRITING_YAML))
def test_a_merge_of_locks_says_it_in_one_sentence(bucket: Bucket, changed: tuple[str, ...]) -> None:
    program = (
        "from dvc_bucket.dvc.lock import entries; from dvc_bucket.base.errors import BucketError\n"
        "try: entries.write(entries.read(\"schema: '2.0'\"))\n"
        "except BucketError as error: print(error)\n"
    )
    assert names(bucket("-c", program, changed=changed).stdout, changed)


def test_the_choice_of_plain_dvc(project: Published, bucket: Bucket) -> None:
    forget(project)
    done = bucket("pull", BUCKET_FAST="0")
    assert done.returncode == 0
    assert is_there(project)
    [line] = done.stderr.splitlines()
    assert line.startswith("bucket: BUCKET_FAST=0: plain DVC 3.")
    assert line.endswith("does the work: same results, slower.")
    fast = bucket("pull")
    assert (fast.returncode, fast.stderr) == (0, "")
    again = bucket("pull", BUCKET_FAST="0")  # what the fast one noted does not count
    assert again.stderr == done.stderr
    wrong = bucket("pull", BUCKET_FAST="no")
    assert (wrong.returncode, wrong.stderr) == (
        1,
        "bucket: BUCKET_FAST is 'no'. Set it to 0 for plain DVC, or unset it.\n",
    )
    assert os.environ.get("BUCKET_FAST") is None
