"""The git-ignored part of DVC's configuration follows the settings; plain `dvc` reads it too."""

from dvc_bucket.base.paths import Project
from dvc_bucket.connection import dvc_config as config
from dvc_bucket.connection.settings import Settings


def point_dvc_at(project: Project, settings: Settings) -> None:
    """Have `dvc` commands of this clone, plain ones too, go where the settings say.

    DVC takes endpoint, region and timeouts from its own configuration first, so its git-ignored
    part gets what the settings say. Root's DVC is kept from linking to the cache.

    Raises:
        ProjectError: `.dvc/config` names no default remote, or cannot be read.
    """
    defaults = type(settings).model_fields
    has_region = "region" in config.default_remote(project)
    wanted = {
        "endpointurl": None if settings.is_aws else settings.endpoint_url,
        "region": settings.region if has_region else None,
    }
    for option in ("connect_timeout", "read_timeout"):
        value = getattr(settings, option)
        wanted[option] = None if value == defaults[option].default else str(value)
    config.set_overrides(project, wanted)
    config.protect_cache(project)
