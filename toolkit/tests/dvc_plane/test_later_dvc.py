"""With a DVC that has another inside: plain DVC does the work, `gc` stays guarded or is refused."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from dvc_bucket.dvc.patched import touch_points as places
from dvc_bucket.dvc.patched.differences import DvcDiffersError
from dvc_bucket.dvc.remote.outputs import opened
from tests.stores.fixtures import access
from tests.verify.published import FILES, OBJECTS, Published, empty, publish

#: On Python's path it changes the inside of DVC.
CHANGED = Path(__file__).with_name("changed")

#: What a process that is DVC compares before it starts.
COMPARED = [*(places.MOVING | places.READING)]

#: Those that matter to a push beside those of a pull.
SENDING = [
    places.COPY,
    places.COLLECT,
    places.REGISTRY,
    "dvc_s3:S3FileSystem.exists",
    "dvc_s3:S3FileSystem.find",
]

#: Those that the guard of `gc` has beside them.
GUARD = [*(places.PARSING | places.COLLECTING_GARBAGE)]

#: Other uses, and a command of each.
OTHER_USES = [
    *((place, ("verify",)) for place in ("dvc.repo:Repo.switch", "dvc.output:Output.can_push")),
    *((place, ("verify", "--cache")) for place in places.HASHING),
    *((place, ("clean",)) for place in places.LOCKING),
    *((place, ("report", "--base", "HEAD")) for place in places.DRAWING),
]


@pytest.fixture(scope="module")
def project(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Published]:
    """One for all tests of this file; none of them changes what git has."""
    made = empty(tmp_path_factory.mktemp("later") / "project", access(request, "seaweed"))
    publish(made)
    yield made
    shutil.rmtree(made.root)


def bucket(
    project: Published, *words: str, place: str = "", **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run `bucket` with a DVC that has another signature in a place."""
    if place:
        variables |= {"PYTHONPATH": str(CHANGED), "CHANGED_PLACE": place}
    return project.clone.run("bucket", *words, check=False, **variables)


def forget(project: Published) -> None:
    """Lose the data: from the work tree and from the cache."""
    shutil.rmtree(project.root / ".dvc" / "cache", ignore_errors=True)
    for path in FILES:
        (project.root / path).unlink(missing_ok=True)


def is_there(project: Published) -> bool:
    return all((project.root / path).read_bytes() == content for path, content in FILES.items())


def cached(project: Published) -> list[Path]:
    return sorted(project.root.rglob(".dvc/cache/files/md5/*/*"))


@pytest.mark.parametrize("place", COMPARED)
def test_plain_dvc_pulls(project: Published, place: str) -> None:
    forget(project)
    done = bucket(project, "pull", place=place)
    assert done.returncode == 0
    assert is_there(project)
    [line] = done.stderr.splitlines()
    assert line.startswith("bucket: This DVC (dvc 3.")
    assert place.replace(":", ".") in line
    assert "Plain DVC does the work: same results, slower." in line


@pytest.mark.parametrize("place", SENDING)
def test_plain_dvc_pushes(project: Published, place: str) -> None:
    bucket(project, "fetch")
    for key in project.keys:
        project.delete(key)
    done = bucket(project, "push", place=place)
    assert done.returncode == 0
    assert len(project.keys) == OBJECTS
    [line] = done.stderr.splitlines()
    assert place.replace(":", ".") in line


def test_a_guard_that_cannot_be_kept_is_named(project: Published) -> None:
    names = bucket(project, "dvc", "--version", place=places.READ_LIST)
    assert names.stderr.endswith("names in data that lead out of their folder.\n")
    redirects = bucket(project, "dvc", "--version", place=places.REGISTRY)
    assert redirects.stderr.endswith("Its S3 client follows redirects to other hosts.\n")
    neither = bucket(project, "dvc", "--version", place=places.COPY)
    assert neither.stderr.endswith("Plain DVC does the work: same results, slower.\n")


