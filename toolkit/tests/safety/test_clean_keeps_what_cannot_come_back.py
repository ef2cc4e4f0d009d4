"""`bucket clean` removes only data that is certain to come back: no byte that exists only once."""

import os
import shutil
import subprocess
import sys
import time
from hashlib import md5
from pathlib import Path

import pytest

from dvc_bucket.base.errors import ProjectError
from dvc_bucket.dvc import connected
from dvc_bucket.jobs.clean import Cleaned, clean, describe
from tests.clones import TOOLS
from tests.safety.project_tools import offline
from tests.verify.published import Published

PIPELINE = """\
stages:
  make:
    cmd: python make.py
    deps: [make.py]
    outs: [data/interim/table.csv, data/interim/parts]
    metrics: [metrics.json: {cache: false}]
"""

SCRIPT = """\
from pathlib import Path
Path("data/interim/parts/sub").mkdir(parents=True, exist_ok=True)
Path("data/interim/table.csv").write_text("the table")
Path("data/interim/parts/a.bin").write_text("part a")
Path("data/interim/parts/sub/b.bin").write_text("part b")
Path("metrics.json").write_text("{}")
"""

MADE = ("data/interim/table.csv", "data/interim/parts/a.bin", "data/interim/parts/sub/b.bin")

#: What must never go.
FOREVER = {".env": "", ".bucket/data": "objects", ".venv.mine/x": "x", ".dvc/config": ""}


@pytest.fixture(scope="session")
def ran_original(empty_original: Published, tmp_path_factory: pytest.TempPathFactory) -> Published:
    """Its stage has run, its outputs are in the cache and not in the bucket."""
    return with_stage(empty_original.copy(tmp_path_factory.mktemp("ran") / "project"))


def with_stage(project: Published) -> Published:
    """The project with a stage that has run, and is committed."""
    (project.root / "dvc.yaml").write_text(PIPELINE)
    (project.root / "make.py").write_text(SCRIPT)
    project.dvc("repro", "-q")
    project.commit("A stage")
    return project


@pytest.fixture
def ran(ran_original: Published, tmp_path: Path) -> Published:
    """A copy of it, whose outputs are no links to the cache."""
    return ran_original.copy(tmp_path / "project")


def cached_object(project: Published, path: str) -> Path:
    oid = md5((project.root / path).read_bytes()).hexdigest()
    return project.root / ".dvc/cache/files/md5" / oid[:2] / oid[2:]


def contents(root: Path) -> set[bytes]:
    """Every content of the project, its cache and its store left out."""
    out = {root / name for name in (".git", ".dvc", ".venv")}
    files = (path for path in root.rglob("*") if path.is_file())
    return {path.read_bytes() for path in files if not out.intersection(path.parents)}


def left(project: Published) -> list[str]:
    return [path for path in MADE if (project.root / path).exists()]


def write_forever(root: Path) -> None:
    """Have a project hold what must never go."""
    for name, text in FOREVER.items():
        (root / name).parent.mkdir(exist_ok=True)
        with (root / name).open("a") as file:
            file.write(text)


def link_to_cache(project: Published) -> None:
    """Make the outputs links to the cache, of both kinds."""
    for name, link in zip(MADE[:2], (Path.hardlink_to, Path.symlink_to), strict=True):
        cached = cached_object(project, name)
        (project.root / name).unlink()
        link(project.root / name, cached)


def test_outputs_in_the_cache_go_and_come_back(ran: Published) -> None:
    write_forever(ran.root)
    before = {path: (ran.root / path).read_bytes() for path in MADE}
    link_to_cache(ran)
    done = ran.clone.run("bucket", "clean")
    assert "Removed 3 files" in done.stdout
    assert "Kept" not in done.stdout
    assert left(ran) == []
    assert all((ran.root / name).exists() for name in (*FOREVER, "metrics.json", "dvc.lock"))
    ran.dvc("checkout", "-q")
    assert before == {path: (ran.root / path).read_bytes() for path in MADE}


def test_data_that_dvc_does_not_track_stays_and_is_named(ran: Published) -> None:
    mine = {"data/raw/only.csv", "data/interim/mine.csv", "data/interim/parts/notes.txt"}
    for name in mine:
        (ran.root / name).parent.mkdir(exist_ok=True)
        (ran.root / name).write_text(f"the only copy of {name}")
    (ran.root / "dvc.yaml").write_text(PIPELINE.replace("outs: [", "outs: [data/raw/x.csv, "))
    done = clean(ran.project)
    assert left(ran) == []
    assert all((ran.root / name).exists() for name in mine)
    assert done.kept == {
        "data/raw": "DVC does not track it",
        "data/interim/mine.csv": "DVC does not track it",
        "data/interim/parts/notes.txt": "not recorded as part of parts",
    }


def edit(project: Published) -> None:
    path = project.root / MADE[1]
    path.chmod(0o644)
    path.write_text("edited by hand")


def interrupt(project: Published) -> None:
    """As a stage leaves its outputs that was stopped before it wrote the last."""
    shutil.rmtree(project.root / "data/interim/parts")
    (project.root / "data/interim/parts").mkdir()
    (project.root / MADE[1]).write_text("half")


