#!/bin/sh
# git-lfs's way to the bucket: the agent of this clone, wherever that is now. `bucket lfs setup` put
# this here.
project=.  # the folder of the project in the repository
unset PYTHONHOME  # of another Python, with which none starts

common=$(cd "${0%/*}" && pwd)  # this file is in the folder that all work trees share
storage=$common/lfs
if [ ! -S "$storage/tmp/bucket-$PPID" ] && other=$(git config --type=path lfs.storage); then
  case $other in /*) storage=$other ;; *) storage=$common/$other ;; esac
fi

# The set-up of this work tree, else that of the main one. Where it really is: the path to the toolkit
# in it is relative. And its Python, not its script `bucket`, whose path to that breaks in a move.
for root in "$(git rev-parse --show-toplevel)" "${common%/.git}"; do
  venv=$(cd -P "$root/$project/.venv" 2>/dev/null && pwd)
  [ -x "$venv/bin/python" ] || continue
  # An agent is there already, of the same git-lfs: it is given these pipes, and works for all.
  if [ -S "$storage/tmp/bucket-$PPID" ]; then
    (cd "$storage/tmp" && exec "$venv/bin/python" -I -S -c '
import _socket as it, sys  # `socket` takes longer to import than Python to start
there = it.socket(it.AF_UNIX)
if there.connect_ex(sys.argv[1]):
    sys.exit(97)
pipes = b"".join(number.to_bytes(4, sys.byteorder) for number in (0, 1))
there.sendmsg([b"."], [(it.SOL_SOCKET, it.SCM_RIGHTS, pipes)])
there.recv(1)  # it hangs up when it is done' "bucket-$PPID")
    [ $? -eq 97 ] || exit
  fi
  cd "$root/$project" && exec "$venv/bin/python" -P -m dvc_bucket.jobs.lfs.agent "$storage"
done
read -r _
echo '{"error": {"code": 500, "message": "bucket is not set up in this clone. Run `make setup`, then git again."}}'
