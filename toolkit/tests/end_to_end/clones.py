"""How a clone is made of the working tree."""

import os
import shutil
import subprocess
from pathlib import Path

from dvc_bucket.base.files import private_folder
from tests.clones import TOOLS

#: The template: what a newcomer clones.
REPOSITORY = Path(__file__).parents[3]


def own_code(root: Path) -> str:
    """PYTHONPATH with the code of a clone: not that of the repository that runs the tests."""
    return os.pathsep.join([str(root / "src"), str(root / "toolkit" / "src")])


def environment(root: Path) -> dict[str, str]:
    """The environment of a clone at `root`: nothing of whoever runs the tests but the tools."""
    foreign = ("OS_", "AWS_", "DVC_", "GIT_", "MAKE", "MFLAGS")
    inherited = {name: os.environ[name] for name in os.environ if not name.startswith(foreign)}
    return inherited | {
        "PYTHONPATH": own_code(root),
        "PATH": os.pathsep.join([str(TOOLS), os.environ["PATH"]]),
        "DVC_SITE_CACHE_DIR": str(private_folder(root / ".dvc" / "tmp" / "site")),
    }


def copy_repository(root: Path) -> None:
    """Put the files that git has or would have into `root`, and commit them there."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (REPOSITORY / name).exists():  # links of template/ to folders, too
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPOSITORY / name, root / name, follow_symlinks=False)
    (root / ".venv").symlink_to(TOOLS.parent)
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "As cloned"]):
        identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
        subprocess.run(["git", *identity, *command], cwd=root, check=True)
