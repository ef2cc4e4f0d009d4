"""The connection to the bucket of another project: with keys that a person named for it.

`[tool.dvc-bucket.sources]` says whose keys open the data of a repository. The keys themselves, and
the endpoint that they are for, are variables with a prefix, or the person's own AWS files: a file
in git can send no key to an endpoint that the person did not name with it.
"""

from collections.abc import Mapping
from pathlib import Path

from dvc_bucket.base import project_settings
from dvc_bucket.base.errors import SettingsError
from dvc_bucket.base.paths import Project
from dvc_bucket.base.project_settings import WHERE, OtherProject
from dvc_bucket.connection.settings import NAMES, REQUIRED, Settings, credentials, rules
from dvc_bucket.connection.settings.sources import Found, Sources

#: What a prefix has to say; the bucket is in the repository's own configuration.
NEEDED = (REQUIRED[0], *REQUIRED[2:])

#: How to say whose keys are to be used.
FIX = (
    f'name the keys for it: `"{{}}" = {{{{ prefix = "OTHER" }}}}` in {WHERE[:-1]}.sources], '
    "and OTHER_OS_ENDPOINT_URL, OTHER_OS_ACCESS_KEY_ID and OTHER_OS_SECRET_ACCESS_KEY in .env "
    "(docs/reading.md, Data of other projects)."
)


def named(
    project: Project,
    url: str,
    bucket: str,
    endpoint: str,
    environment: Mapping[str, str] | None = None,
) -> Settings | None:
    """The connection that a project names for another one; None if it names none.

    Args:
        project: our own clone.
        url: of the other repository.
        bucket: of the other project's remote.
        endpoint: of that remote, as the repository has it; empty for AWS.
        environment: instead of the process's.

    Raises:
        SettingsError: the keys that it names are not there, or the bucket's name cannot be one.
        ProjectError: `pyproject.toml` cannot be read.
    """
    listed = project_settings.of(project).sources
    source = next((listed[one] for one in listed if same(one, url)), None)
    if source is None:
        return None
    sources = Sources(project, environment)
    entries = {field: Found(names[0]) for field, names in NAMES.items()}
    entries["bucket_name"] = Found("url", bucket, f"the remote of {url}")
    if source.prefix:
        _by_prefix(entries, sources, source.prefix, url)
    elif source.profile:
        _by_profile(entries, sources, source, endpoint, url)
    else:
        return public(url, bucket, endpoint)
    return Settings.checked(entries)


def public(url: str, bucket: str, endpoint: str) -> Settings:
    """The connection without keys to a bucket of another project; arguments as of `named`.

    Raises:
        SettingsError: bucket or endpoint cannot be one.
    """
    entries = {field: Found(names[0]) for field, names in NAMES.items()}
    entries["bucket_name"] = Found("url", bucket, f"the remote of {url}")
    entries["anonymous"] = Found("anonymous", "1", WHERE)
    entries["endpoint_url"] = Found("endpointurl", endpoint, f"the remote of {url}")
    return Settings.checked(entries)


def same(one: str, other: str) -> bool:
    """Whether two addresses are those of one repository."""
    return _plain(one) == _plain(other)


def _plain(url: str) -> str:
    path = Path(url)
    return str(path.resolve()) if path.is_dir() else url.rstrip("/").removesuffix(".git")


def _by_prefix(entries: dict[str, Found], sources: Sources, prefix: str, url: str) -> None:
    """Take what the variables with the prefix say.

    Raises:
        SettingsError: one that is needed is not set.
    """
    for field, names in NAMES.items():
        if names[0].startswith("OS_") and field not in {"bucket_name", "anonymous"}:
            entries[field] = sources.find(f"{prefix}_{names[0]}")
    wanted = [f"{prefix}_{name}" for name in NEEDED]
    if absent := [name for name in wanted if not sources.find(name)]:
        raise SettingsError(
            f"{', '.join(absent)}: not set in the environment or in .env. {WHERE} names them for "
            f"the data of {url}."
        )
    credentials.refuse_mixed_up(entries)


def _by_profile(
    entries: dict[str, Found], sources: Sources, source: OtherProject, endpoint: str, url: str
) -> None:
    """Take a profile, whose keys go to its own endpoint only.

    Raises:
        SettingsError: the repository names another endpoint.
    """
    own = rules.profile_endpoint(sources, source.profile)
    is_aws = not own and (not endpoint or endpoint.endswith(".amazonaws.com"))
    if not is_aws and own.value.rstrip("/") != endpoint:
        raise SettingsError(
            f"{url} keeps its data at {endpoint!r}, but the profile {source.profile} is for "
            f"{own.value or 'AWS'}. Nothing was sent. If you trust that endpoint, set it as "
            "endpoint_url of the profile in ~/.aws/config."
        )
    entries["profile"] = Found("profile", source.profile, WHERE)
    entries["endpoint_url"] = own
