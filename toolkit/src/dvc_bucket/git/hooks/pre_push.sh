#!/bin/sh
# dvc-bucket writes this file; your own commands go into pre-push.local.
# No commit goes out whose data is not on the remote. `bucket verify --install-hook` put this here, or
# `bucket lfs setup`; a hook that was here before is beside it, named pre-push.local, and runs first:
# DVC's sends data.
project=.  # the folder of the project in the repository
verifies=yes

# A tool that manages hooks may have this one called by the one that this one calls.
[ -z "$BUCKET_PRE_PUSH" ] || exit 0
export BUCKET_PRE_PUSH=1

# What git is about to push, a line each: local name, local id, remote name, remote id.
lines=$(cat)
mine=$(dirname "$0")/pre-push.local
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
[ $# -gt 0 ] || exit 0

. toolkit.sh

said=$(toolkit verify "$@")
status=$?
[ $status -ne 0 ] || exit 0
if [ $status -eq 97 ]; then
  said="The check is not set up. Run \`make setup\`, then push again."
fi
[ -z "$said" ] || printf '%s\n' "$said" >&2
cat >&2 <<END
Push refused: the data of these commits is not all on the remote, or that could not be found out.
\`make push\` sends the data of the files that are checked out; this sends whatever the local cache has:
  bucket verify $* --repair
\`git push --no-verify\` goes past this check.
END
exit 1
