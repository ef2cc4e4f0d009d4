"""The git hook that refuses a push of commits whose data is not on the remote.

It is installed only when asked for: `dvc install` puts its own hooks only where no pre-push hook
is. After it, both work: DVC's, which sends data, runs first.
"""

from bucket.hooks.install import Hook

HOOK = Hook(
    name="pre-push",
    script="pre_push.sh",
    does="refuses pushes of commits whose data is not on the remote",
    unless="pushes from here are not checked",
    runs="bucket verify --rev COMMIT",
    installs="bucket verify --install-hook",
    other="first",
)
