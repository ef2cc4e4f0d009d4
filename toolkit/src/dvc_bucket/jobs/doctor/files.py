"""The settings: there and right, private, and the same wherever they are named."""

import stat
from urllib.parse import urlsplit

from dotenv import dotenv_values

from dvc_bucket.base.files import PRIVATE
from dvc_bucket.connection import dvc_config as config
from dvc_bucket.connection import named_files as places
from dvc_bucket.connection.settings import REQUIRED
from dvc_bucket.jobs.doctor.check import Check, Problem, Skip, Warn
from dvc_bucket.jobs.doctor.patient import Patient


class EnvPresent(Check):
    """The connection is set somewhere."""

    name = ".env present"
    why = "Commands read endpoint, bucket and credentials from the environment, then from .env."
    fix = "Run `bucket init` for a store of your own, or `make serve` for the embedded one."

    @staticmethod
    def check(patient: Patient) -> str:
        """Look for the file, or for the names in the environment."""
        if patient.project.env_file.exists():
            return "there"
        if all(patient.sources.find(name).in_environment for name in REQUIRED):
            return "not there, and not needed: the environment sets all four names"
        if patient.sources.find("AWS_PROFILE", "AWS_ACCESS_KEY_ID"):
            return "not there; the AWS set-up serves"
        raise Problem("there is no .env, and the environment does not set the four names")


class SettingsValid(Check):
    """Every setting is there and can be right."""

    name = "settings"
    why = "A typing error here comes out as `Forbidden` or a timeout there."
    fix = "Correct the line."
    needs = (EnvPresent,)

    @staticmethod
    def check(patient: Patient) -> str:
        """Load them; the error names file and line."""
        endpoint = patient.sources.find("OS_ENDPOINT_URL")
        path = urlsplit(endpoint.value).path if "[" not in endpoint.value else ""
        if "/AUTH_" in path or path.startswith("/v1"):
            raise Problem(
                f"{endpoint!r} is an address of OpenStack Swift's own API, which is not S3",
                "Ask for the address of the S3 API; it often is the same without /v1/AUTH_...",
            )
        if path.startswith(("/v2.0", "/v3", "/identity")):
            raise Problem(
                f"{endpoint!r} is the address of Keystone, OpenStack's login service",
                "Ask for the address of the object store's S3 API (`openstack catalog list`).",
            )
        return patient.settings.where


class EnvPrivate(Check):
    """Nobody else reads `.env`."""

    name = ".env private"
    why = "On a cluster, other users read what has the usual permissions."
    fix = "chmod 600 .env"

    @staticmethod
    def check(patient: Patient) -> str:
        """Look at the permissions."""
        try:
            mode = stat.S_IMODE(patient.project.env_file.stat().st_mode)
        except FileNotFoundError:
            raise Skip("no .env") from None
        if mode & ~PRIVATE:
            raise Problem(f".env has the permissions {mode:04o}; others can read it")
        return f"{mode:04o}"


class PlacesAgree(Check):
    """The same endpoint and bucket wherever they are named."""

    name = "named places"
    why = "Where .dvc/config and .env disagree, `dvc` and `bucket` use different stores."
    fix = "Run `bucket init`, which writes them all."
    needs = (SettingsValid,)

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
        remote = config.effective_remote(project)
        bucket, prefix = config.address(project)
        if bucket != settings.bucket_name:
            raise Problem(
                f"the settings name the bucket {settings.bucket_name}, DVC's remote {bucket}"
            )
        for_dvc = remote.get("endpointurl", "")
        if for_dvc.rstrip("/") != settings.endpoint_url and not settings.is_aws:
            raise Problem(
                f"plain dvc goes to {for_dvc or 'AWS'}, the settings name {settings.endpoint_url}",
                "`bucket version` makes DVC follow the settings in this clone; `bucket init` "
                "in every clone.",
            )
        return f"s3://{bucket}/{prefix} everywhere"


class SdkNamesFollow(Check):
    """`.env` serves plain dvc too."""

    name = "AWS names in .env"
    why = "`dotenv run -- dvc pull` and uv hand over what .env says; DVC reads the AWS names."
    fix = "Copy the AWS_* lines of .env.example into .env."
    needs = (SettingsValid,)

    @staticmethod
    def check(patient: Patient) -> str:
        """Compare the AWS names with ours."""
        file = patient.project.env_file
        values = dotenv_values(file) if file.is_file() else {}
        if not values.get("OS_ACCESS_KEY_ID"):
            raise Skip("no keys in .env")
        pairs = {
            "AWS_ACCESS_KEY_ID": "OS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY": "OS_SECRET_ACCESS_KEY",
            "AWS_ENDPOINT_URL": "OS_ENDPOINT_URL",
            "AWS_DEFAULT_REGION": "OS_REGION",
            "AWS_CA_BUNDLE": "OS_CACERT",
            "AWS_SESSION_TOKEN": "OS_SESSION_TOKEN",
        }
        missing = [
            aws
            for aws, ours in pairs.items()
            if values.get(ours) and values.get(aws) != values[ours]
        ]
        if missing:
            raise Warn(f".env does not pass on {', '.join(missing)}: plain dvc will not have it")
        return "all passed on"


ALL = (EnvPresent, SettingsValid, EnvPrivate, PlacesAgree, SdkNamesFollow)
