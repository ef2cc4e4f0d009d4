# shellcheck shell=bash
# What the job scripts in this folder share: a clone of the job's own on a disk of the job's own, the
# run, what is kept of it when the job is stopped, and that nothing stays behind. Bash 4.3 or newer.
#
# They set `top`, the clone that the job was submitted in. Six variables of the environment turn
# what they do (JOB_COMMIT=v1.0 sbatch ...):
#
#   JOB_COMMIT    the commit to reproduce: a hash, tag or branch; without it, the one checked out
#   JOB_SCRATCH   a folder for the clone of the job; without it, see node_disk and shared_disk
#   JOB_VENV      own: packages of the job's own (25 s and the network); without it, .venv of `top`
#   JOB_OFFLINE   1: no connection from the node(s): data comes from, and goes to, the cache of `top`
#   JOB_INTERFACE for dask.sbatch: the network that its nodes share, such as ib0
#   JOB_SEND      every how many seconds what stages have finished is sent; 60

set -euo pipefail
: "${top:?set by the script that reads this file}"

#: After `scancel` Slurm waits for its KillWait, 30 s by default, before it kills. This much of it
#: is for sending to the store, and a quarter more where that fails; the rest is for clearing away.
CANCEL_SECONDS=16

#: For processes that were told to end.
END_SECONDS=5

#: How far it is: `running` from the first stage on, `finished` after the last.
phase=''

folder='' node_folder='' commit='' workers='' children=() make=(make)

say() { echo "[$(date +%T)] $*"; }

fail() {
  echo "$*" >&2
  exit 1
}

# first_folder NAME...: the first of these variables that names a folder to write to.
first_folder() {
  local name
  for name in "$@"; do
    if [ -n "${!name:-}" ]; then
      if [ -d "${!name}" ] && [ -w "${!name}" ]; then
        echo "${!name}"
        return
      fi
      say "$name is ${!name}, which is not a writable folder on $(hostname)" >&2
    fi
  done
  return 1
}

# A folder on the node's own disk: what the cluster says is this job's, else /tmp.
node_disk() {
  first_folder SLURM_TMPDIR TMPDIR || {
    say "Neither SLURM_TMPDIR nor TMPDIR names a folder on $(hostname): using /tmp" >&2
    echo /tmp
  }
}

# A folder that all nodes see: where the cluster says, else beside the clone's own temporary files.
shared_disk() {
  first_folder SCRATCH || {
    mkdir -p "$top/.dvc/tmp"
    echo "$top/.dvc/tmp"
  }
}

# job_begin [DISK]: a folder of the job's own in JOB_SCRATCH, or there, or on the node's own disk, and
# one on the node's own disk for temporary files, for nobody else; what to do with signals.
job_begin() {
  local own disk name="${SLURM_JOB_NAME:-job}-${SLURM_JOB_ID:-$$}"
  own=$(node_disk)
  disk=$(first_folder JOB_SCRATCH) || disk=${1:-$own}
  folder=$(mktemp -d "$disk/$name.XXXXXX")
  node_folder=$(mktemp -d "$own/$name-tmp.XXXXXX")
  export JOB_TMPDIR="${TMPDIR:-}" # what the cluster says, for processes on other nodes
  trap job_clear EXIT
  trap 'job_stopped "The time is nearly up" 0' USR1
  trap 'job_stopped "Cancelled" "$CANCEL_SECONDS"' TERM INT
  # Temporary files of the stages, and DVC's database, which no network file system is good for.
  mkdir -m 700 "$node_folder/dvc-site" # DVC itself would open it to everybody
  export TMPDIR="$node_folder" DVC_SITE_CACHE_DIR="$node_folder/dvc-site"
  # What counts the cores of the node would take those of other jobs, too.
  export OMP_NUM_THREADS="${SLURM_CPUS_PER_TASK:-1}" PIPELINE_WORKERS="${SLURM_CPUS_PER_TASK:-1}"
  # The log has what was printed also when the process that printed it is killed.
  export PYTHONUNBUFFERED=1
  say "Job ${SLURM_JOB_ID:-(none)} on $(hostname), in $folder"
}

# Start a command in a process group of its own.
start() {
  setsid "$@" &
  children+=("$!")
}

# Run a command, and wait for it so that signals are heard at once.
run() {
  local status=0 child
  start "$@"
  child=${children[-1]}
  wait "$child" || status=$?
  end_child "$child"
  unset 'children[-1]'
  return "$status"
}

# gone PID: whether a command that `start` started, and all that it started, ends within END_SECONDS.
gone() {
  local tries=$((END_SECONDS * 10))
  while kill -0 -- "-$1" 2>/dev/null; do
    ((tries-- > 0)) || return 1
    sleep 0.1
  done
}

# end_child PID: end it.
end_child() {
  if [ "$1" = "$workers" ]; then
    # Told by Slurm, each of its processes ends in order; srun would kill them.
    scancel --quiet --signal=TERM "$SLURM_JOB_ID.0" || true
    gone "$1" || true
  fi
  kill -TERM -- "-$1" 2>/dev/null || return 0
  gone "$1" || kill -KILL -- "-$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
}

