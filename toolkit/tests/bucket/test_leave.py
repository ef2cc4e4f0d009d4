"""`bucket leave` writes what a project needs to go on with plain DVC, and changes nothing else."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from dvc_bucket import Project
from dvc_bucket.base.errors import ProjectError
from dvc_bucket.jobs import leave
from tests.clones import TOOLS, Clone
from tests.projects import copy_files, lock_file

SHELL_SCRIPT = '''\
"""A table of squares."""

import sys

from dvc_bucket.stages import run_stage


def main(table: str) -> None:
    with open(table, "w") as file:
        file.writelines(f"{number * number}\\n" for number in range(5))


if __name__ == "__main__":
    sys.exit(run_stage(main))
'''

STAGE = """\
  squares:
    cmd: python scripts/squares.py squares.csv
    deps: [scripts/squares.py]
    outs: [squares.csv]
"""

MAKEFILE = """\
# `bucket pull` in a comment is no command.
pull:
\t@bucket pull
data: ; cat data/bucket list
"""

#: Of pip: one line of hashes each, and a package of another system.
HASHES = f"    --hash=sha256:{'0' * 64}\n"
ELSEWHERE = "pywin32-of-nobody==1.0 ; sys_platform == 'win32' \\\n" + HASHES


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    """A committed project; one of its three stages imports the toolkit."""
    root = tmp_path / "a project"
    root.mkdir()
    copy_files(root)
    (root / "scripts" / "squares.py").write_text(SHELL_SCRIPT)
    (root / "Makefile").write_text(MAKEFILE)
    (root / "packages.yaml").write_text('pandas: "3.0"\n')
    with (root / "dvc.yaml").open("a") as file:
        file.write(STAGE)
    text = (root / "pyproject.toml").read_text()
    needs = 'dependencies = ["dvc", "dvc-bucket[all]"]\n'
    (root / "pyproject.toml").write_text(text.replace("\n[tool", f"{needs}\n[tool"))
    pins = "".join(f"{pin} \\\n{HASHES}" for pin in lock_file().splitlines())
    (root / "requirements.lock").write_text(
        f"--find-links vendor\n{pins}obstore==0.12.1 \\\n{HASHES}"
        f"dvc-bucket==0.1.0 \\\n{HASHES}{ELSEWHERE}"
    )
    environment = {
        "PATH": f"{TOOLS}:/usr/bin:/bin",
        "HOME": str(tmp_path),
        "DVC_SITE_CACHE_DIR": str(tmp_path / "site"),
        **{
            f"GIT_{who}_{what}": "somebody@example.org"
            for who in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        },
    }
    made = Clone(root, environment)
    made.run("git", "init", "-q", "-b", "main")
    made.run("bucket", "secrets", "--install-hook")
    made.run("bucket", "lock-merge", "--install")
    made.run("git", "add", "-A")
    made.run("git", "commit", "-q", "-m", "As it is")
    return made


def files(root: Path) -> dict[str, bytes]:
    found = subprocess.run(
        ["git", "ls-files", "-z"], cwd=root, capture_output=True, check=True, text=True
    ).stdout
    return {name: (root / name).read_bytes() for name in found.split("\0") if name}


def test_two_files_are_new_and_say_what_is_to_be_done(clone: Clone) -> None:
    before = files(clone.root)
    done = clone.run("bucket", "leave")
    assert "Wrote requirements-plain.lock and LEAVING.md." in done.stdout
    assert "Imports of the toolkit: in 1 stage." in done.stdout
    assert files(clone.root) == before
    status = clone.run("git", "status", "--porcelain").stdout.splitlines()
    assert status == ["?? LEAVING.md", "?? requirements-plain.lock"]
    page = (clone.root / "LEAVING.md").read_text()
    for line in (
        "- `squares`: `scripts/squares.py:5` (`from dvc_bucket.stages import run_stage`)",
        "- `Makefile:3`: `@bucket pull`",
        "`requirements.lock` in the place of step 4.",
        "rm '.git/hooks/commit-msg'",
        "git config --remove-section merge.dvc-lock",
        "The remote `storage` is the embedded store of this machine (http://127.0.0.1:8333)",
        "`packages.yaml` stays a file of parameters to DVC.",
    ):
        assert line in page
    assert "Makefile:1" not in page
    assert "Makefile:4" not in page
    assert "`levels`" not in page


def test_the_lock_has_what_plain_dvc_needs_with_the_same_pins(clone: Clone) -> None:
    clone.run("bucket", "leave")
    lock = (clone.root / "requirements-plain.lock").read_text()
    for pin in (pin for pin in lock_file().splitlines() if pin.startswith("dvc==")):
        assert f"{pin} \\\n{HASHES}" in lock
    assert ELSEWHERE in lock
    assert "obstore" not in lock
    assert "dvc-bucket" not in lock
    assert "find-links" not in lock
    page = (clone.root / "LEAVING.md").read_text()
    assert "It leaves out" in page
    assert "obstore" in page


def test_the_other_stages_run_where_no_toolkit_can_be_imported(
    clone: Clone, tmp_path: Path
) -> None:
    clone.run("bucket", "leave")
    absent = tmp_path / "absent" / "dvc_bucket"
    absent.mkdir(parents=True)
    (absent / "__init__.py").write_text("raise ImportError('There is no toolkit.')\n")
    alone = replace(clone, environment=clone.environment | {"PYTHONPATH": str(absent.parent)})
    alone.run("dvc", "repro", "-q", "highest")
    assert (clone.root / "reports" / "highest.csv").is_file()
    assert alone.run("dvc", "repro", "-q", "squares", check=False).returncode != 0


def test_run_again_it_says_so_and_no_file_is_overwritten(clone: Clone) -> None:
    clone.run("bucket", "leave")
    assert "LEAVING.md is up to date." in clone.run("bucket", "leave").stdout
    page = clone.root / "LEAVING.md"
    page.write_text("My own notes on leaving.\n")
    (clone.root / "requirements-plain.lock").unlink()
    done = clone.run("bucket", "leave", check=False)
    assert done.returncode == 1
    assert done.stderr == (
        "bucket: LEAVING.md exists with different content. Move it away, then run `bucket leave` "
        "again.\n"
    )
    assert page.read_text() == "My own notes on leaving.\n"
    assert not (clone.root / "requirements-plain.lock").exists()


def test_a_project_without_a_lock_file_is_told_how_to_write_it(clone: Clone) -> None:
    (clone.root / "requirements.lock").unlink()
    with pytest.raises(ProjectError, match=r"requirements\.lock cannot be read .* `make lock`"):
        leave.plan(Project(clone.root))
