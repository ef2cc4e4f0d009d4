#!/bin/sh
# No secret gets into a commit. `bucket secrets --install-hook` put this here, as `make setup` does;
# a hook that was here before is beside it, named commit-msg.local, and runs afterwards.
project=.  # the folder of the project in the repository

# A tool that manages hooks may have this one called by the one that this one calls.
[ -z "$BUCKET_COMMIT_MSG" ] || exit 0
export BUCKET_COMMIT_MSG=1

# In a subshell: what is called afterwards gets git's variables as git set them.
# 97: this Python does not have the toolkit.
check() (
  GIT_DIR=$(git rev-parse --absolute-git-dir)
  GIT_WORK_TREE=$PWD
  export GIT_DIR GIT_WORK_TREE  # GIT_INDEX_FILE, if relative, is so to the work tree
  cd "$project" && exec "$@"
)
with_venv() {
  # Where it really is: the path to the toolkit in it is relative. And its Python, not its script
  # `bucket`, which names that by an absolute path: wrong once a clone is moved.
  venv=$(cd -P "$1/$project/.venv" 2>/dev/null && pwd) || return 97
  [ -x "$venv/bin/python" ] || return 97
  check "$venv/bin/python" -P -c '
import sys
try:
    from bucket.cli import main
except ImportError:
    sys.exit(97)
sys.argv[0] = "bucket"
main()' secrets --staged
}
with_path() {
  command -v bucket >/dev/null || return 97
  check bucket secrets --staged
}

# A commit of before the project, or of another repository that shares this folder of hooks.
if [ -f "$project/.dvc/config" ]; then
  main=$(git worktree list --porcelain | sed -n '1s/^worktree //p')
  said=$(with_venv "$PWD")
  status=$?
  [ $status -ne 97 ] || { said=$(with_venv "$main"); status=$?; }
  [ $status -ne 97 ] || { said=$(with_path); status=$?; }
  if [ $status -eq 97 ]; then
    echo "Commit refused: the check for secrets is not set up. Run \`make setup\`, then commit again." >&2
    exit 1
  fi
  if [ $status -ne 0 ]; then
    [ -z "$said" ] || printf '%s\n' "$said" >&2
    echo "Commit refused." >&2
    exit 1
  fi
fi

mine=$(dirname "$0")/commit-msg.local
[ ! -x "$mine" ] || exec "$mine" "$@"
