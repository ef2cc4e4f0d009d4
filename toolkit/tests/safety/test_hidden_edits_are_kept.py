"""An edit that git was told not to look at is not in git, and no output replaces it."""

import pytest

from dvc_bucket.base.errors import OutputError
from dvc_bucket.dvc import written
from tests.bucket.git_tools import Repo, make_repo


@pytest.mark.parametrize("flag", ["--skip-worktree", "--assume-unchanged"])
def test_an_edit_that_git_does_not_look_at_is_never_replaced(
    flag: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    repo: Repo = make_repo(tmp_path_factory.mktemp("hidden") / "clone")
    repo.add("report.md", "committed")
    repo.commit("--no-verify")
    repo.git("update-index", flag, "report.md")
    repo.write("report.md", "the only copy")
    for force in (False, True):
        with (
            pytest.raises(OutputError, match="uncommitted changes"),
            written.new_file(repo.root / "report.md", repo.project, force=force),
        ):
            pass
    assert (repo.root / "report.md").read_text() == "the only copy"
