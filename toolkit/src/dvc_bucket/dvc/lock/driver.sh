#!/bin/sh
# Merges dvc.lock stage by stage. `bucket lock-merge --install` put this here, as `make setup` does;
# git calls it with the files of the ancestor, ours and theirs, the path, and the length of a mark.
projects=.  # the folders of the projects in the repository, a line each
unset PYTHONHOME  # of another Python, with which none starts

# 97: this Python does not have the toolkit.
with_venv() {
  # Of any project: all have this driver. Its Python, not its script `bucket`, which names that by an
  # absolute path: wrong once a clone is moved. And where it really is: the path to the toolkit in it
  # is relative.
  venv=$(cd -P "$1/$project/.venv" 2>/dev/null && pwd) || return 97
  shift
  [ -x "$venv/bin/python" ] || return 97
  "$venv/bin/python" -P -c '
import sys
try:
    import dvc_bucket.dvc.lock.driver
    from dvc_bucket.cli import main
except ImportError:
    sys.exit(97)
sys.argv[0] = "bucket"
main()' lock-merge "$@"
}
with_path() {
  command -v bucket >/dev/null || return 97
  bucket lock-merge "$@"
}

main=$(git worktree list --porcelain | sed -n '1s/^worktree //p')
status=97
while [ $status -eq 97 ] && IFS= read -r project <&3; do
  with_venv "$PWD" "$1" "$2" "$3" "$4"
  status=$?
  [ $status -ne 97 ] || { with_venv "$main" "$1" "$2" "$3" "$4"; status=$?; }
done 3<<END
$projects
END
[ $status -ne 97 ] || { with_path "$1" "$2" "$3" "$4"; status=$?; }
# 0: merged; 1: a conflict, and marked. Anything else: no toolkit, and so what git does by itself.
[ $status -le 1 ] || {
  git merge-file --marker-size="$5" -L ours -L base -L theirs -- "$2" "$1" "$3"
  status=$?
}
exit $status
