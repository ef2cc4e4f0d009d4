#!/usr/bin/env bash
# The Dask workers of one node, in the folder of the job's clone: dask.sbatch has `srun` start this on
# each. What they keep on the node's own disk goes with them.
set -euo pipefail
top=$PWD
# shellcheck source=cluster/job.sh
. cluster/job.sh

TMPDIR=$JOB_TMPDIR
folder=$(node_disk)
folder=$(mktemp -d "$folder/dask-${SLURM_JOB_ID:-$$}.XXXXXX")
trap job_clear EXIT
trap 'exit 1' TERM INT
export TMPDIR="$folder"
memory=()
if [ -n "${SLURM_MEM_PER_NODE:-}" ]; then
  memory=(--memory-limit "$((SLURM_MEM_PER_NODE / SLURM_CPUS_PER_TASK))MiB")
fi
# A process a core, each with one thread: what runs in them is Python. `bucket run` gives them the
# connection to the store, and the same numerical kernels as everywhere.
run bucket run dask worker --scheduler-file "$1" --protocol tls \
  --no-dashboard --dashboard-address 127.0.0.1:0 \
  --nworkers "$SLURM_CPUS_PER_TASK" --nthreads 1 "${memory[@]}" --local-directory "$folder" \
  --death-timeout 60
