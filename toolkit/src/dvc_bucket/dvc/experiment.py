"""`python -m dvc_bucket.dvc.experiment RECORD ARGUMENTS`: `dvc ARGUMENTS` for one experiment.

RECORD is the file in which each stage is noted; see `patched.sharing`. While the process lives, it
holds a lock, by which the next run of the queue sees what one that was killed has left.
"""

import fcntl
import sys
from pathlib import Path

from dvc_bucket.dvc import process
from dvc_bucket.dvc.patched import sharing

if __name__ == "__main__":
    sharing.record = Path(sys.argv[1])
    alive = (sharing.record.parent / sharing.ALIVE).open("w")
    fcntl.flock(alive, fcntl.LOCK_SH)
    process.become(sys.argv[2:])
