"""The git hook before a push: it refuses commits whose data is not on the remote.

It is installed only when asked for: `dvc install` puts its own hooks only where no pre-push hook
is. After it, both work: DVC's, which sends data, runs first. The same hook has Git LFS send its
objects, and can do only that, where `git lfs install` refuses because a hook is there.
"""

import os
from dataclasses import replace

from dvc_bucket.base.paths import Project
from dvc_bucket.git.contents import Repository
from dvc_bucket.git.hooks.install import DOES_NOT, Hook

HOOK = Hook(
    name="pre-push",
    does="refuses pushes of commits whose data is not on the remote",
    unless="pushes from here are not checked",
    runs="bucket verify --rev COMMIT",
    installs="bucket verify --install-hook",
    other="first",
    unmarked=(
        "# No commit goes out whose data is not on the remote. `bucket verify --install-hook` put "
        "this here, or",
        "# No commit goes out whose data is not on the remote. `bucket verify --install-hook` put "
        "this here;",
    ),
)

LFS_ONLY = replace(
    HOOK,
    does="sends objects of Git LFS before it pushes",
    unless="pushes from here do not send objects of Git LFS",
    runs='git lfs pre-push "$@"',
    installs="bucket lfs setup",
    verifies=False,
)


def install_for_lfs(project: Project) -> str | None:
    """Have a push send the objects of Git LFS beside whatever hook is there.

    Returns:
        The sentence that says so; None if it did, or if our hook was there for its other purpose.

    Raises:
        ProjectError: as `Hook.install`.
    """
    text = HOOK.found(Repository.of(project))
    is_other = HOOK.is_ours(text) and not _is_for_lfs(text)
    return (HOOK if is_other else LFS_ONLY).install(project)


def remove_for_lfs(project: Project) -> None:
    """Take away what `install_for_lfs` put there, and give another hook its name back."""
    repository = Repository.of(project)
    hook, text = repository.hooks / HOOK.name, HOOK.found(repository)
    if not HOOK.is_ours(text) or not _is_for_lfs(text):
        return
    kept = hook.with_name(f"{hook.name}.local")
    if os.path.lexists(kept):
        kept.replace(hook)
    else:
        hook.unlink()


def _is_for_lfs(text: bytes | None) -> bool:
    """Whether a hook of ours only sends objects of Git LFS."""
    return DOES_NOT.encode() in (text or b"").splitlines()
