"""Clones and places of a project: the right result, or one sentence with the fix.

Each set-up is made for real, with one project on one store. A command that does not end in time
fails its test.
"""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.machines.labs import clone_of, commit, git, stage
from tests.machines.machine import Machine


@pytest.mark.parametrize(
    ("clone_filter", "words", "status", "said"),
    [
        ("blob:none", ["cat", "facts.txt", "--rev", "v1"], 0, "v1"),
        ("blob:none", ["check", "v1", "--here", "--no-causes"], 0, "Reproduced: all 1 outputs"),
        ("blob:none", ["secrets", "--history"], 0, "No secret in 2 commits"),
        ("tree:0", ["verify", "-A"], 0, "Complete: 2 objects"),
        ("tree:0", ["report", "--base", "v1", "--head", "v2"], 0, "facts.txt"),
        ("tree:0", ["gc", "-w", "--cloud", "-f"], 1, "needed by"),
        ("tree:0", ["diff", "v1", "v2"], 0, "facts.txt"),
    ],
)
def test_what_a_partial_clone_lacks_is_fetched(
    lab: Machine, tmp_path: Path, clone_filter: str, words: list[str], status: int, said: str
) -> None:
    part = clone_of(lab, tmp_path / "part", f"--filter={clone_filter}")
    done = part.bucket(*words, status=status)
    assert said in done.stdout + done.stderr
    assert "Only part" not in done.stdout


def test_where_it_cannot_be_fetched_a_sentence_names_the_command_that_gets_it(
    lab: Machine, tmp_path: Path
) -> None:
    part = clone_of(lab, tmp_path / "part", "--filter=blob:none")
    git(part, "remote", "set-url", "origin", str(tmp_path / "gone"))
    for words in (["verify", "--rev", "v1"], ["check", "v1", "--here"]):
        said = part.bucket(*words, status=3).stderr
        assert "`git fetch --refetch --no-filter origin`" in said
        assert "FAILED" not in said


def test_code_in_a_submodule_is_in_the_clone_of_the_check(lab: Machine, tmp_path: Path) -> None:
    library = replace(lab, root=tmp_path / "library")
    library.root.mkdir()
    git(library, "init", "--quiet")
    (library.root / "number.txt").write_text("42")
    commit(library)
    project = clone_of(lab, tmp_path / "project")
    local = ("-c", "protocol.file.allow=always")
    git(project, *local, "submodule", "--quiet", "add", str(library.root), "library")
    command = "cat library/number.txt > copied.txt"
    flow = stage("copied", command, deps="[library/number.txt]")
    (project.root / "dvc.yaml").write_text(f"stages:\n{flow}")
    project.bucket("repro", "--quiet")
    commit(project)
    words = ("check", "--here", "--no-causes")
    assert "Reproduced: all 1 outputs" in project.bucket(*words).stdout
    git(project, "submodule", "--quiet", "deinit", "--force", "library")
    said = project.bucket(*words, status=3).stdout
    assert "NOT CHECKED" in said
    assert "`git submodule update --init --recursive`" in said


def test_a_stage_that_this_machine_ends_says_nothing_of_the_commit(
    lab: Machine, tmp_path: Path
) -> None:
    project, bad = clone_of(lab, tmp_path / "project"), tmp_path / "bad day"
    unless = f'test ! -e "{bad}" ||'
    flows = {
        "killed": f"'{unless} kill -9 $$; echo 1 > killed.txt'",
        "full": f"'{unless} cp dvc.yaml /dev/full && echo 1 > full.txt'",
        "lacking": f"'{unless} no-such-program && echo 1 > lacking.txt'",
        "random": "echo $$ > random.txt",
    }
    texts = [stage(name, command) for name, command in flows.items()]
    texts.append(stage("after", "cp killed.txt after.txt", deps="[killed.txt]"))
    (project.root / "dvc.yaml").write_text("".join(["stages:\n", *texts]))
    project.bucket("repro", "--quiet")
    commit(project)
    bad.touch()
    words = ("check", "--here", "--no-causes")
    said = project.bucket(*words, "--stages", "killed,full,lacking,after", status=3).stdout
    assert "FAILED" not in said
    assert "Stage killed was ended by SIGKILL (out of memory, for example)" in said
    assert "On this machine the disk or quota is full" in said
    assert "Stage lacking needs the program no-such-program, which is not installed" in said
    # The other stage fails by itself.
    assert "FAILED" in project.bucket(*words, status=1).stdout
    # With other packages and only the pointer to an input, nothing can be said of it either.
    (project.root / "requirements.lock").write_text("dvc==1.0.0\n")
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'1' * 64}\nsize 5\n"
    (project.root / "input.bin").write_text(pointer)
    commit(project)
    said = project.bucket(*words, "--stages", "random", status=3).stdout
    assert "The current packages differ from those of the commit: dvc " in said
    assert "The content of input.bin is in Git LFS and not in your clone" in said