def write_through(project: Published) -> None:
    """Change an output and, through a hard link, the object of the cache."""
    path = project.root / MADE[1]
    cached = cached_object(project, MADE[1])
    path.unlink()
    path.hardlink_to(cached)
    cached.chmod(0o644)
    path.write_text("part x")


def link_away(project: Published) -> None:
    path = project.root / MADE[1]
    elsewhere = project.root.parent / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)


@pytest.mark.parametrize("change", [edit, interrupt, write_through, link_away])
def test_an_output_that_differs_from_what_is_recorded_stays(ran: Published, change: object) -> None:
    assert callable(change)
    change(ran)
    before = contents(ran.root)
    done = clean(ran.project)
    assert done.kept == {"data/interim/parts": "differs from dvc.lock"}
    assert MADE[1] in left(ran)
    assert before - contents(ran.root) <= {b"the table"}


def lose(cached: Path) -> None:
    cached.unlink()


def rot(cached: Path) -> None:
    """Other bytes of the same size and a read-only file, which DVC takes for right."""
    cached.chmod(0o644)
    data = cached.read_bytes()
    cached.write_bytes(bytes([data[0] ^ 1]) + data[1:])
    cached.chmod(0o444)


@pytest.mark.parametrize("damage", [lose, rot])
def test_an_output_that_the_cache_lost_stays_until_the_bucket_has_it(
    ran: Published, damage: object
) -> None:
    assert callable(damage)
    path = ran.root / MADE[0]
    ran.clone.run(TOOLS / "bucket", "push")
    cached, content = cached_object(ran, MADE[0]), path.read_bytes()
    key = cached.relative_to(ran.root / ".dvc" / "cache").as_posix()
    ran.delete(key)
    damage(cached)
    done = clean(ran.project)
    assert left(ran) == [MADE[0]]
    why = "its content is not proven to be in the cache or in the bucket"
    assert done.kept == {MADE[0]: why}
    ran.put(key, content)
    assert clean(ran.project).kept == {}
    assert left(ran) == []


def added(project: Published) -> Path:
    path = project.root / "data/raw/mine.csv"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"measured, {project.prefix}")
    project.dvc("add", "-q", "data/raw/mine.csv")
    project.commit("My data")
    return path


def test_what_dvc_add_tracks_stays_until_the_bucket_has_its_content(ran: Published) -> None:
    path = added(ran)
    content = path.read_bytes()
    reason = "`dvc add` tracks it, but its content is not proven to be in the bucket"
    why = {"data/raw/mine.csv": reason}
    assert clean(ran.project).kept == why  # in the cache alone
    key = cached_object(ran, "data/raw/mine.csv").relative_to(ran.root / ".dvc/cache").as_posix()
    ran.put_with_plausible_tag(key, content[:-1] + b"?")  # of the same size
    assert clean(ran.project).kept == why
    assert path.read_bytes() == content
    ran.put(key, content)
    path.unlink()
    path.write_text("changed since")
    assert clean(ran.project).kept == {"data/raw/mine.csv": "differs from mine.csv.dvc"}
    path.write_bytes(content)
    assert clean(ran.project).kept == {}
    assert not path.exists()
    ran.clone.run(TOOLS / "bucket", "pull")
    assert path.read_bytes() == content


def test_without_a_store_the_cache_counts_and_dvc_added_data_stays(ran: Published) -> None:
    path = added(ran)
    started = time.monotonic()
    done = clean(offline(ran).project)
    assert time.monotonic() - started < 60
    assert left(ran) == []
    assert path.exists()
    [note] = done.notes
    assert note.startswith("The bucket was not queried: ")
    assert note in describe(done)


def test_without_a_store_nothing_is_asked_where_the_cache_has_all(ran: Published) -> None:
    assert clean(offline(ran).project).notes == []
    assert left(ran) == []


def test_nothing_is_removed_where_data_could_not_be_looked_at(ran: Published) -> None:
    (ran.root / "dvc.yaml").write_text("stages: [no, mapping]\n")
    done = ran.clone.run("bucket", "clean", check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert left(ran) == list(MADE)


def test_nothing_is_removed_while_a_stage_runs(ran: Published) -> None:
    (ran.root / "make.py").write_text("import time; print('runs', flush=True); time.sleep(60)\n")
    env = ran.clone.environment | connected.environment(ran.project, ran.settings)
    command = [sys.executable, "-m", "dvc", "repro"]
    with subprocess.Popen(
        command, cwd=ran.root, env=env, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as repro:
        assert repro.stdout
        for line in repro.stdout:
            if line == "runs\n":
                break
        (ran.root / "data/interim/table.csv").write_text("the table")
        try:
            with pytest.raises(ProjectError, match="Nothing was removed"):
                clean(ran.project)
        finally:
            os.killpg(repro.pid, 9)
    assert (ran.root / "data/interim/table.csv").exists()


def test_a_summary_lists_no_more_than_a_screen() -> None:
    done = Cleaned(files=1, size=5, kept={f"data/{n:03}": "not tracked" for n in range(50)})
    lines = describe(done).splitlines()
    assert lines[0] == "Removed 1 file (5 B). `bucket pull` restores them."
    assert lines[2] == "  data/000: not tracked"
    assert lines[-1] == "  and 30 more"