end_children() {
  local index
  for ((index = ${#children[@]} - 1; index >= 0; index--)); do end_child "${children[index]}"; done
  children=()
}

# The trap of the end, whatever the reason: nothing of the job stays on the node.
job_clear() {
  local tries=10
  end_children
  # What was just killed may still write.
  until rm -rf "$folder" "$node_folder" 2>/dev/null || ((tries-- == 0)); do sleep 0.2; done
  [ ! -e "$folder" ] || say "Left behind: $folder"
}

# job_stopped WHY SECONDS: keep what is finished, within the seconds (0: however long it takes).
job_stopped() {
  trap : USR1
  say "$1: ending the running stages"
  end_children
  case $phase in
    running) job_keep "$2" ;;
    finished) job_end ;;
  esac
  exit 1
}

# A clone of one commit of `top`, its packages, its connection.
job_clone() {
  local changed
  commit=$(git -C "$top" rev-parse --verify --quiet "${JOB_COMMIT:-HEAD}^{commit}") ||
    fail "JOB_COMMIT is $JOB_COMMIT, which $top does not have."
  changed=$(git -C "$top" status --porcelain --untracked-files=no)
  if [ -z "${JOB_COMMIT:-}" ] && [ -n "$changed" ]; then
    fail "Files of $top have uncommitted changes ($(head -n 1 <<<"${changed:3}")," \
      "$(wc -l <<<"$changed") in all), and a job runs a commit. Commit them, on a branch of their own" \
      "if you like, or name the commit to run: JOB_COMMIT=HEAD sbatch ..."
  fi
  run git clone --quiet --no-hardlinks --no-checkout "$top" "$folder/clone"
  cd "$folder/clone"
  git checkout --quiet --detach "$commit"
  say "Commit $(git log -1 --format='%h, %s')"
  # A link, not a copy: the keys stay where only their owner reads them.
  [ ! -e "$top/.env" ] || ln -s "$top/.env" .env
  job_packages
  job_cache
  if [ -z "${JOB_OFFLINE:-}" ]; then run python cluster/reach.py; fi
}

# The packages: those of `top`, if they are what this commit asks for.
job_packages() {
  if [ "${JOB_VENV:-}" != own ] && [ "$top/.venv/.packages" -nt "$top/requirements.lock" ] &&
    cmp -s "$top/requirements.lock" requirements.lock; then
    ln -s "$top/.venv" .venv
    # make is told that the set-up is done; the code is the job's own.
    make+=(--old-file=.venv/.installed)
    export PYTHONPATH="$PWD/src:$PWD/toolkit/src"
  elif [ -n "${JOB_OFFLINE:-}" ]; then
    fail "$top/.venv differs from requirements.lock of this commit. On the login node: make setup."
  else
    run "${make[@]}" setup ||
      fail "The packages of this commit cannot be installed on this node. On the login node, with" \
        "the commit checked out: make setup. Then submit again."
  fi
  export PATH="$PWD/.venv/bin:$PATH"
}

# Where DVC keeps data: where the configuration of `top` says so, there; else in the folder.
job_cache() {
  if [ -e "$top/.dvc/config.local" ]; then
    cp -p "$top/.dvc/config.local" .dvc/config.local
    # A path in it is seen from where it stands.
    if grep -q '^ *dir *=' .dvc/config.local; then dvc cache dir --quiet --local "$(cache_of_top)"; fi
  fi
  if [ -n "${JOB_OFFLINE:-}" ]; then
    remote_top
    dvc remote default --quiet --local top
  fi
}

cache_of_top() { (cd "$top" && dvc cache dir); }

# The cache of `top` as a remote of this clone: DVC lays out the two alike.
remote_top() { dvc remote add --quiet --local --force top "$(cache_of_top)"; }

# Run what is stale, with what the remote has of the rest; send the results.
reproduce() {
  # An array: each of its jobs takes one of the words, from the first on.
  if [ -n "${SLURM_ARRAY_TASK_ID:-}" ]; then set -- "${@:SLURM_ARRAY_TASK_ID:1}"; fi
  local status=0
  phase=running
  start bash cluster/send.sh
  if [ -n "${JOB_OFFLINE:-}" ]; then
    { run bucket repro --pull "$@" && run bucket push --run-cache; } || status=$?
  else
    run "${make[@]}" reproduce ARGS="--pull $*" || status=$?
  fi
  end_children
  if ((status)); then
    job_keep 0
    exit 1
  fi
  phase=finished
}

# job_keep SECONDS: send what finished stages have made; the next job takes it from there.
job_keep() {
  say "Sending finished results"
  if run timeout "$1" bucket push --quiet --run-cache; then
    say "Sent. Submit the job again to continue"
  elif remote_top && run timeout "$(($1 / 4))" bucket push --quiet --run-cache --remote top; then
    say "The store did not accept them. They are in the cache of $top: JOB_OFFLINE=1 sbatch continues there"
  else
    say "Some results were not sent: submit the job again to finish the rest"
  fi
}

# Everything ran. New results are a branch of `top`: whatever is checked out there stays as it is.
job_end() {
  local branch="slurm/$SLURM_JOB_ID" name
  git add --all
  if git diff --cached --quiet "$commit"; then
    say "Done: the results are identical to those of the commit, byte for byte"
    return
  fi
  name=${USER:-$(id -un)}
  git config user.email >/dev/null || git config user.email "$name@$(hostname)"
  git config user.name >/dev/null || git config user.name "$name"
  # If the job stops before this point, it starts over.
  git diff --cached --quiet || git commit --quiet --message "Results of Slurm job $SLURM_JOB_ID"
  git push --quiet --force origin "HEAD:refs/heads/$branch"
  say "Done: the results are the branch $branch. In $top: git merge $branch"
  if [ -n "${JOB_OFFLINE:-}" ]; then say "Then send the data from a machine with a network: bucket push"; fi
}
