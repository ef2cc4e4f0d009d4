"""`bucket cp` without arguments: objects that the JSON file in $OS_CONFIG_FILE names."""

import json
import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from dvc_bucket.base.errors import SettingsError
from dvc_bucket.base.progress import silent
from dvc_bucket.connection.settings import Settings
from dvc_bucket.read.bringing import bring
from dvc_bucket.read.copying import object_item
from dvc_bucket.transfer.errors import naming_failures

#: The variable that names the file.
CONFIG_FILE = "OS_CONFIG_FILE"


class WantedObject(BaseModel):
    """An object that the file asks for, and the path of its copy."""

    model_config = ConfigDict(extra="forbid", strict=True)

    bucket_name: str
    object_key: str
    local_path: str


def fetch_configured(*, force: bool) -> list[Path]:
    """Fetch the objects that the file in $OS_CONFIG_FILE names; the paths of their copies.

    The file is JSON: `{"bucket_name": ..., "object_key": ..., "local_path": ...}`, or a list of
    these. A relative `local_path` is one from the current folder.

    Raises:
        SettingsError: there is no such variable or file, or the file says something else.
        OutputError: a file with other content is there.
        TransferError: the store refused or could not be reached, or has no such object.
    """
    settings = Settings.load()
    fetched = []
    for wanted in _wanted(os.environ.get(CONFIG_FILE, "")):
        there = settings.model_copy(update={"bucket_name": wanted.bucket_name})
        path, store = Path(wanted.local_path), there.obstore()
        with naming_failures(f"look up {wanted.object_key}", there):
            version = store.head(wanted.object_key)
        item = object_item(version, path.absolute(), there, store)
        bring(item.target.parent, [item], silent, force=force)
        fetched.append(path)
    return fetched


def _wanted(name: str) -> list[WantedObject]:
    if not name:
        raise SettingsError(
            "Nothing to copy: give PATH and DEST, as in `bucket cp data/raw /scratch/me`, or set "
            f"{CONFIG_FILE} to a JSON file with bucket_name, object_key and local_path."
        )
    try:
        stated = json.loads(Path(name).read_text(encoding="utf-8"))
        several = stated if isinstance(stated, list) else [stated]
        return TypeAdapter(list[WantedObject]).validate_python(several)
    except OSError as error:
        raise SettingsError(f"{CONFIG_FILE} is {name}: {error.strerror}.") from None
    except ValueError as error:
        faults = error.errors() if isinstance(error, ValidationError) else []
        lines = [f"{'.'.join(map(str, fault['loc'][1:]))}: {fault['msg']}" for fault in faults]
        raise SettingsError(
            f"{CONFIG_FILE} is {name}, which is not JSON with bucket_name, object_key and "
            f"local_path: {'; '.join(lines) or error}."
        ) from None
