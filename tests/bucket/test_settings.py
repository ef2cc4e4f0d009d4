"""The connection: where it is read, what is refused, what is never shown."""

import pytest

from bucket import Project, Settings
from bucket.errors import SettingsError

GOOD = {
    "OS_ENDPOINT_URL": "https://s3.example.org",
    "OS_BUCKET_NAME": "lab-data",
    "OS_ACCESS_KEY_ID": "key-id",
    "OS_SECRET_ACCESS_KEY": "very-secret",
}


def test_the_environment_wins_over_env(project: Project) -> None:
    project.env_file.write_text("".join(f"{name}={value}\n" for name, value in GOOD.items()))
    assert Settings.load(project, {}).bucket_name == "lab-data"
    assert Settings.load(project, {"OS_BUCKET_NAME": "other"}).bucket_name == "other"


def test_an_empty_variable_does_not_hide_env(project: Project) -> None:
    project.env_file.write_text("".join(f"{name}={value}\n" for name, value in GOOD.items()))
    assert Settings.load(project, {"OS_BUCKET_NAME": ""}).bucket_name == "lab-data"


@pytest.mark.parametrize("name", GOOD)
def test_a_missing_name_is_named(project: Project, name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.load(project, {key: value for key, value in GOOD.items() if key != name})


@pytest.mark.parametrize("name", ["OS_ACCESS_KEY_ID", "OS_SECRET_ACCESS_KEY"])
def test_a_placeholder_is_refused(project: Project, name: str) -> None:
    with pytest.raises(SettingsError, match=rf"{name} \(environment\) is not filled in"):
        Settings.load(project, GOOD | {name: "<your-key>"})


@pytest.mark.parametrize(
    "url",
    [
        "https://s3.your-institution.edu)",
        "s3.example.org",
        "ftp://s3.example.org",
        "https://s3.example.org/bucket",
        "https://s3.example.org:port",
        "https://s3.example.org:0",
        "https://user@s3.example.org",
        "https://",
        "http://[::1",
    ],
)
def test_a_malformed_endpoint_is_shown_with_its_setting(project: Project, url: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.load(project, GOOD | {"OS_ENDPOINT_URL": url})
    assert "OS_ENDPOINT_URL (environment)" in str(caught.value)
    assert repr(url) in str(caught.value)


@pytest.mark.parametrize("name", ["Lab_Data", "ab", "-lab", "lab/data", "x" * 64])
def test_an_impossible_bucket_is_shown_with_its_setting(project: Project, name: str) -> None:
    with pytest.raises(SettingsError, match="OS_BUCKET_NAME") as caught:
        Settings.load(project, GOOD | {"OS_BUCKET_NAME": name})
    assert repr(name) in str(caught.value)


def test_the_secret_is_never_shown(project: Project) -> None:
    settings = Settings.load(project, GOOD)
    shown = [repr(settings), str(settings), settings.model_dump_json(), f"{settings.model_dump()}"]
    for change in ({"OS_ENDPOINT_URL": "nonsense"}, {"OS_BUCKET_NAME": "B"}):
        with pytest.raises(SettingsError) as caught:
            Settings.load(project, GOOD | change)
        shown += [str(caught.value), repr(caught.value)]
    assert not [text for text in shown if GOOD["OS_SECRET_ACCESS_KEY"] in text]


def test_aws_programs_get_the_same_four_and_the_checksum_settings(project: Project) -> None:
    assert Settings.load(project, GOOD).aws_environment() == {
        "AWS_ACCESS_KEY_ID": "key-id",
        "AWS_SECRET_ACCESS_KEY": "very-secret",
        "AWS_ENDPOINT_URL": "https://s3.example.org",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",
        "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_required",
    }


@pytest.mark.parametrize(
    ("url", "embedded", "port"),
    [
        ("http://127.0.0.1:8333", True, 8333),
        ("http://localhost:9000/", True, 9000),
        ("https://127.0.0.1:9000", False, 9000),
        ("https://s3.example.org", False, 443),
        ("http://s3.example.org", False, 80),
        ("http://127.0.0.1.example.org", False, 80),
    ],
)
def test_only_plain_http_on_loopback_is_the_embedded_store(
    project: Project, url: str, embedded: bool, port: int
) -> None:
    settings = Settings.load(project, GOOD | {"OS_ENDPOINT_URL": url})
    assert (settings.is_embedded, settings.port) == (embedded, port)
