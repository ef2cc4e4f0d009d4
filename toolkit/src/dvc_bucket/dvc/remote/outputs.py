"""What DVC tracks at a revision, as DVC's own code says."""

from typing import TYPE_CHECKING

from dvc_bucket.dvc.patched.repository import from_root as from_root
from dvc_bucket.dvc.patched.repository import opened as opened
from dvc_bucket.dvc.patched.repository import origin as origin
from dvc_bucket.dvc.patched.repository import outputs as outputs
from dvc_bucket.dvc.remote import ids

if TYPE_CHECKING:
    from dvc_bucket.dvc.patched.types import Output

#: DVC's name of the hash that it used before version 3.
LEGACY = "md5-dos2unix"


def absence(out: "Output") -> str:
    """Why the data of an output is on no remote of its project; empty if it can be.

    The words follow "it is".
    """
    if not out.use_cache:
        return "not in DVC's cache (cache: false); it is in git, or only in the workspace"
    if out.stage.is_repo_import:
        return "imported; its data is in the repository that it comes from"
    if not out.hash_info:
        return "not recorded yet: `bucket repro`, then `bucket push`"
    return ""


def name_of(out: "Output") -> bytes:
    """The name of an output's object; that of a directory stands for all its files.

    Raises:
        ValueError: its hash is none that DVC names objects by.
    """
    return ids.encode(str(out.hash_info.value), legacy=out.hash_info.name == LEGACY)
