"""The connection without keys, for data that anybody may read."""

import pytest

from dvc_bucket import Project, Settings
from dvc_bucket.base.errors import SettingsError
from tests.bucket.settings_tools import GOOD, refusal, write

pytestmark = pytest.mark.usefixtures("home")


def test_without_keys_none_is_read(project: Project) -> None:
    """OS_ANONYMOUS=1 wins over keys and profiles, in the environment and in `.env`."""
    write(project, GOOD | {"AWS_PROFILE": "own"})
    found = Settings.load(project, {"OS_ANONYMOUS": "1"})
    assert (found.anonymous, found.asks_aws, found.region) == (True, False, "us-east-1")
    assert (found.access_key_id, found.secret_access_key, found.profile) == (None, None, None)
    assert not Settings.load(project, {"OS_ANONYMOUS": "0"}).anonymous
    assert refusal(project, {"OS_ANONYMOUS": "yes"}) == (
        "OS_ANONYMOUS (environment) 'yes' is neither 1 nor 0. Write OS_ANONYMOUS=1."
    )
    with pytest.raises(SettingsError, match=r"A copy writes to the bucket, but .* anonymous"):
        found.check_may_write("A copy")


def test_without_keys_an_account_of_swift_is_an_endpoint(project: Project) -> None:
    account = GOOD | {"OS_ENDPOINT_URL": "https://swift.example.org/v1/AUTH_ab12/"}
    found = Settings.load(project, account | {"OS_ANONYMOUS": "1"})
    assert (found.endpoint_url, found.host) == (
        "https://swift.example.org/v1/AUTH_ab12",
        "swift.example.org",
    )
    assert found.is_swift_account
    assert "is not of the form" in refusal(project, account)
    other = {"OS_ENDPOINT_URL": "https://swift.example.org/v3", "OS_ANONYMOUS": "1"}
    assert "is not of the form" in refusal(project, GOOD | other)


def test_where_no_keys_are_set_both_ways_out_are_named(project: Project) -> None:
    environment = {name: GOOD[name] for name in ("OS_ENDPOINT_URL", "OS_BUCKET_NAME")}
    said = refusal(project, environment)
    assert said.startswith("OS_ACCESS_KEY_ID, OS_SECRET_ACCESS_KEY: not set")
    assert said.endswith("Public data needs no keys: set OS_ANONYMOUS=1.")
    assert "OS_ANONYMOUS" not in refusal(project, {})  # the embedded store is not public
