"""Each fault that a remote can have, on both stores: named, and mended where it can be."""

import json

import pytest

from dvc_bucket.dvc.audit.findings import DatasetCount
from dvc_bucket.jobs.verify.report import show
from tests.verify.published import FILES, OBJECTS, Published, named

GONE, CUT, FLIPPED, LOST = (f"images/{number:02}.bin" for number in range(4))


def flipped(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1])


def test_what_was_pushed_is_complete(published: Published) -> None:
    report = published.verify()
    assert report.ok
    images = sum(len(content) for path, content in FILES.items() if path.startswith("images/"))
    list_size = len(published.get(published.list_of_images))
    small = len(FILES["table.csv"])
    assert report.datasets == [
        DatasetCount("deep/er/same.csv", 1, small),
        DatasetCount("images", 9, images + list_size),
        DatasetCount("table.csv", 1, small),
    ]
    assert (report.foreign, report.read) == (0, 0)
    deep = published.verify(deep=True)
    assert (deep.ok, deep.read) == (True, OBJECTS)


def test_every_fault_is_named_with_dataset_path_and_commit(published: Published) -> None:
    commit = published.git("rev-parse", "HEAD")
    published.delete(published.object(GONE))
    published.put(published.object(CUT), FILES[CUT][:500])
    published.put_with_plausible_tag(published.object(FLIPPED), flipped(FILES[FLIPPED]))
    published.delete(published.object(LOST))
    published.forget_locally(LOST)
    report = published.verify("main")
    assert named(report.findings) == [("missing", GONE), ("truncated", CUT), ("missing", LOST)]
    assert {one.dataset for one in report.findings} == {"images"}
    assert {one.revisions[0].commit for one in report.findings} == {commit}
    assert report.findings[1].fault.detail == f"500 of {len(FILES[CUT])} bytes"
    [images] = [one for one in report.datasets if one.name == "images"]
    assert (images.missing, images.damaged) == (2, 1)
    deep = published.verify("main", deep=True)
    assert ("corrupt", FLIPPED) in named(deep.findings)
    assert len(deep.findings) == 4


def test_of_dvc_only_granular_status_names_an_object_gone_from_a_directory(
    on_seaweed: Published,
) -> None:
    """As README.md says; `bucket verify` names it, too."""
    on_seaweed.delete(on_seaweed.object(GONE))

    def said(*words: str) -> str:
        return on_seaweed.clone.run("bucket", *words).stdout

    assert "Everything is up to date" in said("push")
    assert "in sync" in said("status", "-c")
    whole = ("data", "status", "--not-in-remote")
    assert GONE not in said(*whole)
    assert "Not in remote" not in said(*whole)
    granular = said(*whole, "--granular")
    assert "Not in remote" in granular
    assert GONE in granular
    assert named(on_seaweed.verify().findings) == [("missing", GONE)]


def test_repair_mends_what_a_good_copy_here_can_mend(published: Published) -> None:
    published.delete(published.object(GONE))
    published.put(published.object(CUT), FILES[CUT][:500])
    published.put_with_plausible_tag(published.object(FLIPPED), flipped(FILES[FLIPPED]))
    published.delete(published.object(LOST))
    published.forget_locally(LOST)
    report = published.verify(deep=True, repair=True)
    assert sorted(named(report.mended)) == [
        ("corrupt", FLIPPED),
        ("missing", GONE),
        ("truncated", CUT),
    ]
    assert named(report.findings) == [("missing", LOST)]
    assert report.findings[0].repair == "no copy on this machine"
    for path in (GONE, CUT, FLIPPED):
        assert published.get(published.object(path)) == FILES[path]


def test_a_deleted_list_is_named_and_mended(published: Published) -> None:
    path = published.list_of_images
    published.delete(path)
    assert named(published.verify().findings) == [("missing", "images")]
    report = published.verify(repair=True)
    assert (report.ok, named(report.mended)) == (True, [("missing", "images")])
    assert published.list_of_images == path


