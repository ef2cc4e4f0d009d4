#!/bin/sh
# dvc-bucket writes this file; your own commands go into HOOK.local.
# No commit gets a secret (`bucket secrets --install-hook`), and no push leaves its data behind
# (`bucket verify --install-hook`, `bucket lfs setup`). A hook that was here before is beside it,
# named HOOK.local; it runs before a push and after a commit is checked.
projects=.  # the folders of the projects in the repository, a line each
unset PYTHONHOME  # of another Python, with which none starts
hook=HOOK
verifies=yes

# A tool that manages hooks may have this one called by the one that this one calls.
[ "$BUCKET_RUNS" != $hook ] || exit 0
export BUCKET_RUNS=$hook
mine=$(dirname "$0")/$hook.local

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
# `bucket` with these arguments: this work tree's, else the main one's, else the one on the PATH.
# 97: none of them has the toolkit.
toolkit() {
  main=$(git worktree list --porcelain | sed -n '1s/^worktree //p')
  for root in "$PWD" "$main"; do
    with_venv "$root" "$@"
    status=$?
    [ $status -eq 97 ] || return $status
  done
  command -v bucket >/dev/null || return 97
  in_project bucket "$@"
}
# Where a person types it, if that is not the root.
where() {
  [ "$project" = . ] || printf ' in %s' "$project"
}
# What a refusal says: the findings, then a sentence.
refuse() {
  [ -z "$said" ] || printf '%s\n' "$said" >&2
  printf '%s\n' "$1" >&2
  exit 1
}

if [ $hook != pre-push ]; then
  message=$1
  is_checked=yes
  case $hook in
    # `git commit` and `git merge` run commit-msg; picks of `git cherry-pick` and `git rebase` do not.
    prepare-commit-msg) git rev-parse -q --verify CHERRY_PICK_HEAD >/dev/null || is_checked=no ;;
    pre-applypatch) message=$(git rev-parse --git-path rebase-apply/final-commit) ;;
  esac
  case $message in /*) ;; *) message=$PWD/$message ;; esac
  # Not: a commit of before the project, or of another repository that shares this folder of hooks.
  while [ $is_checked = yes ] && IFS= read -r project <&3; do
    [ -f "$project/.dvc/config" ] || continue
    said=$(toolkit secrets --staged --message "$message" 3<&-)
    status=$?
    case $status in
      0) ;;
      2 | 97)  # 2: a toolkit of another version than this hook
        refuse "Commit refused: the check for secrets is not set up. Run \`make setup\`$(where), then commit again." ;;
      *) refuse "Commit refused." ;;
    esac
  done 3<<END
$projects
END
  [ ! -x "$mine" ] || exec "$mine" "$@"
  exit 0
fi

# What git is about to push, a line each: local name, local id, remote name, remote id.
lines=$(cat)
if [ -x "$mine" ]; then
  { [ -z "$lines" ] || printf '%s\n' "$lines"; } | "$mine" "$@" || exit
fi

# Objects of Git LFS go first, too, in a clone where `bucket lfs setup` was.
if git config lfs.customtransfer.bucket.path >/dev/null && ! grep -qs 'lfs pre-push' "$mine"; then
  { [ -z "$lines" ] || printf '%s\n' "$lines"; } | git lfs pre-push "$@" || exit
fi
[ $verifies = yes ] || exit 0

# The commits at the tips. Not: a deleted name, whose id is all zeros; what is no commit; a commit
# of before the project, or of another repository that shares this folder of hooks.
while IFS= read -r project <&3; do
  config=.dvc/config
  [ "$project" = . ] || config=$project/$config
  set --
  while read -r _ id _ _; do
    case $id in *[!0]*) ;; *) continue ;; esac
    commit=$(git rev-parse --verify --quiet "$id^{commit}") || continue
    git cat-file -e "$commit:$config" 2>/dev/null || continue
    case " $* " in *" $commit "*) ;; *) set -- "$@" --rev "$commit" ;; esac
  done <<END
$lines
END
  [ $# -gt 0 ] || continue

  said=$(toolkit verify "$@" 3<&-)
  status=$?
  [ $status -ne 0 ] || continue
  [ $status -ne 97 ] || said="The check is not set up. Run \`make setup\`$(where), then push again."
  refuse "Push refused: the data of these commits is not all on the remote, or that could not be found out.
\`make push\`$(where) sends the data of the files that are checked out; this sends whatever the local cache has:
  bucket verify $* --repair
\`git push --no-verify\` goes past this check."
done 3<<END
$projects
END
