"""Data that DVC keeps in other ways, remotes of other kinds, and a store that does not answer."""

import hashlib
from pathlib import Path

import pytest

from dvc_bucket.base import ports
from dvc_bucket.base.errors import ProjectError, SettingsError, TransferError
from dvc_bucket.dvc.audit.findings import DatasetCount
from dvc_bucket.git import lfs_layout as layout
from dvc_bucket.jobs.verify.report import show
from tests.verify.published import FILES, OBJECTS, Published, named

IMPORT = """\
deps:
- path: data
  repo:
    url: https://git.example.org/other
    rev_lock: 0123456789abcdef0123456789abcdef01234567
"""

PIPELINE = """\
stages:
  count:
    cmd: "true"
    deps: [table.csv]
    outs:
    - made.bin
    - small.txt: {cache: false}
    - unsent.bin: {push: false}
    - never.bin
"""

LOCK = """\
schema: '2.0'
stages:
  count:
    cmd: "true"
    outs:
"""


def test_what_is_not_to_be_on_the_remote_is_not_missed_but_said(on_seaweed: Published) -> None:
    on_seaweed.track("imported.bin", b"imported", IMPORT)
    on_seaweed.track("elsewhere.bin", b"elsewhere", "  remote: other\n")
    on_seaweed.track("kept.bin", b"kept", "  push: false\n")
    outs = [
        f"    - path: {name}\n      hash: md5\n      md5: {'a' * 31}{number}\n      size: 1\n"
        for number, name in enumerate(("made.bin", "small.txt", "unsent.bin"))
    ]
    (on_seaweed.root / "dvc.yaml").write_text(PIPELINE)
    (on_seaweed.root / "dvc.lock").write_text(LOCK + "".join(outs))
    report = on_seaweed.verify()
    assert named(report.findings) == [("missing", "made.bin")]
    why = {one.dataset: one.why for one in report.left_out}
    assert why.keys() == {
        "imported.bin",
        "elsewhere.bin",
        "kept.bin",
        "small.txt",
        "unsent.bin",
        "never.bin",
    }
    assert "bucket verify --remote other" in why["elsewhere.bin"]
    assert "that it comes from" in why["imported.bin"]


def test_another_remote_by_name(on_seaweed: Published) -> None:
    path = on_seaweed.track("elsewhere.bin", b"elsewhere", "  remote: other\n")
    with (on_seaweed.root / ".dvc" / "config").open("a") as config:
        config.write(
            f"['remote \"other\"']\n    url = s3://{on_seaweed.store.bucket}/{on_seaweed.prefix}-2\n"
            f"    endpointurl = {on_seaweed.store.endpoint_url}\n"
            "['remote \"disk\"']\n    url = /nowhere\n"
            "['remote \"named\"']\n    url = s3://b/p\n    version_aware = true\n"
        )
    assert on_seaweed.verify().ok
    report = on_seaweed.verify(remote="other", repair=True)
    assert report.ok
    assert ("missing", "elsewhere.bin") in named(report.mended)
    there = on_seaweed.store.keys(f"{on_seaweed.prefix}-2/")
    assert f"{on_seaweed.prefix}-2/{path}" in there
    with pytest.raises(ProjectError, match="no remote nobody"):
        on_seaweed.verify(remote="nobody")
    with pytest.raises(ProjectError, match="/nowhere, which is not of the form s3://"):
        on_seaweed.verify(remote="disk")
    with pytest.raises(ProjectError, match="version_aware"):
        on_seaweed.verify(remote="named")


def test_the_layout_of_before_dvc_3(on_seaweed: Published) -> None:
    text = b"one\r\ntwo\r\n" * 200_000  # over one piece, whose end is within a line end
    path = on_seaweed.track("old.txt", text, legacy=True)
    assert named(on_seaweed.verify().findings) == [("missing", "old.txt")]
    assert on_seaweed.verify(repair=True).ok
    assert on_seaweed.get(path) == text
    assert on_seaweed.verify(deep=True).ok
    on_seaweed.put_with_plausible_tag(path, b"eno" + text[3:])
    assert named(on_seaweed.verify(deep=True).findings) == [("corrupt", "old.txt")]


