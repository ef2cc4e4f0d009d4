# In a subshell: what is called afterwards gets git's variables as git set them.
in_project() (
  GIT_DIR=$(git rev-parse --absolute-git-dir)
  GIT_WORK_TREE=$PWD
  export GIT_DIR GIT_WORK_TREE  # GIT_INDEX_FILE, if relative, is so to the work tree
  cd "$project" && exec "$@"
)
with_venv() {
  # Where it really is: the path to the toolkit in it is relative. And its Python, not its script
  # `bucket`, which names that by an absolute path: wrong once a clone is moved.
  venv=$(cd -P "$1/$project/.venv" 2>/dev/null && pwd) || return 97
  shift
  [ -x "$venv/bin/python" ] || return 97
  in_project "$venv/bin/python" -P -c '
import sys
try:
    from dvc_bucket.cli import main
except ImportError:
    sys.exit(97)
sys.argv[0] = "bucket"
main()' "$@"
}
with_path() {
  command -v bucket >/dev/null || return 97
  in_project bucket "$@"
}
# `bucket` with these arguments: this work tree's, else the main one's, else the one on the PATH.
# 97: none of them has the toolkit.
toolkit() {
  main=$(git worktree list --porcelain | sed -n '1s/^worktree //p')
  with_venv "$PWD" "$@"
  status=$?
  [ $status -ne 97 ] || { with_venv "$main" "$@"; status=$?; }
  [ $status -ne 97 ] || { with_path "$@"; status=$?; }
  return $status
}
