"""The git hook that refuses a commit with a secret in it.

It is commit-msg, not pre-commit: `dvc install` puts its own hooks (pre-commit, pre-push,
post-checkout) only where none of the three exists, and a merge runs commit-msg too.
"""

from dvc_bucket.git.hooks.install import Hook

HOOK = Hook(
    name="commit-msg",
    script="commit_msg.sh",
    does="refuses commits that hold a secret",
    unless="commits here are not checked for secrets",
    runs="bucket secrets --staged",
    installs="bucket secrets --install-hook",
    other="afterwards",
    unmarked=(
        "# No secret gets into a commit. `bucket secrets --install-hook` put this here, as `make "
        "setup` does;",
    ),
)
