"""Data and caches behind links, and disks that cannot be written."""

import json
import subprocess
from pathlib import Path

import pytest

from dvc_bucket.jobs.doctor.check import Warn
from dvc_bucket.jobs.doctor.machine import DiskSpace
from dvc_bucket.jobs.doctor.patient import Patient
from tests.machines.labs import clone_of
from tests.machines.machine import Machine, root_only


@pytest.mark.parametrize("folder", ["data", "data/raw"])
def test_data_behind_a_link_to_another_disk_is_refused_with_the_way_to_have_it_there(
    lab: Machine, tmp_path: Path, folder: str
) -> None:
    project = clone_of(lab, tmp_path / "project")
    (tmp_path / "disk").mkdir()
    (project.root / folder).parent.mkdir(exist_ok=True)
    (project.root / folder).symlink_to(tmp_path / "disk")
    out = f"{folder}/one.txt"
    flow = f"stages:\n  one:\n    cmd: echo 1 > {out}\n    outs: [{out}]\n"
    (project.root / "dvc.yaml").write_text(flow)
    said = project.bucket("repro", status=1).stderr
    assert f"{folder} is a link to {tmp_path / 'disk'}, outside the repository" in said
    assert "dvc cache dir --local" in said


@pytest.mark.parametrize("kind", ["symlink", "hardlink"])
def test_a_linked_cache_on_another_disk_gives_the_same_results(
    lab: Machine, tmp_path: Path, kind: str
) -> None:
    project, cache = clone_of(lab, tmp_path / "project"), tmp_path / "disk"
    cache.mkdir()
    if kind == "symlink":
        (project.root / ".dvc/cache").symlink_to(cache)
    else:
        project.run("dvc", "cache", "dir", "--quiet", "--local", str(cache))
    project.run("dvc", "config", "--local", "cache.type", kind)
    project.bucket("pull", "--quiet")
    out = project.root / "facts.txt"
    assert out.is_symlink() if kind == "symlink" else out.stat().st_nlink == 2
    project.same_results()
    if kind == "symlink":
        assert "Reproduced" in project.bucket("check", "--here", "--no-causes").stdout
    assert "The cache is intact: 1 object" in project.bucket("verify", "--cache").stdout
    assert "Removed 1 file " in project.bucket("clean").stdout
    assert len([path for path in (cache / "files").rglob("*") if path.is_file()]) == 1


@root_only
def test_a_clone_that_cannot_be_written_is_read_and_what_writes_is_one_sentence(
    lab: Machine, tmp_path: Path
) -> None:
    project = clone_of(lab, tmp_path / "project")
    project.bucket("pull", "--quiet")
    mount = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && cd "$0" && exec "$@"'
    read_only = ("unshare", "--mount", "sh", "-c", mount, str(project.root))
    if subprocess.run([*read_only, "true"], capture_output=True).returncode:
        pytest.skip("this machine does not allow a mount")
    folder = str(tmp_path)
    assert project.bucket("cat", "facts.txt", prefix=read_only, TMPDIR=folder).stdout == "v2"
    project.bucket("cp", "facts.txt", str(tmp_path / "copy"), prefix=read_only, TMPDIR=folder)
    assert (tmp_path / "copy").read_text() == "v2"
    for words in (["verify", "--deep"], ["verify", "--cache"], ["check", "--here", "--no-causes"]):
        project.bucket(*words, prefix=read_only, TMPDIR=folder)
    for word in ("repro", "push"):
        said = project.bucket(word, status=1, prefix=read_only, TMPDIR=folder).stderr
        assert f"{project.root}/.dvc/tmp is not writable (a read-only disk" in said
        assert said.count("\n") == 1
    found = project.bucket("doctor", "--json", prefix=read_only, TMPDIR=folder).stdout
    assert {"clone written": "warning", "cache links": "skipped"}.items() <= {
        check["name"]: check["status"] for check in json.loads(found)["checks"]
    }.items()
    assert "the check itself failed" not in found


@root_only
@pytest.mark.parametrize(
    ("size", "said"), [("size=900k", "has .* kB free"), ("nr_inodes=100,size=9g", "more files")]
)
def test_the_doctor_warns_of_a_disk_that_is_soon_full(lab: Machine, size: str, said: str) -> None:
    patient, cache = Patient(lab.project), lab.root / ".dvc" / "cache"
    mount = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(cache)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("this machine does not allow a mount")
    try:
        with pytest.raises(Warn, match=said):
            DiskSpace.check(patient)
    finally:
        subprocess.run(["umount", str(cache)], check=True)
    assert DiskSpace.check(patient).endswith(" free")
