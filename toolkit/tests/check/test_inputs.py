"""Inputs come from the remote, and neither that nor the clone of the person is written to."""

import hashlib
import shutil
from pathlib import Path

import obstore
import pytest

from dvc_bucket import Project, Settings
from dvc_bucket.connection import dvc_config as config
from tests.bucket.git_tools import Repo
from tests.check.small import IGNORED, Stages, script, stage

INPUT = "some words\n"

BODIES = {
    "first": "write('first.txt', read('data/input.txt').upper())",
    "second": "write('second.txt', read('first.txt') * 2)\n"
    "folder = Path('folder')\nfolder.mkdir()\n"
    "for number in range(3):\n    write(folder / f'{number}.csv', f'n\\n{number}\\n')",
}


@pytest.fixture(scope="module")
def pushed(store: Project, tmp_path_factory: pytest.TempPathFactory) -> Stages:
    """A project whose input and results are on a remote, and no longer on this machine."""
    root = tmp_path_factory.mktemp("inputs") / "project"
    made = Stages(Repo(root, Project(root)))
    files = {f"src/{name}.py": script(body) for name, body in BODIES.items()}
    files |= {
        ".gitignore": IGNORED,
        "data/input.txt": INPUT,
        ".dvc/config": config.with_options(
            store.dvc_config.read_text(), {"url": "s3://research-data/check"}
        ),
    }
    for name, text in files.items():
        made.repo.write(name, text)
    shutil.copy(store.env_file, root / ".env")
    made.repo.git("init", "--quiet")
    made.dvc("add", "--quiet", "data/input.txt")
    made.write_stages(
        {
            "first": stage("first", deps=["data/input.txt"]),
            "second": stage("second", deps=["first.txt"], outs=["second.txt", "folder"]),
        }
    )
    made.dvc("repro", "--quiet")
    made.repo.bucket("push", "--quiet")
    made.commit()
    shutil.rmtree(root / ".dvc" / "cache")
    (root / "data" / "input.txt").unlink()
    return made


def look(made: Stages) -> dict[str, str]:
    """Every file of the clone and every object of the remote, with a hash."""
    files = {
        str(path): hashlib.md5(path.read_bytes()).hexdigest()
        for path in made.root.rglob("*")
        if path.is_file() and "tmp" not in path.relative_to(made.root).parts
    }
    store = Settings.load(made.repo.project).obstore()
    objects = [one for batch in obstore.list(store, "check") for one in batch]
    return files | {one["path"]: str(one["e_tag"]) for one in objects}


def test_inputs_are_pulled_and_nothing_is_written_but_in_the_clone(pushed: Stages) -> None:
    before = look(pushed)
    report = pushed.report()
    assert report["ok"], report
    assert report["notes"] == ["Inputs from the remote: data/input.txt."]
    assert look(pushed) == before


def test_stages_that_are_not_asked_for_give_what_is_recorded_and_recorded_content_is_compared(
    pushed: Stages,
) -> None:
    source = pushed.root / "src" / "second.py"
    source.write_text(source.read_text().replace("{number}\\n'", "{number or 7}\\n'"))
    pushed.commit()
    report = pushed.report(stages=["second"], causes=False)
    assert report["notes"] == ["Inputs from the remote: first.txt."]
    found = {one["path"]: one["detail"] for one in report["outputs"]}
    assert found["second.txt"] == ""
    assert found["folder"] == (
        "1 of 3 files differ. 0.csv: column n, row 1: 0 became 7; 1 of 1 rows differ"
    )
    assert [one["kind"] for one in report["findings"]] == ["other code"]


def test_inputs_that_were_never_pushed_are_named(pushed: Stages, tmp_path: Path) -> None:
    store = Settings.load(pushed.repo.project).obstore()
    digest = hashlib.md5(INPUT.encode()).hexdigest()
    obstore.delete(store, f"check/files/md5/{digest[:2]}/{digest[2:]}")
    done = pushed.check("--here", TMPDIR=str(tmp_path))
    assert done.returncode == 1
    assert "The inputs (data/input.txt) cannot be pulled" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []
