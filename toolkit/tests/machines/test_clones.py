"""Clones, settings of git and places of a project: the right result, or one sentence with the fix.

Each set-up is made for real, with one project on one store. A command that does not end in time
fails its test.
"""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from dvc_bucket import Project
from tests.bucket.git_tools import TOKENS
from tests.clones import TOOLS
from tests.end_to_end.clones import REPOSITORY
from tests.machines.machine import Machine
from tests.projects import copy_files

#: Settings that people have; each was met where a command of ours failed or where git says it may.
SETTINGS = {
    "advice.detachedHead": "true",
    "clone.defaultRemoteName": "upstream",
    "clone.rejectShallow": "true",
    "color.ui": "always",
    "commit.gpgSign": "true",
    "core.abbrev": "6",
    "core.autocrlf": "true",
    "core.eol": "crlf",
    "core.fsmonitor": "false-program",
    "core.quotePath": "true",
    "diff.external": "false",
    "diff.mnemonicPrefix": "true",
    "diff.renames": "copies",
    "fetch.prune": "true",
    "init.defaultBranch": "trunk",
    "log.showSignature": "true",
    "merge.conflictStyle": "diff3",
    "protocol.file.allow": "never",
    "status.showUntrackedFiles": "no",
    "submodule.recurse": "true",
    "tag.gpgSign": "true",
    "transfer.fsckObjects": "true",
    "url.https://example.invalid/.insteadOf": "/",
}


@pytest.fixture(scope="module")
def lab(store: Project, tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """A pushed project with two commits, v1 and v2, whose data differs; nothing writes to it."""
    machine = Machine(tmp_path_factory.mktemp("clones") / "lab")
    copy_files(machine.root, [".dvc/config", ".gitignore"])
    config = machine.root / ".dvc/config"
    config.write_text(store.dvc_config.read_text().replace("river-levels", "lab"))
    (machine.root / ".dvc/.gitignore").write_text("/config.local\n/tmp\n/cache\n")
    shutil.copy(store.env_file, machine.root / ".env")
    flow = stage("facts", "cp number facts.txt", deps="[number]")
    (machine.root / "dvc.yaml").write_text(f"stages:\n{flow}")
    git(machine, "init", "--quiet", "--initial-branch=main")
    git(machine, "config", "uploadpack.allowFilter", "true")
    for tag in ("v1", "v2"):
        (machine.root / "number").write_text(tag)
        machine.bucket("repro", "--quiet")
        machine.bucket("push", "--quiet")
        commit(machine)
        git(machine, "tag", tag)
    return machine


def git(machine: Machine, *words: str, status: int = 0) -> str:
    return machine.run("git", *words, status=status).stdout.strip()


def commit(machine: Machine) -> str:
    git(machine, "add", "--all")
    git(machine, "commit", "--quiet", "--message", "A change")
    return git(machine, "rev-parse", "HEAD")


def clone_of(lab: Machine, root: Path, *options: str) -> Machine:
    """A clone as git makes it, with the connection of the other one."""
    lab.run("git", "clone", "--quiet", *options, f"file://{lab.root}", str(root))
    shutil.copy(lab.root / ".env", root / ".env")
    return Machine(root)


def stage(name: str, command: str, **more: object) -> str:
    """The text of a stage."""
    lines = [f"  {name}:", f"    cmd: {command}", f"    outs: [{name}.txt]"]
    return "\n".join([*lines, *(f"    {key}: {value}" for key, value in more.items()), ""])


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
    assert "Only a part" not in done.stdout


def test_where_it_cannot_be_fetched_a_sentence_names_the_command_that_gets_it(
    lab: Machine, tmp_path: Path
) -> None:
    part = clone_of(lab, tmp_path / "part", "--filter=blob:none")
    git(part, "remote", "set-url", "origin", str(tmp_path / "gone"))
    for words in (["verify", "--rev", "v1"], ["check", "v1", "--here"]):
        said = part.bucket(*words, status=3).stderr
        assert "`git fetch --refetch --no-filter origin`" in said
        assert "FAILED" not in said


def test_no_setting_of_git_changes_a_verdict(lab: Machine, tmp_path: Path) -> None:
    file = tmp_path / ".gitconfig"
    for name, value in SETTINGS.items():
        lab.run("git", "config", "--file", str(file), name, value)
    as_person = ("env", "--unset=GIT_CONFIG_GLOBAL", f"HOME={tmp_path}")
    for words, said in {
        ("check", "v1", "--here", "--no-causes"): "Reproduced: all 1 outputs of 1 stage",
        ("verify", "-A"): "Complete: 2 objects",
        ("secrets", "--history"): "No secret in 2 commits",
    }.items():
        assert said in lab.bucket(*words, prefix=as_person).stdout


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
    assert "Stage killed was ended by SIGKILL (memory that runs out does that)" in said
    assert "On this machine the disk or quota is full" in said
    assert "Stage lacking needs the program no-such-program, which is not here" in said
    # The other stage fails by itself.
    assert "FAILED" in project.bucket(*words, status=1).stdout
    # With other packages and only the pointer to an input, nothing can be said of it either.
    (project.root / "requirements.lock").write_text("dvc==1.0.0\n")
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'1' * 64}\nsize 5\n"
    (project.root / "input.bin").write_text(pointer)
    commit(project)
    said = project.bucket(*words, "--stages", "random", status=3).stdout
    assert "The current packages are not those of the commit: dvc " in said
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


