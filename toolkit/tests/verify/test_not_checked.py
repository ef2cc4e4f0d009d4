"""What the store does not give is neither missing nor damaged: it is not checked."""

import json
from collections.abc import Iterator, Mapping

import pytest

from dvc_bucket import Project, Settings
from tests.stores.plain_front import PlainFront
from tests.verify.published import FILES, OBJECTS, Published, named
from tests.verify.test_deep import point_at

#: What the store refuses, and what a test takes from it.
KEPT, GONE = "images/05.bin", "images/02.bin"

DENIED = b"<?xml version='1.0'?><Error><Code>AccessDenied</Code><Message>no</Message></Error>"


@pytest.fixture
def refused(on_seaweed: Published, store: Project) -> Iterator[Published]:
    """A project whose store lists an object and does not give it to this key."""
    key = on_seaweed.object(KEPT)

    def refuse(method: str, path: str, _: Mapping[str, str]) -> tuple[int, bytes] | None:
        return (403, DENIED) if method == "GET" and path.endswith(key) else None

    with PlainFront(Settings.load(store).port, refuse=refuse) as front:
        point_at(front, on_seaweed)
        yield on_seaweed


def test_it_has_a_word_a_count_and_a_status_of_its_own(refused: Published) -> None:
    assert refused.clone.run("bucket", "verify").returncode == 0
    done = refused.clone.run("bucket", "verify", "--deep", check=False)
    assert (done.returncode, done.stderr) == (3, "")
    assert f"not checked  {KEPT} (the store does not return it: 403 AccessDenied)" in done.stdout
    assert f"NOT fully checked: 0 missing, 0 damaged, 1 not checked of {OBJECTS}" in done.stdout
    assert "<" not in done.stdout
    done = refused.clone.run("bucket", "verify", "--deep", "--json", check=False)
    found = json.loads(done.stdout)
    assert done.returncode == 3
    assert [found[name] for name in ("ok", "missing", "damaged", "not_checked")] == [False, 0, 0, 1]
    [images] = [row for row in found["datasets"] if row["name"] == "images"]
    assert (images["damaged"], images["not_checked"]) == (0, 1)
    assert [(one["fault"], one["path"]) for one in found["findings"]] == [("not checked", KEPT)]


def test_beside_what_is_missing_it_counts_and_the_status_is_1(refused: Published) -> None:
    refused.delete(refused.object(GONE))
    refused.put_with_plausible_tag(refused.object("table.csv"), b"x" * len(FILES["table.csv"]))
    done = refused.clone.run("bucket", "verify", "--deep", check=False)
    assert done.returncode == 1
    assert f"NOT complete: 1 missing, 1 damaged, 1 not checked of {OBJECTS}" in done.stdout
    report = refused.verify(deep=True)
    assert ("not checked", KEPT) in named(report.findings)
    assert (report.missing, report.damaged, report.not_checked) == (1, 1, 1)


def test_a_store_that_says_nothing_leaves_all_of_it_unchecked(on_seaweed: Published) -> None:
    env = on_seaweed.root / ".env"
    env.write_text(env.read_text().replace("OS_SECRET_ACCESS_KEY=", "OS_SECRET_ACCESS_KEY=wrong"))
    done = on_seaweed.clone.run("bucket", "verify", check=False)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("bucket: not checked. Could not list s3://")
    assert done.stderr.count("\n") == 1
