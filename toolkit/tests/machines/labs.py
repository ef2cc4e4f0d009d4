"""A project with two commits, its clones, and git in them."""

import shutil
from pathlib import Path

from dvc_bucket import Project
from tests.machines.machine import Machine
from tests.projects import copy_files


def make_lab(root: Path, store: Project) -> Machine:
    """A pushed project with two commits, v1 and v2, whose data differs; nothing writes to it."""
    machine = Machine(root)
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