def test_line_ends_are_those_of_git_whatever_a_person_has_git_make_of_them(
    lab: Machine, tmp_path: Path
) -> None:
    project = clone_of(lab, tmp_path / "project")
    shutil.copy(REPOSITORY / ".gitattributes", project.root)
    (project.root / "data").mkdir()
    (project.root / "data/theirs.csv").write_bytes(b"a,b\r\n1,2\r\n")
    commit(project)
    settings = ("-c", "core.autocrlf=true", "-c", "core.eol=crlf")
    lab.run("git", *settings, "clone", "--quiet", str(project.root), str(tmp_path / "again"))
    again = Machine(tmp_path / "again")
    git(again, "config", "core.autocrlf", "true")
    assert (again.root / "data/theirs.csv").read_bytes() == b"a,b\r\n1,2\r\n"
    files = git(again, "ls-files").splitlines()
    with_cr = [name for name in files if b"\r" in (again.root / name).read_bytes()]
    assert with_cr == ["data/theirs.csv"]
    assert git(again, "status", "--porcelain") == ""


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


def test_two_projects_in_one_repository_are_both_guarded(lab: Machine, tmp_path: Path) -> None:
    whole = replace(lab, root=tmp_path / "whole")
    whole.root.mkdir()
    git(whole, "init", "--quiet", "--initial-branch=main")
    git(whole, "init", "--quiet", "--bare", str(tmp_path / "origin"))
    git(whole, "remote", "add", "origin", str(tmp_path / "origin"))
    projects = [clone_of(lab, whole.root / name) for name in ("one", "two é")]
    for project in projects:
        shutil.rmtree(project.root / ".git")
        (project.root / ".venv").symlink_to(TOOLS.parent)
        project.run("sh", "-c", set_up())
        project.bucket("verify", "--install-hook")
    commit(whole)
    one, two = projects
    (two.root / "notes.txt").write_text(f"token: {TOKENS['github-pat']}\n")
    git(whole, "add", "--all")
    git(whole, "commit", "--message", "A secret", status=1)
    (two.root / "notes.txt").unlink()
    (one.root / "new.txt").write_text("never pushed")
    one.bucket("add", "--quiet", "new.txt")
    commit(whole)
    said = whole.run("git", "push", "--quiet", "origin", "main", status=1).stderr
    assert "Push refused" in said
    assert "`make push` in one sends" in said
    assert git(whole, "config", "merge.dvc-lock.driver")
    hook = (whole.root / ".git/hooks/pre-push").read_text()
    assert "\nprojects='one\ntwo é'  #" in hook


def set_up() -> str:
    """The lines of the Makefile with which `make setup` installs hooks and merge driver."""
    lines = (REPOSITORY / "Makefile").read_text().split("\n")
    first = next(number for number, line in enumerate(lines) if "git check-ignore" in line)
    return (
        "\n".join(lines[first : first + 2])
        .replace("\t@", "")
        .replace("$$", "$")
        .replace("$(BIN)", str(TOOLS))
    )


def test_a_downloaded_archive_has_no_git_and_a_sentence_says_so(
    lab: Machine, tmp_path: Path
) -> None:
    shutil.copytree(lab.root, tmp_path / "lab", ignore=shutil.ignore_patterns(".git"))
    said = Machine(tmp_path / "lab").bucket("repro", status=1).stderr
    assert "is in no git repository, and DVC works only in one. A downloaded archive (ZIP)" in said


def test_data_behind_a_link_to_another_disk_is_refused_with_the_way_to_have_it_there(
    lab: Machine, tmp_path: Path
) -> None:
    project = clone_of(lab, tmp_path / "project")
    (tmp_path / "disk").mkdir()
    (project.root / "data").symlink_to(tmp_path / "disk")
    flow = "stages:\n  one:\n    cmd: echo 1 > data/one.txt\n    outs: [data/one.txt]\n"
    (project.root / "dvc.yaml").write_text(flow)
    said = project.bucket("repro", status=1).stderr
    assert f"data is a link to {tmp_path / 'disk'}, outside of the repository" in said
    assert "dvc cache dir --local" in said


def test_a_program_that_dvc_tracks_is_named_where_it_may_not_run(
    lab: Machine, tmp_path: Path
) -> None:
    project = clone_of(lab, tmp_path / "project")
    (project.root / "run.sh").write_text("#!/bin/sh\necho 1\n")
    project.bucket("add", "--quiet", "run.sh")
    flow = stage("ran", "./run.sh > ran.txt", deps="[run.sh]")
    (project.root / "dvc.yaml").write_text(f"stages:\n{flow}")
    said = project.run("bucket", "repro", status=255).stderr
    assert "run.sh may not run: DVC tracks it and keeps no permissions" in said
    assert "`sh run.sh`" in said


def test_a_push_that_the_store_refuses_is_one_sentence(lab: Machine, tmp_path: Path) -> None:
    project = clone_of(lab, tmp_path / "project")
    project.bucket("pull", "--quiet")
    project.run("dvc", "remote", "add", "--local", "--quiet", "other", "s3://no-such-bucket/x")
    done = project.run("bucket", "push", "--remote", "other", status=1)
    assert "there is no such bucket" in done.stderr
    assert "Debug source" not in done.stdout + done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
