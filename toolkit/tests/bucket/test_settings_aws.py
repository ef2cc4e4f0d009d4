"""Where no OS_* name is set, an AWS set-up that is there serves in its place."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from dvc_bucket import Project, Settings
from dvc_bucket.base.errors import SettingsError
from dvc_bucket.connection.dvc_config import set_overrides
from dvc_bucket.connection.settings import others
from tests.bucket.settings_tools import AWS_PAIR, GOOD, aws_files, refusal, write

pytestmark = pytest.mark.usefixtures("home")


def elsewhere(project: Project) -> None:
    """DVC's remote is in a store that is not this machine's."""
    set_overrides(project, {"endpointurl": "https://s3.lab.example.org"})


def test_aws_names_alone_serve(project: Project) -> None:
    elsewhere(project)
    token = {"AWS_SESSION_TOKEN": "aws-hush-token"}  # pragma: allowlist secret
    found = Settings.load(project, AWS_PAIR | token)
    assert found.endpoint_url == "https://s3.lab.example.org"
    assert found.bucket_name == "research-data"
    assert found.access_key_id == "aws-id"  # pragma: allowlist secret
    assert found.session_token == SecretStr("aws-hush-token")
    write(project, AWS_PAIR)
    assert Settings.load(project, {}).access_key_id == "aws-id"


def test_a_token_is_taken_from_where_the_keys_are(project: Project) -> None:
    elsewhere(project)
    foreign = {"AWS_SESSION_TOKEN": "foreign-hush"}  # pragma: allowlist secret
    write(project, AWS_PAIR)
    assert Settings.load(project, foreign).session_token is None
    assert Settings.load(project, GOOD | foreign).session_token is None
    write(project, {"OS_SESSION_TOKEN": "of-former-days"})  # pragma: allowlist secret
    assert Settings.load(project, GOOD).session_token is None


@pytest.mark.parametrize(
    ("variables", "endpoint"),
    [
        (
            {"AWS_ENDPOINT_URL_S3": "https://a.example", "AWS_ENDPOINT_URL": "https://b.example"},
            "a",
        ),
        ({"AWS_ENDPOINT_URL": "https://b.example"}, "b"),
        ({"OS_ENDPOINT_URL": "https://c.example", "AWS_ENDPOINT_URL_S3": "https://a.example"}, "c"),
    ],
)
def test_the_endpoint_of_an_aws_set_up(
    project: Project, variables: dict[str, str], endpoint: str
) -> None:
    found = Settings.load(project, AWS_PAIR | variables)
    assert (found.endpoint_url, found.is_aws) == (f"https://{endpoint}.example", False)


def test_the_endpoint_of_a_profile(project: Project, tmp_path: Path) -> None:
    text = project.dvc_config.read_text()
    lines = [line for line in text.splitlines() if "endpointurl" not in line]
    project.dvc_config.write_text("\n".join(lines))
    config = (
        "[default]\nendpoint_url = https://default.example\n"
        "[profile lab]\nendpoint_url = https://lab.example\n"
        "[profile s3only]\nservices = mine\n"
        "[services mine]\ns3 =\n  endpoint_url = https://s3only.example\n"
    )
    files = aws_files(tmp_path, config)
    for profile, host in {"": "default", "lab": "lab", "s3only": "s3only"}.items():
        found = Settings.load(project, files | {"AWS_PROFILE": profile})
        assert (found.endpoint_url, found.is_aws) == (f"https://{host}.example", False)
    aws_itself = Settings.load(project, files | {"AWS_PROFILE": "other"})
    assert (aws_itself.is_aws, aws_itself.bucket_name) == (True, "research-data")
    (tmp_path / "AWS_CONFIG_FILE").write_text("hush = no section\n")
    assert refusal(project, files).endswith("is not a valid AWS configuration file. Correct it.")


def test_a_profile_leaves_the_credentials_to_the_aws_sdks(project: Project, tmp_path: Path) -> None:
    elsewhere(project)
    files = aws_files(tmp_path, credentials="[lab]\naws_access_key_id = of-the-profile\n")
    write(project, {"AWS_PROFILE": "lab"})
    for found in (Settings.load(project, {}), Settings.load(project, files)):
        assert (found.access_key_id, found.secret_access_key, found.region) == (None, None, None)
        assert found.profile == "lab"


def test_the_usual_aws_files_are_noticed(project: Project, home: Path) -> None:
    elsewhere(project)
    assert refusal(project, {}).startswith("OS_ENDPOINT_URL, OS_BUCKET_NAME, OS_ACCESS_KEY_ID, ")
    (home / ".aws").mkdir()
    (home / ".aws" / "credentials").write_text("[default]\n")
    assert Settings.load(project, {}).access_key_id is None


def test_on_aws_itself_a_role_of_the_machine_is_believed_in(project: Project) -> None:
    set_overrides(project, {"endpointurl": "https://s3.eu-central-1.amazonaws.com"})
    found = Settings.load(project, {})
    assert (found.access_key_id, found.secret_access_key, found.profile) == (None, None, None)
    assert found.endpoint_url == "https://s3.eu-central-1.amazonaws.com"


def test_the_embedded_store_is_not_sent_what_a_person_has_for_aws(
    project: Project, home: Path, tmp_path: Path
) -> None:
    (home / ".aws").mkdir()
    (home / ".aws" / "credentials").write_text("[default]\naws_access_key_id = x\n")
    files = aws_files(tmp_path, credentials="[default]\naws_access_key_id = x\n")
    for environment in ({}, files, {"AWS_PROFILE": "default"}, AWS_PAIR):
        assert "OS_ACCESS_KEY_ID" in refusal(project, environment)
    # But a server of the person's own may be named.
    own = AWS_PAIR | {"AWS_ENDPOINT_URL": "http://127.0.0.1:9000"}
    assert Settings.load(project, own).access_key_id == "aws-id"


def test_ours_win_over_the_aws_names(project: Project) -> None:
    foreign = {**AWS_PAIR, "AWS_ENDPOINT_URL": "https://aws.example", "AWS_SESSION_TOKEN": "t"}
    found = Settings.load(project, GOOD | foreign)
    assert (found.access_key_id, found.endpoint_url) == ("key-id-0123", "https://s3.example.org")
    write(project, GOOD)
    assert Settings.load(project, foreign) == found


@pytest.mark.parametrize(
    ("given", "lacking"),
    [
        (("OS_ACCESS_KEY_ID",), "OS_SECRET_ACCESS_KEY"),
        (("OS_SECRET_ACCESS_KEY",), "OS_ACCESS_KEY_ID"),
        (("OS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "OS_SECRET_ACCESS_KEY"),
        (("AWS_ACCESS_KEY_ID",), "AWS_SECRET_ACCESS_KEY"),
    ],
)
def test_half_a_pair_is_no_pair(project: Project, given: tuple[str, ...], lacking: str) -> None:
    elsewhere(project)
    every = GOOD | AWS_PAIR
    assert refusal(project, {name: every[name] for name in given}).startswith(f"{lacking}: not set")


def test_the_keys_of_another_project_go_to_the_endpoint_that_was_named_with_them(
    project: Project, tmp_path: Path
) -> None:
    sources = '"https://a.org/x" = { prefix = "X" }\n"https://a.org/y.git" = { profile = "y" }\n'
    sources += '"https://a.org/z" = { anonymous = true }\n'
    (project.root / "pyproject.toml").write_text(f"[tool.dvc-bucket.sources]\n{sources}")
    files = aws_files(tmp_path, "[profile y]\nendpoint_url = https://y.example.org\n")
    keys = {f"X_{name}": value for name, value in GOOD.items() if "BUCKET" not in name}
    write(project, GOOD | {"OS_ENDPOINT_URL": "https://own.example.org"} | keys)

    def found(url: str, endpoint: str) -> Settings | None:
        return others.named(project, url, "theirs", endpoint, files)

    by_prefix = found("https://a.org/x/", "https://evil.example.org")
    assert by_prefix
    assert (by_prefix.endpoint_url, by_prefix.bucket_name) == (GOOD["OS_ENDPOINT_URL"], "theirs")
    assert by_prefix.access_key_id == GOOD["OS_ACCESS_KEY_ID"]
    by_profile = found("https://a.org/y", "https://y.example.org")
    assert by_profile
    assert (by_profile.profile, by_profile.access_key_id) == ("y", None)
    with pytest.raises(SettingsError, match="Nothing was sent"):
        found("https://a.org/y", "https://evil.example.org")
    public = found("https://a.org/z", "https://z.example.org")
    assert public
    assert (public.anonymous, public.access_key_id) == (True, None)
    assert found("https://a.org/other", "https://own.example.org") is None
    write(project, GOOD)
    with pytest.raises(SettingsError, match=r"X_OS_ENDPOINT_URL, .*: not set"):
        found("https://a.org/x", "")
