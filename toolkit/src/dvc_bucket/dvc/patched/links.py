"""The kinds of link that work between two folders, tried as DVC tries them."""

from collections.abc import Sequence
from pathlib import Path

from dvc_bucket.dvc.patched.differences import require
from dvc_bucket.dvc.patched.touch_points import LINKING


def working(kinds: Sequence[str], folder: Path, beside: Path) -> list[str]:
    """Those of `kinds` with which a file of `folder` gets a second name next to `beside`.

    Raises:
        DvcDiffersError: this DVC tries them in another way.
    """
    require(LINKING)
    from dvc_objects.fs.generic import test_links
    from dvc_objects.fs.local import localfs

    return [str(kind) for kind in test_links([*kinds], localfs, str(folder), localfs, str(beside))]