def test_a_list_is_not_sent_before_its_files(published: Published) -> None:
    published.delete(published.list_of_images)
    published.delete(published.object(LOST))
    published.forget_locally(LOST)
    report = published.verify(repair=True)
    assert named(report.findings) == [("missing", "images"), ("missing", LOST)]
    assert "not sent: 1 file without" in report.findings[0].repair
    assert not [path for path in published.keys if path.endswith(".dir")]


def test_without_a_local_copy_a_list_comes_from_the_remote(published: Published) -> None:
    path = published.list_of_images
    for cached in published.cached("files").rglob("*"):
        if cached.is_file():
            cached.unlink()
    published.delete(published.object(GONE))
    published.put(published.object(CUT), FILES[CUT][:500])
    # Nothing here has the size; the ETag says that the content is another, so it is read.
    report = published.verify()
    assert named(report.findings) == [("missing", GONE), ("corrupt", CUT)]
    # In parts, no ETag says anything; the directory's size does.
    published.put(published.object(GONE), FILES[GONE])
    published.put_with_plausible_tag(published.object(CUT), FILES[CUT][:500])
    [finding] = published.verify().findings
    assert (finding.fault.kind, finding.path, finding.name) == ("wrong size", "images", None)
    assert named(published.verify(deep=True).findings) == [("corrupt", CUT)]
    # And of a list that is nowhere whole, the files cannot be named.
    published.put(path, b"[]")
    assert named(published.verify().findings) == [("corrupt", "images")]
    published.delete(path)
    [finding] = published.verify().findings
    assert (finding.fault.kind, finding.path) == ("missing", "images")
    assert "no local copy" in finding.fault.detail


def test_a_damaged_local_copy_is_named_and_not_sent(on_seaweed: Published) -> None:
    on_seaweed.delete(on_seaweed.object(GONE))
    (on_seaweed.root / GONE).unlink()
    cached = on_seaweed.cached(on_seaweed.object(GONE))
    cached.chmod(0o644)
    cached.write_bytes(flipped(FILES[GONE]))
    [finding] = on_seaweed.verify(repair=True).findings
    assert (finding.fault.kind, finding.path) == ("missing", GONE)
    assert f"the local copy {cached}" in finding.repair
    # The work tree will do as well.
    (on_seaweed.root / GONE).write_bytes(FILES[GONE])
    assert on_seaweed.verify(repair=True).ok
    assert on_seaweed.get(on_seaweed.object(GONE)) == FILES[GONE]


def test_an_object_of_two_datasets_is_named_in_both_and_mended_once(on_seaweed: Published) -> None:
    on_seaweed.delete(on_seaweed.object("table.csv"))
    report = on_seaweed.verify(repair=True)
    assert named(report.mended) == [("missing", "deep/er/same.csv"), ("missing", "table.csv")]
    assert report.ok


def test_the_command_says_it_to_people_and_its_status_to_programs(on_seaweed: Published) -> None:
    on_seaweed.delete(on_seaweed.object(GONE))
    done = on_seaweed.clone.run("bucket", "verify", check=False)
    assert (done.returncode, done.stderr) == (1, "")
    assert f"missing  {GONE}  needed by workspace\n" in done.stdout
    assert "NOT complete: 1 missing, 0 damaged, 0 not checked of 10" in done.stdout
    done = on_seaweed.clone.run("bucket", "verify", "--repair", "--json")
    found = json.loads(done.stdout)
    assert (found["ok"], found["findings"], found["objects"]) == (True, [], 10)
    assert found["mended"][0]["object"] == on_seaweed.object(GONE)
    assert found["mended"][0]["revisions"] == [{"commit": None, "names": []}]


def test_the_report_of_a_complete_remote_fits_on_a_screen(
    on_seaweed: Published, capsys: pytest.CaptureFixture[str]
) -> None:
    commit = on_seaweed.git("rev-parse", "--short=7", "HEAD")
    capsys.readouterr()
    show(on_seaweed.verify("main"))
    said = capsys.readouterr().out
    assert f"Complete: 10 objects (8.6 kB) of {commit} (main) are there, with correct sizes" in said
    assert len(said.splitlines()) == 6
