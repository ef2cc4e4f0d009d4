"""`python -m dvc_bucket.stages.commands JOBS ARGUMENTS`: `dvc ARGUMENTS`, stages side by side."""

import sys

from dvc_bucket.dvc import process
from dvc_bucket.stages import commands

if __name__ == "__main__":
    commands.use(int(sys.argv[1]))
    process.become(sys.argv[2:])
