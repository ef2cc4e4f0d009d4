"""The remotes of other projects in a process that is DVC: reached with the keys that are for them.

DVC opens the repository that an import comes from, and takes all options of its remotes: a profile
of the person's, files that name programs, endpoints that the person's own keys would go to. Of an
S3 remote the options that say where the data is stay; the connection is that of `dvc.others`. Where
no keys are for the endpoint, requests are not signed.
"""

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dvc_bucket.base.errors import BucketError
from dvc_bucket.base.paths import Project
from dvc_bucket.connection import dvc_config
from dvc_bucket.connection.clients.shared import plain
from dvc_bucket.connection.settings.others import FIX
from dvc_bucket.dvc import others
from dvc_bucket.dvc.patched.channel import say_once
from dvc_bucket.git.contents import Repository

if TYPE_CHECKING:
    from dvc_bucket.connection.settings import Settings
    from dvc_bucket.dvc.patched.types import Repo

#: Options that say where the data is, and keys that the other project itself gives away.
KEYS = ("access_key_id", "secret_access_key", "session_token")
KEPT_OPTIONS = (
    "url",
    "endpointurl",
    "region",
    "version_aware",
    "worktree",
    dvc_config.ANONYMOUS,
    *KEYS,
)

#: The addresses of repositories, by the file system that DVC reads them through, which subprojects
#: of the same repository share.
_addresses: dict[int, tuple[Any, str]] = {}


def guarded(original: Any) -> Any:
    """In the place of `Repo.config`."""

    def config(repo: "Repo") -> Any:
        sections = original.__get__(repo, type(repo))
        if url := _address(repo):
            for name, options in sections["remote"].items():
                if str(options.get("url", "")).startswith("s3://"):
                    sections["remote"][name] = _reached(url, options)
        return sections

    place = functools.cached_property(config)
    place.attrname = "config"
    return place


def _address(repo: "Repo") -> str:
    """The address of the repository that a project is in; empty for our own."""
    if repo.url:
        _addresses[id(repo.fs)] = (repo.fs, str(repo.url))
        return str(repo.url)
    if cached := _addresses.get(id(repo.fs)):
        return cached[1]
    scm = getattr(repo, "_scm", None)
    root = Path(scm.root_dir if scm else repo.root_dir).resolve()
    own = _own_root()
    return "" if own is None or root.is_relative_to(own) else str(root)


@functools.cache
def _own_root() -> Path | None:
    here = Project.around()
    if here is None:
        return None
    try:
        return Repository.of(here).root.resolve()
    except BucketError:
        return here.root.resolve()


def _reached(url: str, stated: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a remote of another project, with the connection that is for it.

    Raises:
        DvcException: the keys that were named for it are not there.
    """
    from dvc.exceptions import DvcException

    here = Project.around()
    kept = {name: stated[name] for name in KEPT_OPTIONS if stated.get(name)}
    try:
        own = others.own_or_none(here) if here else None
        reached = others.reach(here, url, kept, own)
    except BucketError as error:
        say_once(str(error))  # DVC's fetch continues silently
        raise DvcException(str(error)) from None
    if reached is None and not all(map(kept.get, KEYS[:2])):
        shown, endpoint = others.shown(url), kept.get("endpointurl")
        say_once(
            f"{shown} keeps its data at {endpoint!r}. You named no keys for it, so requests are "
            f"not signed. If it refuses them, {FIX.format(shown)}"
        )
        return kept | {dvc_config.ANONYMOUS: True}
    if reached is None:
        return kept
    return {name: kept[name] for name in kept if name not in KEYS} | _options(reached)


def _options(settings: "Settings") -> dict[str, Any]:
    """The connection in DVC's options of a remote."""
    options = {
        "endpointurl": None if settings.is_aws else settings.endpoint_url,
        "region": settings.region,
        "access_key_id": settings.access_key_id,
        "secret_access_key": plain(settings.secret_access_key),
        "session_token": plain(settings.session_token),
        "profile": settings.profile,
        "ssl_verify": settings.ca_bundle,
        dvc_config.ANONYMOUS: settings.anonymous,
    }
    return {name: value for name, value in options.items() if value is not None}