def test_a_store_that_does_not_answer_says_nothing_of_the_commit(
    lab: Machine, tmp_path: Path
) -> None:
    project = clone_of(lab, tmp_path / "project")
    (project.root / "input.txt").write_text("1")
    project.bucket("add", "--quiet", "input.txt")
    flow = stage("copied", "cp input.txt copied.txt", deps="[input.txt]")
    (project.root / "dvc.yaml").write_text(f"stages:\n{flow}")
    project.bucket("repro", "--quiet")
    commit(project)
    # Nobody listens at the discard port.
    words = ("check", "--here", "--no-causes")
    said = project.bucket(*words, status=3, OS_ENDPOINT_URL="http://127.0.0.1:9").stderr
    assert "The inputs cannot be pulled here" in said
    assert "nobody can rebuild" not in said
    # Nor of a stage that reads the store itself, where there is not even a setting.
    (project.root / "dvc.yaml").write_text(
        f"stages:\n{stage('read', 'bucket cat input.txt > read.txt', meta='{network: true}')}"
    )
    project.bucket("push", "--quiet")
    project.bucket("repro", "--quiet")
    commit(project)
    (project.root / ".env").unlink()
    said = project.bucket(*words, status=3).stdout
    assert "Stage read uses the network, but the store cannot be reached: OS_ENDPOINT_URL" in said
    assert "FAILED" not in said


def test_the_default_remote_of_one_clone_is_the_one_that_all_commands_look_at(
    lab: Machine, tmp_path: Path
) -> None:
    project, folder = clone_of(lab, tmp_path / "project"), tmp_path / "scratch"
    project.run("dvc", "remote", "add", "--local", "--quiet", "--default", "scratch", str(folder))
    assert "1 file pushed" in project.bucket("reproduce").stdout
    assert len([path for path in folder.rglob("*") if path.is_file()]) == 1
    said = project.bucket("verify", status=3).stderr
    assert "The remote scratch (core.remote in .dvc/config.local) has the URL" in said
    assert "Complete: 1 object" in project.bucket("verify", "--remote", "storage").stdout


def test_a_default_remote_of_the_person_in_another_prefix_is_verified_there(
    lab: Machine, tmp_path: Path
) -> None:
    project = clone_of(lab, tmp_path / "project")
    url = project.run("dvc", "remote", "list").stdout.split()[1]
    (tmp_path / "config").write_text(
        f"[core]\n    remote = mine\n['remote \"mine\"']\n    url = {url}-of-me\n"
    )
    # The tracked file wins over the one of the person.
    config = project.root / ".dvc/config"
    config.write_text(config.read_text().replace("remote = storage", "autostage = false"))
    own = str(tmp_path)
    project.run("bucket", "repro", "--quiet", DVC_GLOBAL_CONFIG_DIR=own)
    missing = project.run("bucket", "verify", status=1, DVC_GLOBAL_CONFIG_DIR=own).stdout
    assert f"{url}-of-me" in missing
    project.run("bucket", "push", "--quiet", DVC_GLOBAL_CONFIG_DIR=own)
    assert f"{url}-of-me" in project.run("bucket", "verify", DVC_GLOBAL_CONFIG_DIR=own).stdout


def test_a_downloaded_archive_has_no_git_and_a_sentence_says_so(
    lab: Machine, tmp_path: Path
) -> None:
    shutil.copytree(lab.root, tmp_path / "lab", ignore=shutil.ignore_patterns(".git"))
    said = Machine(tmp_path / "lab").bucket("repro", status=1).stderr
    assert "is not in a git repository, which DVC needs. A downloaded archive (ZIP)" in said


def test_a_program_that_dvc_tracks_is_named_where_it_may_not_run(
    lab: Machine, tmp_path: Path
) -> None:
    project = clone_of(lab, tmp_path / "project")
    (project.root / "run.sh").write_text("#!/bin/sh\necho 1\n")
    project.bucket("add", "--quiet", "run.sh")
    flow = stage("ran", "./run.sh > ran.txt", deps="[run.sh]")
    (project.root / "dvc.yaml").write_text(f"stages:\n{flow}")
    said = project.run("bucket", "repro", status=255).stderr
    assert "run.sh is not executable, because DVC, which tracks it, stores no permissions" in said
    assert "`sh run.sh`" in said


def test_a_push_that_the_store_refuses_is_one_sentence(lab: Machine, tmp_path: Path) -> None:
    project = clone_of(lab, tmp_path / "project")
    project.bucket("pull", "--quiet")
    project.run("dvc", "remote", "add", "--local", "--quiet", "other", "s3://no-such-bucket/x")
    done = project.run("bucket", "push", "--remote", "other", status=1)
    assert "the bucket does not exist" in done.stderr
    assert "Debug source" not in done.stdout + done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
