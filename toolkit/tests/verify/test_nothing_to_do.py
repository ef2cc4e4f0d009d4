"""A command with nothing to do is told before DVC starts, and only where DVC would say the same."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from dvc_bucket.dvc import looks
from dvc_bucket.dvc import nothing_to_do as nothing
from dvc_bucket.dvc.remote.outputs import opened
from tests.verify.published import Published


@pytest.fixture
def pulled(on_seaweed: Published) -> Published:
    """A project whose data is there, which was noted."""
    with opened(on_seaweed.project) as repo:
        nothing.note(on_seaweed.project, repo, "pull", looks.now())
    assert nothing.is_done(on_seaweed.project, "pull")
    return on_seaweed


STAGES = """\
stages:
  copy:
    cmd: cp notes.txt copy.txt
    deps: [notes.txt]
    outs: [copy.txt]
"""


@pytest.fixture
def run(on_seaweed: Published) -> Published:
    """The same with a stage that has run, and what it made was sent."""
    (on_seaweed.root / "notes.txt").write_text("notes\n")
    (on_seaweed.root / "dvc.yaml").write_text(STAGES)
    on_seaweed.dvc("repro", "-q")
    on_seaweed.clone.run("bucket", "push", "-q")
    on_seaweed.clone.run("bucket", "status", "-q")
    assert nothing.is_done(on_seaweed.project, "status")
    return on_seaweed


def remove_an_object(published: Published) -> None:
    published.cached(published.object("images/01.bin")).unlink()


def edit_in_place(published: Published) -> None:
    """A file of the same size, written again: DVC's links are broken first, as an editor does."""
    path = published.root / "images" / "02.bin"
    content = bytearray(path.read_bytes())
    path.unlink()
    content[0] ^= 1
    path.write_bytes(content)


def track_more(published: Published) -> None:
    published.track("deep/more.bin", b"more")


def forget_a_pointer(published: Published) -> None:
    (published.root / "table.csv.dvc").unlink()


def change_a_pointer(published: Published) -> None:
    pointer = published.root / "table.csv.dvc"
    pointer.write_text(pointer.read_text().replace("md5: ", "md5: f", 1))


