"""The git hooks that refuse a commit with a secret in it.

commit-msg, not pre-commit: `dvc install` puts its own hooks (pre-commit, pre-push, post-checkout)
only where none of the three exists, and a merge runs commit-msg too. `git cherry-pick` and `git
rebase` run prepare-commit-msg alone, `git am` pre-applypatch.
"""

from dataclasses import replace

from dvc_bucket.base.paths import Project
from dvc_bucket.git.hooks.install import Hook

HOOK = Hook(
    name="commit-msg",
    does="refuses commits that contain a secret",
    unless="commits here are not checked for secrets",
    runs="bucket secrets --staged",
    installs="bucket secrets --install-hook",
    other="afterwards",
    unmarked=(
        "# No secret gets into a commit. `bucket secrets --install-hook` put this here, as `make "
        "setup` does;",
    ),
)
HOOKS = (HOOK, replace(HOOK, name="prepare-commit-msg"), replace(HOOK, name="pre-applypatch"))


def install(project: Project) -> list[str]:
    """Put all of them in place.

    Returns:
        What is new: that commits are checked, and which hooks of others have another name now.

    Raises:
        ProjectError: as `Hook.install`.
    """
    said = [hook.install(project) or "" for hook in HOOKS]
    return [text for text in said if text and (text == said[0] or ".local" in text)]