def test_names_in_a_directory_that_json_writes_in_another_way(on_seaweed: Published) -> None:
    folder = on_seaweed.root / "odd names"
    folder.mkdir()
    (folder / 'é "quoted".txt').write_bytes(b"odd")
    on_seaweed.dvc("add", "odd names")
    (folder / "later").mkdir()
    report = on_seaweed.verify()
    assert named(report.findings) == [
        ("missing", "odd names"),
        ("missing", 'odd names/é "quoted".txt'),
    ]
    assert on_seaweed.verify(repair=True).ok


def test_dvc_and_git_lfs_are_one_report_and_objects_of_git_lfs_are_not_foreign(
    on_seaweed: Published,
) -> None:
    oid = hashlib.sha256(b"large").hexdigest()
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 5\n"
    (on_seaweed.root / "large.bin").write_text(pointer)
    on_seaweed.commit("A file of Git LFS")
    on_seaweed.put(layout.path("ab" * 32), b"of another clone")
    assert named(on_seaweed.verify(lfs=True).findings) == [("missing", "large.bin")]
    on_seaweed.put(layout.path(oid), b"large")
    report = on_seaweed.verify(all_commits=True, lfs=True, deep=True)
    assert (report.ok, report.read, report.objects) == (True, OBJECTS + 1, OBJECTS + 1)
    assert (report.foreign, report.foreign_keys) == (0, [])
    assert DatasetCount("Git LFS", 1, 5) in report.datasets
    on_seaweed.put(layout.path(oid), b"lar")
    assert named(on_seaweed.verify(lfs=True).findings) == [("truncated", "large.bin")]


def test_a_project_without_data_and_a_remote_without_objects(
    on_seaweed: Published, capsys: pytest.CaptureFixture[str]
) -> None:
    everything = on_seaweed.keys
    for path in everything:
        on_seaweed.delete(path)
    report = on_seaweed.verify(deep=True)
    assert (report.missing, report.damaged, report.objects) == (len(everything), 0, len(everything))
    for file in on_seaweed.root.rglob("*.dvc"):
        if file.is_file():
            file.unlink()
    report = on_seaweed.verify()
    assert (report.ok, report.objects) == (True, 0)
    show(report)
    assert "Nothing is needed from" in capsys.readouterr().out


def test_an_object_that_the_store_encrypts_is_not_called_corrupt(
    on_seaweed: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An ETag that is another MD5 is a doubt: it is read, or, where that is much, said."""
    from dvc_bucket.dvc.audit import verification

    path = on_seaweed.object("images/00.bin")
    on_seaweed.put(path, b"y" * len(FILES["images/00.bin"]))
    assert named(on_seaweed.verify().findings) == [("corrupt", "images/00.bin")]
    monkeypatch.setattr(verification, "DOUBTFUL_BYTES", 10)
    report = on_seaweed.verify()
    assert report.ok
    assert "1 objects" in report.notes[0]


def test_a_store_that_does_not_answer_is_one_clear_sentence(on_seaweed: Published) -> None:
    env = on_seaweed.root / ".env"
    closed = f"https://127.0.0.1:{ports.free_ports(1)[0]}"
    text = env.read_text().replace(on_seaweed.store.endpoint_url, closed)
    env.write_text(f"{text}OS_RETRY_SECONDS=1\n")
    with pytest.raises(TransferError, match=f"list s3://.*: {closed}.*`bucket doctor`"):
        on_seaweed.verify()
    env.write_text(env.read_text().replace("OS_BUCKET_NAME=", "OS_BUCKET_NAME=not-"))
    with pytest.raises(SettingsError, match="OS_BUCKET_NAME is not-"):
        on_seaweed.verify()


def test_keys_that_no_client_of_ours_takes_are_named_and_the_rest_is_checked(
    originals: dict[str, Published], tmp_path: Path
) -> None:
    published = originals["swift"].copy(tmp_path / "project")
    gone, odd = published.keys[0], ("files/md5/00//x", "files/md5/00/../y", "files/md5/\x01")
    published.delete(gone)
    for key in odd:
        published.put(key, b"x")
    report = published.verify()
    assert (report.missing, report.foreign) == (1, len(odd))
    [note] = report.notes
    assert note.startswith("3 keys skipped, with an empty part")
    assert published.verify(repair=True).ok
    assert published.clone.run("bucket", "gc", "--workspace", "--cloud", "--force", check=False)
    assert {*odd} < {*published.keys}
