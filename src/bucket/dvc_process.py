"""`python -m bucket.dvc_process ARGUMENTS`: `dvc ARGUMENTS`, its bytes moved by the fast way."""

import gc
import sys
from collections.abc import Sequence

from bucket import dvc_internals

#: DVC makes many small objects and few cycles: to look for those every 700 objects, the default,
#: costs a tenth of a `dvc pull` with nothing to do.
GARBAGE_OBJECTS = 100_000


def main(arguments: Sequence[str]) -> int:
    """Run DVC's own command line in this process and return its exit status."""
    gc.set_threshold(GARBAGE_OBJECTS, *gc.get_threshold()[1:])
    if reason := dvc_internals.install():
        print(f"bucket: {reason}", file=sys.stderr)
    from dvc.cli import main as dvc

    status: int = dvc(list(arguments))
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
