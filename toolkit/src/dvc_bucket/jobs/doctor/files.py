"""The settings: there and right, private, and the same wherever they are named."""

import stat
from urllib.parse import urlsplit

from dotenv import dotenv_values

from dvc_bucket.base.files import PRIVATE
from dvc_bucket.connection import dvc_config as config
from dvc_bucket.connection import named_files as places
from dvc_bucket.connection.settings import REQUIRED, SWIFT_ACCOUNT, rules
from dvc_bucket.connection.settings.sources import ANONYMOUS, AWS_NAMES
from dvc_bucket.jobs.doctor.check import Check, Problem, Skip, Warn
from dvc_bucket.jobs.doctor.patient import Patient


class EnvPresent(Check):
    """Commands read endpoint, bucket and credentials from the environment, then from .env."""

    name = ".env present"
    fix = "Run `bucket init` for a store of your own, or `make serve` for the embedded store."

    @staticmethod
    def check(patient: Patient) -> str:
        """Look for the file, or for the names in the environment."""
        if patient.project.env_file.exists():
            return "there"
        if all(patient.sources.find(name).in_environment for name in REQUIRED):
            return "absent, but not needed: the environment sets all four names"
        if patient.sources.find(ANONYMOUS) or rules.allows_anonymous(patient.project):
            return "absent, but not needed: the data is read without keys"
        if patient.sources.find("AWS_PROFILE", "AWS_ACCESS_KEY_ID"):
            return "absent; your AWS configuration is used"
        raise Problem("there is no .env, and the environment does not set the four names")


class SettingsValid(Check):
    """A typing error here comes out as `Forbidden` or a timeout there."""

    name = "settings"
    fix = "Correct the line."
    requires = (EnvPresent,)

    @staticmethod
    def check(patient: Patient) -> str:
        """Load them; the error names file and line."""
        endpoint = patient.sources.find("OS_ENDPOINT_URL")
        path = urlsplit(endpoint.value).path if "[" not in endpoint.value else ""
        if SWIFT_ACCOUNT.fullmatch(path) and patient.sources.find(ANONYMOUS).value == "1":
            return patient.settings.where
        if "/AUTH_" in path or path.startswith("/v1"):
            raise Problem(
                f"{endpoint!r} is an address of OpenStack Swift's own API, which is not S3",
                "Ask for the address of the S3 API; it often is the same without /v1/AUTH_.... To "
                f"read public data without keys, keep it and set {ANONYMOUS}=1.",
            )
        if path.startswith(("/v2.0", "/v3", "/identity")):
            raise Problem(
                f"{endpoint!r} is the address of Keystone, OpenStack's login service",
                "Ask for the address of the object store's S3 API (`openstack catalog list`).",
            )
        return patient.settings.where


class EnvPrivate(Check):
    """On a cluster, other users read what has the usual permissions."""

    name = ".env private"
    fix = "`chmod 600 .env`"

    @staticmethod
    def check(patient: Patient) -> str:
        """Look at the permissions."""
        try:
            mode = stat.S_IMODE(patient.project.env_file.stat().st_mode)
        except FileNotFoundError:
            raise Skip("no .env") from None
        if mode & ~PRIVATE:
            raise Problem(f".env has the permissions {mode:04o}; other users can read it")
        return f"{mode:04o}"


class PlacesAgree(Check):
    """Where .dvc/config and .env disagree, `dvc` and `bucket` use different stores."""

    name = "named places"
    fix = "Run `bucket init`, which updates all of them."
    requires = (SettingsValid,)

    @staticmethod
    def check(patient: Patient) -> str:
        """Compare the tracked places with each other, then with the settings."""
        project, settings = patient.project, patient.settings
        named = places.named(project)
        first = next(iter(named))
        for file, place in named.items():
            for what in ("endpoint", "bucket", "prefix"):
                here, there = getattr(place, what), getattr(named[first], what)
                if here is not None and here != there:
                    raise Problem(f"{file} names the {what} {here}, {first} {there}")
        if who := config.of_whom(project):
            url = config.effective_remote(project).get("url", "")
            raise Warn(
                f"push and pull of this clone use the remote{who}, {url}, not the project's",
                "For the project's own: `dvc remote default --local --unset`; or remove "
                "core.remote from that file.",
            )
        bucket, prefix = config.address(project)
        if bucket != settings.bucket_name:
            raise Problem(
                f"the settings name the bucket {settings.bucket_name}, but DVC's remote names "
                f"{bucket}"
            )
        for_dvc = config.effective_remote(project).get("endpointurl", "")
        if for_dvc.rstrip("/") != settings.endpoint_url and not settings.is_aws:
            raise Problem(
                f"plain dvc uses {for_dvc or 'AWS'}, but the settings name {settings.endpoint_url}",
                "`bucket version` makes DVC use the settings in this clone, `bucket init` in "
                "every clone.",
            )
        return f"s3://{bucket}/{prefix} everywhere"


class SdkNamesFollow(Check):
    """`dotenv run -- dvc pull` and uv hand over what .env says; DVC reads the AWS names."""

    name = "AWS names in .env"
    fix = "Copy the AWS_* lines of .env.example into .env."
    requires = (SettingsValid,)

    @staticmethod
    def check(patient: Patient) -> str:
        """Compare the AWS names with ours."""
        values = dotenv_values(patient.project.env_file)  # none if there is no such file
        if not values.get("OS_ACCESS_KEY_ID"):
            raise Skip("no keys in .env")
        missing = [
            theirs
            for ours, theirs in AWS_NAMES.items()
            if values.get(ours) and values.get(theirs) != values[ours]
        ]
        if missing:
            raise Warn(f".env does not pass on {', '.join(missing)}, so plain dvc lacks it")
        return "all passed on"