def test_the_exit_status_is_that_of_plain_dvc(project: Published) -> None:
    for words, status in ((("dvc", "no-such-command"), 254), (("pull", "no-such-target"), 1)):
        done = bucket(project, *words, place=places.COPY)
        plain = project.clone.run("dvc", *words[words[0] == "dvc" :], check=False)
        assert (done.returncode, plain.returncode) == (status, status)
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize("place", GUARD)
def test_gc_is_refused_where_it_cannot_be_guarded(project: Published, place: str) -> None:
    bucket(project, "fetch")
    before = cached(project)
    done = bucket(project, "dvc", "gc", "-w", "-c", "-f", place=place)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert place.replace(":", ".") in line
    assert "`gc` was not run and deleted nothing" in line
    assert (cached(project), len(project.keys)) == (before, OBJECTS)
    assert len(before) == OBJECTS


@pytest.mark.parametrize("variables", [{"BUCKET_FAST": "0"}, {"place": places.COPY}])
def test_plain_dvc_collects_no_garbage_that_a_commit_needs(
    project: Published, variables: dict[str, str]
) -> None:
    bucket(project, "pull")
    before = cached(project)
    hidden = project.root / "images.dvc"
    content = hidden.read_bytes()
    hidden.unlink()
    try:
        done = bucket(project, "dvc", "gc", "-w", "-c", "-f", **variables)
    finally:
        hidden.write_bytes(content)
    assert done.returncode == 1
    plain, *refusal = done.stderr.splitlines()
    assert "does the work" in plain or "lain DVC" in plain
    assert "`gc --cloud` would delete" in refusal[0]
    assert (cached(project), len(project.keys)) == (before, OBJECTS)
    kept = bucket(project, "dvc", "gc", "-w", "-f", **variables)
    assert kept.returncode == 0
    assert cached(project) == before


def test_a_target_of_the_name_gc_is_no_reason_to_refuse(project: Published) -> None:
    done = bucket(project, "pull", "gc", place="dvc_data.hashfile.gc:gc")
    assert "was not run" not in done.stderr


@pytest.mark.parametrize(("place", "words"), OTHER_USES)
def test_other_commands_say_it_in_one_sentence(
    project: Published, place: str, words: tuple[str, ...]
) -> None:
    bucket(project, "pull")
    done = bucket(project, *words, place=place)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("bucket: This DVC (dvc 3.")
    assert place.replace(":", ".") in line
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


@pytest.mark.parametrize("place", places.WRITING_YAML)
def test_a_merge_of_locks_says_it_in_one_sentence(project: Published, place: str) -> None:
    program = (
        "from dvc_bucket.dvc.lock import entries; from dvc_bucket.base.errors import BucketError\n"
        "try: entries.write(entries.read(\"schema: '2.0'\"))\n"
        "except BucketError as error: print(error)\n"
    )
    done = project.clone.run("python", "-c", program, PYTHONPATH=str(CHANGED), CHANGED_PLACE=place)
    assert place.replace(":", ".") in done.stdout


def test_the_choice_of_plain_dvc(project: Published) -> None:
    forget(project)
    done = bucket(project, "pull", BUCKET_FAST="0")
    assert done.returncode == 0
    assert is_there(project)
    [line] = done.stderr.splitlines()
    assert line.startswith("bucket: BUCKET_FAST=0: plain DVC 3.")
    assert line.endswith("does the work: same results, slower.")
    fast = bucket(project, "pull")
    assert (fast.returncode, fast.stderr) == (0, "")
    again = bucket(project, "pull", BUCKET_FAST="0")  # what the fast one noted does not count
    assert again.stderr == done.stderr
    wrong = bucket(project, "pull", BUCKET_FAST="no")
    assert (wrong.returncode, wrong.stderr) == (
        1,
        "bucket: BUCKET_FAST is 'no'. Set it to 0 for plain DVC, or unset it.\n",
    )
    assert os.environ.get("BUCKET_FAST") is None
