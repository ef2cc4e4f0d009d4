"""`bucket check` writes and deletes in its own clone alone."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dvc_bucket import Project
from dvc_bucket.base.errors import CheckError
from tests.bucket.git_tools import Repo
from tests.check.small import CONFIG, IGNORED, Stages, make, script, stage


def contents(folder: Path) -> dict[str, str]:
    """Every file and link below a folder, but for what any `dvc` command writes."""
    return {
        str(path): os.readlink(path)  # noqa: PTH115 (a dangling link, too)
        if path.is_symlink()
        else hashlib.md5(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or (path.is_file() and "tmp" not in path.relative_to(folder).parts)
    }


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Stages:
    """A project in a folder of its repository; beside the repository lie files of its owner."""
    root = tmp_path_factory.mktemp("outside") / "clone"
    made = Stages(Repo(root, Project(root)))
    made.repo.write("dvc.yaml", "stages: {}\n")
    made.repo.write(".dvc/config", CONFIG)
    made.repo.write(".gitignore", IGNORED)
    made.repo.git("init", "--quiet", "-b", "main")
    made.commit()
    kept = root.parent / "kept"
    for name in ("folder/old.txt", "out.txt", "tmp-of-dvc/lock", "venv/bin/python"):
        (kept / name).parent.mkdir(parents=True, exist_ok=True)
        (kept / name).write_text(f"the only copy of {name}\n")
    return made


def link(made: Stages, name: str, to: str) -> None:
    (made.root / name).parent.mkdir(parents=True, exist_ok=True)
    (made.root / name).unlink(missing_ok=True)
    (made.root / name).symlink_to(made.root.parent / "kept" / to)


def stage_with(**parts: Any) -> Callable[[Stages], None]:
    return lambda made: made.write_stages({"make": {"cmd": "echo new >out.txt"} | parts})


def linked(name: str, to: str, **parts: Any) -> Callable[[Stages], None]:
    def change(made: Stages) -> None:
        stage_with(**({"outs": [{"out.txt": {"cache": False}}]} | parts))(made)
        link(made, name, to)

    return change


def tracked_below_a_link(made: Stages) -> None:
    stage_with(deps=["data/folder"], outs=["out.txt"])(made)
    link(made, "data", "")
    made.repo.write(
        "folder.dvc",
        "wdir: data\nouts:\n- path: folder\n  hash: md5\n"
        "  md5: d751713988987e9331980363e24189ce.dir\n",
    )


KEPT = "{kept}"
FAULTS: dict[str, tuple[Callable[[Stages], None], str]] = {
    "an absolute output": (stage_with(outs=[f"{KEPT}/out.txt"]), "Stage make writes {kept}/out"),
    "an absolute output that git has": (
        stage_with(outs=[{f"{KEPT}/folder": {"cache": False}}]),
        "Stage make writes {kept}/folder,",
    ),
    "a persistent absolute output": (
        stage_with(outs=[{f"{KEPT}/folder": {"persist": True, "cache": False}}]),
        "Stage make writes {kept}/folder,",
    ),
    "an output above the project": (
        stage_with(outs=["../kept/out.txt"]),
        "Stage make writes",
    ),
    "an output on a remote": (
        stage_with(outs=["s3://somewhere/else"]),
        "Stage make writes s3://somewhere/else,",
    ),
    "a command elsewhere": (
        stage_with(wdir=KEPT, outs=["out.txt"]),
        "Stage make writes {kept}",
    ),
    "an output through a link": (
        linked("away", "", outs=[{"away/folder": {"cache": False}}]),
        "Stage make writes {kept}/folder,",
    ),
    "an output that is a link": (
        linked("away.txt", "out.txt", outs=[{"away.txt": {"cache": False}}]),
        "Stage make writes {kept}/out.txt",
    ),
    "a lock file that is a link": (
        linked("dvc.lock", "new.lock"),
        "The link dvc.lock of the commit has the target {kept}/new.lock.",
    ),
    "ignore rules that are a link": (
        linked("in/.gitignore", "out.txt", outs=["in/out.txt"]),
        "Stage make writes {kept}/out.txt",
    ),
    "a temporary folder that is a link": (
        linked(".dvc/tmp", "tmp-of-dvc"),
        "The link .dvc/tmp of the commit has the target {kept}/tmp-of-dvc.",
    ),
    "packages that are a link": (
        linked(".venv", "venv"),
        "The link .venv of the commit has the target {kept}/venv.",
    ),
    "pulled data through a link": (tracked_below_a_link, "DVC tracks {kept}/folder,"),
    "a dependency in the person's clone": (
        stage_with(deps=["{clone}/.gitignore"], outs=["out.txt"]),
        "Stage make reads {clone}/.gitignore, which is in your clone",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_leads_out_of_the_clone_is_refused_by_name_before_anything_runs(
    project: Stages, fault: str
) -> None:
    change, said = FAULTS[fault]

    def named(text: str) -> str:
        kept = project.root.parent / "kept"
        return text.replace("{kept}", str(kept)).replace("{clone}", str(project.root))

    project.repo.git("checkout", "-q", "-B", "fault", "main")
    change(project)
    project.repo.write("dvc.yaml", named((project.root / "dvc.yaml").read_text()))
    project.repo.git("add", "--all", "--force", "--", ".", ":!.dvc/cache")
    project.repo.commit("--quiet")
    commit = project.repo.head
    project.repo.git("checkout", "-q", "main")
    project.repo.git("clean", "-fdq")
    before = contents(project.root.parent)
    with pytest.raises(CheckError, match="nothing was run") as refusal:
        project.found(commit)
    assert named(said) in str(refusal.value)
    assert contents(project.root.parent) == before


def test_a_person_gets_one_sentence_and_status_1(project: Stages, tmp_path: Path) -> None:
    project.repo.git("checkout", "-q", "-B", "absolute", "main")
    project.write_stages({"make": {"cmd": "true", "outs": [str(tmp_path / "kept")]}})
    (tmp_path / "kept").write_text("once")
    project.commit()
    (tmp_path / "T").mkdir()
    done = project.check("--here", TMPDIR=str(tmp_path / "T"))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert f"bucket: Stage make writes {tmp_path}/kept, which is outside" in done.stderr
    assert (tmp_path / "kept").read_text() == "once"
    assert list((tmp_path / "T").iterdir()) == []


def test_a_persistent_output_is_made_without_its_earlier_content(tmp_path: Path) -> None:
    grow = script("with open('grow.txt', 'a') as file:\n    file.write('more\\n')")
    same = script("write('same.txt', 'always the same')")
    persistent = {
        name: stage(name, outs=[{f"{name}.txt": {"persist": True}}]) for name in ("grow", "same")
    }
    made = make(tmp_path / "clone", {"src/grow.py": grow, "src/same.py": same}, persistent)
    made.dvc("repro", "--quiet", "--force", "grow")
    made.commit()
    before = contents(made.root)
    report = made.report()
    assert {one["path"]: one["verdict"] for one in report["outputs"]} == {
        "grow.txt": "differs",
        "same.txt": "identical",
    }
    notes = [note for note in report["notes"] if "persist: true" in note]
    assert [note.split()[0] for note in notes] == ["grow.txt", "same.txt"]
    assert "grow makes the same bytes whatever is varied" in " ".join(report["causes"]["grow"])
    assert contents(made.root) == before