CHANGES: dict[str, Callable[[Published], object]] = {
    "a file is gone": lambda published: (published.root / "images" / "03.bin").unlink(),
    "a file is new": lambda published: (published.root / "images" / "new").touch(),
    "a file has other bytes": edit_in_place,
    "a folder is gone": lambda published: shutil.rmtree(published.root / "images"),
    "an object is gone from the cache": remove_an_object,
    "the cache is gone": lambda published: shutil.rmtree(published.root / ".dvc" / "cache"),
    "more is tracked": track_more,
    "less is tracked": forget_a_pointer,
    "another content is recorded": change_a_pointer,
    "the configuration is another": lambda published: os.utime(published.project.dvc_config),
    "something new is ignored": lambda published: (published.root / ".dvcignore").touch(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_dvc_would_look_at_has_it_look(pulled: Published, change: str) -> None:
    CHANGES[change](pulled)
    assert not nothing.is_done(pulled.project, "pull")


def test_where_nothing_changed_neither_dvc_nor_the_store_is_asked(pulled: Published) -> None:
    def pull(*options: str) -> tuple[int, str]:
        words = ("bucket", "pull", *options)
        done = pulled.clone.run(*words, check=False, OS_ENDPOINT_URL="nowhere")
        return done.returncode, done.stdout

    assert pull() == (0, f"{nothing.UP_TO_DATE}\n")
    assert pull("-q") == (0, "")
    assert pull("-v")[0] == 1
    (pulled.root / "images" / "03.bin").unlink()
    assert "1 file added" in pulled.clone.run("bucket", "pull").stdout
    assert (pulled.root / "images" / "03.bin").exists()
    assert nothing.is_done(pulled.project, "pull")


def test_a_pull_that_fails_notes_nothing(pulled: Published) -> None:
    track_more(pulled)
    shutil.rmtree(pulled.root / ".dvc" / "cache")
    (pulled.root / "deep" / "more.bin").unlink()
    assert pulled.clone.run("bucket", "pull", check=False).returncode == 1
    assert not nothing.is_done(pulled.project, "pull")
    assert Path(pulled.root / "images" / "01.bin").exists()


def test_a_copy_of_a_clone_does_not_answer_for_the_original(pulled: Published) -> None:
    copy = pulled.root.with_name("copy")
    shutil.copytree(pulled.root, copy, symlinks=True)
    assert not nothing.is_done(type(pulled.project)(copy), "pull")


def test_a_status_with_nothing_to_say_asks_nobody_until_an_input_changes(run: Published) -> None:
    def status(*options: str) -> tuple[int, str]:
        words = ("bucket", "status", *options)
        done = run.clone.run(*words, check=False, OS_ENDPOINT_URL="nowhere")
        return done.returncode, done.stdout

    assert status() == (0, f"{nothing.IN_ORDER}\n")
    assert status("-q") == (0, "")
    (run.root / "notes.txt").write_text("other\n")
    assert status()[0] == 1
    assert "notes.txt" in run.clone.run("bucket", "status").stdout
    assert not nothing.is_done(run.project, "status")
    (run.root / "notes.txt").write_text("notes\n")
    assert run.clone.run("bucket", "status").stdout == f"{nothing.IN_ORDER}\n"
    run.dvc("status", "-q")


def test_of_a_push_the_store_is_asked_what_it_has(run: Published) -> None:
    assert nothing.is_sent(run.project, run.settings)
    assert run.clone.run("bucket", "push").stdout == f"{nothing.UP_TO_DATE}\n"
    run.delete(run.list_of_images)
    assert not nothing.is_sent(run.project, run.settings)
    assert "pushed" in run.clone.run("bucket", "push").stdout
    assert run.list_of_images
    assert nothing.is_sent(run.project, run.settings)


def test_a_reproduce_with_nothing_to_do_starts_nothing(run: Published) -> None:
    began = run.root / ".dvc" / "tmp" / "began"

    def reproduce() -> str:
        began.unlink(missing_ok=True)
        return run.clone.run("bucket", "reproduce", "--before", f"touch {began}").stdout

    nothing_to_do = f"{nothing.IN_ORDER}\n{nothing.UP_TO_DATE}\n"
    assert reproduce() == nothing_to_do
    assert not began.exists()
    (run.root / "notes.txt").write_text("other\n")
    assert "Running stage 'copy'" in reproduce()
    assert began.exists()
    assert reproduce() == nothing_to_do
    run.delete(run.list_of_images)
    assert "pushed" in reproduce()
    assert began.exists()


@pytest.mark.parametrize(
    "line", ["    always_changed: true\n", "    frozen: true\n"], ids=["always changed", "frozen"]
)
def test_a_stage_that_dvc_says_more_of_is_always_asked_about(run: Published, line: str) -> None:
    (run.root / "dvc.yaml").write_text(STAGES + line)
    run.clone.run("bucket", "status")
    assert not nothing.is_done(run.project, "status")


def test_a_change_while_dvc_looks_is_seen_the_next_time(run: Published) -> None:
    """Nothing is kept of files that are as new as the look at them."""
    begun = looks.now()
    (run.root / "notes.txt").write_text("notes\n")
    with opened(run.project) as repo:
        nothing.note(run.project, repo, "status", begun)
    assert not nothing.is_done(run.project, "status")


def test_what_is_tracked_is_told_without_dvc_until_a_pointer_changes(run: Published) -> None:
    def listed() -> list[str]:
        return run.clone.run("bucket", "ls").stdout.splitlines()

    first = listed()
    assert "copy.txt" in first
    assert listed() == first
    assert looks.kept(run.project.tracked, "datasets")
    track_more(run)
    assert not looks.kept(run.project.tracked, "datasets")
    assert listed() == sorted([*first, "deep/more.bin"])
    forget_a_pointer(run)
    assert listed() == sorted({*first, "deep/more.bin"} - {"table.csv"})


def test_what_git_writes_again_without_another_content_is_no_change(pulled: Published) -> None:
    for path in (pulled.root / "table.csv.dvc", pulled.root / ".gitignore"):
        content = path.read_bytes()
        path.unlink()
        path.write_bytes(content)
    (pulled.root / "analysis.py").write_text("print('no value of any stage')\n")
    (pulled.root / "README.md").write_text("new\n")
    assert nothing.is_done(pulled.project, "pull")


#: A file with a value, by the end of its name.
VALUES = {".py": "NAME = '{}'", ".json": '{{"NAME": "{}"}}', ".toml": 'NAME = "{}"'}


@pytest.mark.parametrize("name", ["values.py", "of mine/values.json", "../values.toml"])
def test_a_file_with_values_of_a_pipeline_is_looked_at(run: Published, name: str) -> None:
    """Also where git or DVC ignores it, or outside of the project."""
    values = run.root / name
    values.parent.mkdir(exist_ok=True)
    values.write_text(VALUES[values.suffix].format("copy"))
    with (run.root / ".gitignore").open("a") as ignored:
        ignored.write("/of mine/\n")
    flow = STAGES.replace("stages:\n", f"vars: ['{name}']\nstages:\n").replace(
        "cp notes.txt copy.txt", "cp notes.txt ${NAME}.txt"
    )
    (run.root / "dvc.yaml").write_text(flow)
    run.clone.run("bucket", "status", "-q")
    assert nothing.is_done(run.project, "status")
    values.write_text(VALUES[values.suffix].format("other"))
    assert not nothing.is_done(run.project, "status")


def test_a_commit_checked_out_during_a_pull_is_pulled_the_next_time(pulled: Published) -> None:
    """What the pull had read is not what the files declare after it."""
    begun = looks.now()
    change_a_pointer(pulled)
    with opened(pulled.project) as repo:
        nothing.note(pulled.project, repo, "pull", begun)
    assert not nothing.is_done(pulled.project, "pull")


def test_a_push_does_not_depend_on_files_in_the_work_tree(run: Published) -> None:
    edit_in_place(run)
    assert nothing.is_sent(run.project, run.settings)
    change_a_pointer(run)
    assert not nothing.is_sent(run.project, run.settings)


def test_a_new_file_shows_in_its_folder_before_the_others_are_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record, folder = tmp_path / "record", tmp_path / "data"
    folder.mkdir()
    os.utime(folder, ns=(1, 1))
    looks.keep(record, looks.Places([], [str(folder)]), {"pull": True}, looks.now())
    assert looks.kept(record, "pull") is True

    def look_into(_: str) -> None:
        raise AssertionError

    monkeypatch.setattr(looks, "_look_into", look_into)
    assert looks.kept(record, "status") is None
    (folder / "new").write_text("new")
    assert looks.kept(record, "pull") is None
