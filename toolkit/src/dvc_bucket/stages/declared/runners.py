"""The packages that run a notebook; the project that has one asks for them."""

from importlib.util import find_spec

#: What runs the cells, and writes their values as text.
KERNEL = "ipykernel"

RUNNERS = ("nbclient", KERNEL)


def lacking() -> str:
    """A sentence about the first of them that is not installed here; empty if all are."""
    missing = next((name for name in RUNNERS if not find_spec(name)), "")
    return missing and (
        f"A notebook runs with {' and '.join(RUNNERS)}, and {missing} is not installed. Add it to "
        f"the project (make add PACKAGE={missing}), then make setup."
    )
