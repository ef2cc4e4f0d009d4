"""The push at the end of `bucket reproduce`, and a check whether everything is up to date."""

import sys

from dvc_bucket.base.paths import Project
from dvc_bucket.dvc import nothing_to_do, process

if __name__ == "__main__":
    status = process.main(sys.argv[1:])
    if status == 0:
        nothing_to_do.look(Project.find())
    process.leave(status)
