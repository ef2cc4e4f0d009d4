"""The git-ignored part of DVC's configuration follows the settings; plain `dvc` reads it too."""

from dvc_bucket.base.errors import ProjectError
from dvc_bucket.base.paths import CONFIG, Project
from dvc_bucket.connection import cache_links
from dvc_bucket.connection import dvc_config as config
from dvc_bucket.connection.settings import Settings, is_embedded
from dvc_bucket.git.contents import ended

#: Commits that changed `.dvc/config` and are looked at, the newest first.
MAX_COMMITS = 50

#: Options of a remote in S3 that the settings can replace.
TIMEOUTS = ("connect_timeout", "read_timeout")
S3_OPTIONS = ("endpointurl", "region", config.ANONYMOUS, *TIMEOUTS)


def point_dvc_at(project: Project, settings: Settings) -> None:
    """Have `dvc` commands of this clone, plain ones too, go where the settings say.

    DVC takes endpoint, region and timeouts from its own configuration first, so its git-ignored
    part gets what the settings say. Root's DVC is kept from linking to the cache.

    A default remote that is not in S3 gets no such options: DVC would refuse its configuration.

    A default remote of the person's own choice (`dvc remote default --local`) stays as it is.

    A commit from before the project left the embedded store names that one. There the git-ignored
    part names the remote that the data was moved to.

    Raises:
        ProjectError: `.dvc/config` names no default remote, or cannot be read.
    """
    cache_links.protect_cache(project)
    if not config.is_of_project(project):
        return
    defaults = type(settings).model_fields
    tracked = config.default_remote(project)
    if not str(tracked.get("url", "")).startswith("s3://"):
        config.set_overrides(project, dict.fromkeys(S3_OPTIONS))
        return
    wanted: dict[str, str | None] = {
        "endpointurl": None if settings.is_aws else settings.endpoint_url,
        "region": settings.region if "region" in tracked else None,
    }
    is_public = config.is_true(tracked.get(config.ANONYMOUS))
    is_same = is_public == settings.anonymous  # else keys win over what the remote allows
    wanted[config.ANONYMOUS] = None if is_same else str(settings.anonymous).lower()
    for option in TIMEOUTS:
        value = getattr(settings, option)
        wanted[option] = None if value == defaults[option].default else str(value)
    if is_embedded(str(tracked.get("endpointurl", ""))) and not settings.is_embedded:
        if url := _moved_to(project, settings):
            wanted["url"] = url
    elif config.effective_remote(project).get("url") == tracked.get("url"):
        wanted["url"] = None  # of the commit before
    config.set_overrides(project, wanted)


def _moved_to(project: Project, settings: Settings) -> str | None:
    """The remote's URL in the newest commit that names the store of the settings."""
    log = ("log", "--all", f"--max-count={MAX_COMMITS}", "--format=%H", "--", CONFIG)
    for commit in ended(project.root, *log).stdout.decode().split():
        text = ended(project.root, "show", f"{commit}:./{CONFIG}").stdout
        try:
            remote = config.remote_of(text.decode(errors="replace"))
            url = str(remote.get("url", ""))
            is_there = config.split(url)[0] == settings.bucket_name
        except ProjectError:
            continue
        if is_there and remote.get("endpointurl", "") == settings.endpoint_url:
            return url
    return None
