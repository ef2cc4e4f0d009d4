"""Settings of git that people have: the right result, or one sentence with the fix."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from dvc_bucket.jobs.doctor.check import Warn
from dvc_bucket.jobs.doctor.clone import HooksInPlace
from dvc_bucket.jobs.doctor.patient import Patient
from tests.bucket.git_tools import TOKENS
from tests.clones import TOOLS
from tests.machines.labs import clone_of, commit, git
from tests.machines.machine import OTHER, Machine, root_only
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


def settings_of_a_person(home: Path, lab: Machine, **settings: str) -> tuple[str, ...]:
    """What a command begins with that has these settings, `__` in the place of a point."""
    for name, value in settings.items():
        key = name.replace("__", ".")
        lab.run("git", "config", "--file", str(home / ".gitconfig"), key, value)
    return ("env", "--unset=GIT_CONFIG_GLOBAL", f"HOME={home}")


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


def test_line_ends_are_those_of_git_whatever_a_person_has_git_make_of_them(
    lab: Machine, tmp_path: Path
) -> None:
    project = clone_of(lab, tmp_path / "project")
    copy_files(project.root, [".gitattributes"])
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
        for words in (["secrets", "--install-hook"], ["lock-merge", "--install"]):
            project.bucket(*words)
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


@root_only
def test_a_clone_of_another_user_is_one_sentence_that_says_how_to_trust_it(
    lab: Machine, tmp_path: Path
) -> None:
    theirs = clone_of(lab, tmp_path / "their clone")
    for path in (theirs.root, theirs.root / ".git"):
        os.chown(path, OTHER, OTHER)
    fix = f"`git config --global --add safe.directory '{theirs.root}'`"
    for words in (["verify"], ["check", "--here"], ["secrets"], ["pull"]):
        said = theirs.bucket(*words, status=3).stderr
        assert said.startswith(f"bucket: git does not trust {theirs.root}, which belongs to ano")
        assert said.endswith(f"{fix}.\n")
        assert said.count("\n") == 1
    (tmp_path / "home").mkdir()
    trusts = settings_of_a_person(tmp_path / "home", lab, safe__directory=str(theirs.root))
    theirs.bucket("pull", "--quiet", prefix=trusts)


def test_hooks_in_a_folder_of_ones_own_stay_and_the_doctor_says_that_ours_do_not_run(
    lab: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, hooks = clone_of(lab, tmp_path / "project"), tmp_path / "hooks"
    hooks.mkdir()
    (hooks / "commit-msg").write_text("#!/bin/sh\necho mine >&2\n")
    (hooks / "commit-msg").chmod(0o755)
    person = settings_of_a_person(tmp_path, lab, core__hooksPath=str(hooks))
    said = project.bucket("secrets", "--install-hook", status=1, prefix=person).stderr
    assert f"git looks for hooks in {hooks} (core.hooksPath)" in said
    assert "Add `bucket secrets --staged` to the hook commit-msg there" in said
    assert [path.name for path in hooks.iterdir()] == ["commit-msg"]
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / ".gitconfig"))
    with pytest.raises(Warn, match="so commits here are not checked for secrets"):
        HooksInPlace.check(Patient(project.project))
    # The first of the two ways that the sentence names, then the second.
    (hooks / "commit-msg").write_text("#!/bin/sh\nbucket secrets --staged\n")
    assert HooksInPlace.check(Patient(project.project)) == f"`bucket secrets` in {hooks}"
    git(project, "config", "--local", "core.hooksPath", ".git/hooks")
    project.bucket("secrets", "--install-hook", prefix=person)
    assert "commit-msg" in HooksInPlace.check(Patient(project.project))


def test_a_commit_that_cannot_be_signed_is_one_sentence_and_nothing_is_lost(
    lab: Machine, tmp_path: Path
) -> None:
    project = clone_of(lab, tmp_path / "project")
    person = settings_of_a_person(tmp_path, lab, commit__gpgSign="true", init__defaultBranch="x")
    project.bucket("pull", "--quiet")
    before = git(project, "rev-parse", "HEAD")
    (project.root / "number").write_text("v3")
    project.bucket("repro", "--quiet", prefix=person)
    git(project, "add", "number")
    said = project.bucket("save", "--message", "A number", status=1, prefix=person).stderr
    assert "gpg failed to sign the data" in said or "cannot run gpg" in said
    assert "`git commit` failed; the lines above say why. The data is on the remote" in said
    assert git(project, "rev-parse", "HEAD") == before
    assert git(project, "diff", "--cached", "--name-only") == "dvc.lock\nnumber"
