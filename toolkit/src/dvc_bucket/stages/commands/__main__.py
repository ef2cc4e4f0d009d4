"""`python -m dvc_bucket.stages.commands WORDS ARGUMENTS`: `dvc ARGUMENTS`, stages side by side."""

import sys

from dvc_bucket.dvc import process
from dvc_bucket.stages import commands

if __name__ == "__main__":
    where, arguments = commands.from_words(sys.argv[1:])
    commands.use(where)
    process.become(arguments)
