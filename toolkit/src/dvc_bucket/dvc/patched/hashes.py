"""DVC's hash of a file's content."""

from typing import BinaryIO

from dvc_bucket.dvc.patched.differences import require
from dvc_bucket.dvc.patched.touch_points import HASHING


def md5(file: BinaryIO, algorithm: str) -> str:
    """The hash of what is left in a file, hexadecimal.

    Args:
        file: open for reading.
        algorithm: DVC's name of it.

    Raises:
        DvcDiffersError: this DVC computes it in another way.
    """
    require(HASHING)
    from dvc_data.hashfile.hash import fobj_md5

    return str(fobj_md5(file, name=algorithm))
