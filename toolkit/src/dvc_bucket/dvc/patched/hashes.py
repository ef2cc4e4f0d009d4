"""DVC's hash of a file's content, as it was before DVC 3."""

import io
from typing import BinaryIO, cast

from dvc_bucket.dvc.patched.differences import require
from dvc_bucket.dvc.patched.touch_points import HASHING


def md5_of_text(file: io.BufferedIOBase) -> str:
    """The MD5 of what is left in a file, hexadecimal; of a text, with Unix line ends.

    Raises:
        DvcDiffersError: this DVC computes it in another way.
    """
    require(HASHING)
    from dvc_data.hashfile.hash import fobj_md5

    return str(fobj_md5(cast(BinaryIO, file), name="md5-dos2unix"))
