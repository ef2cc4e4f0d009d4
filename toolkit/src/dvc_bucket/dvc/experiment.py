"""`python -m dvc_bucket.dvc.experiment RECORD ARGUMENTS`: `dvc ARGUMENTS` for one experiment.

RECORD is the file in which each stage is noted; see `patched.sharing`.
"""

import sys
from pathlib import Path

from dvc_bucket.dvc import process
from dvc_bucket.dvc.patched import sharing

if __name__ == "__main__":
    sharing.record = Path(sys.argv[1])
    process.become(sys.argv[2:])
