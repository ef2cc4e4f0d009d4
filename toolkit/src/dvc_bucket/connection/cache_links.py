"""How DVC brings files from its cache into the work tree: by copies or by links."""

import os

from dvc_bucket.base.paths import Project
from dvc_bucket.connection import dvc_config as config

#: How DVC may bring files from the cache where it runs as root. Root writes through hard links and
#: symbolic links into the cache, although its files are read-only.
ROOT_LINKS = ("reflink", "copy")


def protect_cache(project: Project) -> None:
    """Have `dvc` of root, plain `dvc` too, copy files from the cache and not link to them.

    A choice that `.dvc/config.local` makes already stays as it is; `bucket doctor` warns about it.

    Raises:
        ProjectError: one of the configuration files cannot be read.
    """
    overrides = config.read(project.dvc_config_local)
    is_chosen = "type" in overrides.get("cache", {})
    if os.geteuid() == 0 and not is_chosen and not set(link_types(project)) <= set(ROOT_LINKS):
        overrides.setdefault("cache", {})["type"] = ",".join(ROOT_LINKS)
        config.write(project.dvc_config_local, overrides)


def link_types(project: Project, *, tracked_only: bool = False) -> list[str]:
    """How DVC brings files from the cache, in the order in which it tries.

    Args:
        project: the clone.
        tracked_only: leave out what `.dvc/config.local` says for this clone.

    Raises:
        ProjectError: one of the configuration files cannot be read.
    """
    files = [project.dvc_config] if tracked_only else [project.dvc_config_local, project.dvc_config]
    chosen = (config.read(file).get("cache", {}).get("type") for file in files)
    types = next(filter(None, chosen), ROOT_LINKS)  # those are DVC's own default
    return [kind.strip() for kind in (types.split(",") if isinstance(types, str) else types)]
