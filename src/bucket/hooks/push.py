"""The git hook that refuses a push of commits whose data is not on the remote.

It is installed only when asked for: `dvc install` puts its own hooks only where no pre-push hook
is. After it, both work: DVC's, which sends data, runs first.
"""

from bucket.hooks.install import Hook
from bucket.paths import Project

HOOK = Hook(
    name="pre-push",
    script="pre_push.sh",
    does="refuses pushes of commits whose data is not on the remote",
    unless="pushes from here are not checked",
    runs="bucket verify --rev COMMIT",
    installs="bucket verify --install-hook",
    other="first",
)


def install(project: Project) -> str | None:
    """Have git refuse pushes without their data; return the sentence that says so, None if it did.

    Raises:
        ProjectError: the project is in no git repository, its hooks are in a folder that other
            repositories share, or two hooks are there already.
    """
    return HOOK.install(project)
