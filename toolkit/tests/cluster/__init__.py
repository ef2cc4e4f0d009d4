"""The job scripts in `cluster/`, on a real Slurm."""
