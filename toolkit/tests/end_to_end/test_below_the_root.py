"""`make setup` of a project in a folder of a repository."""

from pathlib import Path

import pytest

from tests.bucket.git_tools import TOOLS, make_repo
from tests.end_to_end.clones import REPOSITORY


def installing() -> str:
    """The lines of the Makefile that install the hooks and the merge driver, as make runs them."""
    lines = (REPOSITORY / "Makefile").read_text().split("\n")
    first = next(number for number, line in enumerate(lines) if "git check-ignore" in line)
    text = "\n".join(lines[first : first + 2]).replace("\t@", "").replace("$$", "$")
    return f"cd folder && {text.replace('$(BIN)', str(TOOLS))}"


@pytest.mark.parametrize("is_ignored", [False, True])
def test_its_hooks_and_merge_driver_are_those_of_the_repository(
    tmp_path: Path, is_ignored: bool
) -> None:
    repo = make_repo(tmp_path, "folder")
    repo.write(".gitignore", "/folder\n" if is_ignored else "")
    repo.run("sh", "-c", installing())
    assert (tmp_path / ".git/hooks/commit-msg").exists() is not is_ignored
    driver = repo.git("config", "merge.dvc-lock.driver", check=False).stdout
    assert bool(driver) is not is_ignored
