#!/bin/sh
# dvc-bucket writes this file; your own commands go into commit-msg.local.
# No secret gets into a commit. `bucket secrets --install-hook` put this here, as `make setup` does;
# a hook that was here before is beside it, named commit-msg.local, and runs afterwards.
project=.  # the folder of the project in the repository

# A tool that manages hooks may have this one called by the one that this one calls.
[ -z "$BUCKET_COMMIT_MSG" ] || exit 0
export BUCKET_COMMIT_MSG=1

. toolkit.sh

# A commit of before the project, or of another repository that shares this folder of hooks.
if [ -f "$project/.dvc/config" ]; then
  said=$(toolkit secrets --staged)
  status=$?
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
