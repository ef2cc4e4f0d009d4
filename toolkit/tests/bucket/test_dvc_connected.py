"""DVC is given the connection of the settings, whatever its configuration said before."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from configobj import ConfigObj

from dvc_bucket import Project, Settings
from dvc_bucket.base.errors import SettingsError
from dvc_bucket.connection import clients
from dvc_bucket.connection.dvc_config import set_overrides, with_options
from dvc_bucket.connection.env_file import create_env
from dvc_bucket.connection.overrides import point_dvc_at
from dvc_bucket.dvc.connected import environment, remote_prefix, run_dvc
from tests.bucket.store_tools import BUCKET, own_options, run, secret_of
from tests.doctor.weed import DOMAIN, Weed
from tests.projects import NAMES
from tests.stores.access import StoreAccess
from tests.stores.fixtures import access
from tests.stores.plain_front import PlainFront


@pytest.fixture
def settings(project: Project) -> Settings:
    create_env(project)
    return Settings.load(project)


def test_an_endpoint_of_former_days_is_taken_out(project: Project, settings: Settings) -> None:
    set_overrides(project, {"endpointurl": "http://127.0.0.1:9"})
    assert ConfigObj(str(project.dvc_config_local))
    assert run_dvc(["version"], project, settings) == 0
    assert own_options(project) == {}


def test_the_exit_status_is_that_of_dvc(project: Project, settings: Settings) -> None:
    assert run_dvc(["no-such-command"], project, settings) == 254
    assert run(project, "dvc", "--version").stdout.startswith("3.")
    assert run(project, "dvc", "no-such-command").returncode == 254


@pytest.mark.usefixtures("settings")
def test_options_are_handed_to_dvc(project: Project) -> None:
    assert "Data Version Control" in run(project, "dvc", "--help").stdout


def test_a_remote_in_another_bucket_is_named(project: Project, settings: Settings) -> None:
    assert remote_prefix(project, settings) == NAMES.prefix
    other = settings.model_copy(update={"bucket_name": "elsewhere"})
    with pytest.raises(SettingsError, match=r"OS_BUCKET_NAME is elsewhere.*s3://research-data/"):
        remote_prefix(project, other)


def test_stages_find_the_python_that_runs_dvc_and_secrets_stay_in_the_environment(
    project: Project, settings: Settings
) -> None:
    variables = environment(project, settings)
    assert variables["AWS_SECRET_ACCESS_KEY"] == secret_of(settings)
    assert variables["AWS_REQUEST_CHECKSUM_CALCULATION"] == "when_required"
    assert run(project, "dvc", "config", "core.remote").stdout.strip() == "storage"


@pytest.mark.usefixtures("settings")
def test_wrong_usage_exits_with_2_and_a_failure_with_1(project: Project) -> None:
    wrong = run(project, "serve", "--no-such-option")
    assert wrong.returncode == 2
    failed = run(project, "reproduce", OS_BUCKET_NAME="Not-A-Bucket")
    assert failed.returncode == 1
    assert failed.stderr.startswith("bucket: OS_BUCKET_NAME (environment) has 12 characters")
    assert "Traceback" not in wrong.stderr + failed.stderr


def test_dvc_gets_the_timeouts_and_loses_them_again(project: Project, settings: Settings) -> None:
    subprocess.run(["git", "init", "-q"], cwd=project.root, check=True)
    point_dvc_at(project, settings.model_copy(update={"connect_timeout": 3, "read_timeout": 600}))
    command = [str(BUCKET.with_name("dvc")), "config", "--list"]
    said = subprocess.run(command, cwd=project.root, capture_output=True, text=True, check=True)
    for line in ("connect_timeout=3", "read_timeout=600", f"endpointurl={settings.endpoint_url}"):
        assert f"remote.storage.{line}" in said.stdout.splitlines()
    point_dvc_at(project, settings)
    assert own_options(project) == {}


def test_on_aws_itself_dvc_has_the_endpoint_of_the_tracked_file_alone(
    project: Project, settings: Settings
) -> None:
    set_overrides(project, {"endpointurl": "https://of.former.days", "read_timeout": "5"})
    point_dvc_at(project, settings.model_copy(update={"is_aws": True}))
    assert own_options(project) == {}


def test_a_default_remote_elsewhere_gets_no_options_of_s3(
    project: Project, settings: Settings, tmp_path: Path
) -> None:
    """Plain DVC refuses them, and with them every command."""
    config = with_options(project.dvc_config.read_text(), {"url": str(tmp_path / "nas")})
    project.dvc_config.write_text(config)
    set_overrides(project, {"read_timeout": "5"})
    point_dvc_at(project, settings.model_copy(update={"endpoint_url": "https://other.example"}))
    assert own_options(project) == {}


# Real requests of DVC.


def with_data(project: Project) -> str:
    """Have a small file in DVC, and return its object's key."""
    subprocess.run(["git", "init", "-q"], cwd=project.root, check=True)
    content = b"content"
    md5 = hashlib.md5(content).hexdigest()
    (project.root / "x").write_bytes(content)
    (project.root / "x.dvc").write_text(
        f"outs:\n- md5: {md5}\n  size: {len(content)}\n  hash: md5\n  path: x\n"
    )
    cached = project.root / ".dvc/cache/files/md5" / md5[:2] / md5[2:]
    cached.parent.mkdir(parents=True)
    cached.write_bytes(content)
    return f"{NAMES.prefix}/files/md5/{md5[:2]}/{md5[2:]}"


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("module", ["dvc", "dvc_bucket.dvc.process"])
def test_dvc_follows_the_addressing_style(
    project: Project, weed: Weed, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    key = with_data(project)
    settings = weed.settings().model_copy(
        update={"endpoint_url": f"http://{DOMAIN}", "addressing_style": "virtual"}
    )
    point_dvc_at(project, settings)
    with PlainFront(weed.port) as proxy:  # no DNS knows the name
        monkeypatch.setenv("http_proxy", proxy.url)
        command = [sys.executable, "-m", module, "push", "-q"]
        subprocess.run(command, cwd=project.root, env=environment(project, settings), check=True)
        paths = {exchange.path.partition("?")[0] for exchange in proxy.exchanges}
    start = f"http://research-data.{DOMAIN}/"
    assert not [path for path in paths if not path.startswith(start)]
    assert f"{start}{key}" in paths
    clients.botocore(weed.settings()).delete_object(Bucket="research-data", Key=key)


def test_an_addressing_style_beside_a_persons_own_aws_file_is_refused(
    project: Project, settings: Settings
) -> None:
    of_aws = {"access_key_id": None, "secret_access_key": None, "addressing_style": "virtual"}
    with pytest.raises(SettingsError, match="OS_ADDRESSING_STYLE is set, but the credentials"):
        environment(project, settings.model_copy(update=of_aws))


def test_dvc_uses_a_profile_and_an_authority_of_env(
    request: pytest.FixtureRequest, project: Project, tmp_path: Path
) -> None:
    found: StoreAccess = access(request, "seaweed")
    (tmp_path / "credentials").write_text(
        f"[lab]\naws_access_key_id = {found.access_key_id}\n"
        f"aws_secret_access_key = {found.secret_access_key}\n"
    )
    project.env_file.write_text(
        f"OS_ENDPOINT_URL={found.endpoint_url}\nOS_BUCKET_NAME={found.bucket}\n"
        f"OS_CACERT={found.ca_bundle}\nAWS_PROFILE=lab\n"
    )
    key = with_data(project)
    aws = {"AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials")}
    pushed = run(project, "dvc", "push", "-q", **aws)
    assert (pushed.returncode, pushed.stderr) == (0, "")
    assert found.keys(key) == [key]
    found.client().delete_object(Bucket=found.bucket, Key=key)


def test_a_foreign_environment_does_not_reach_dvc(
    project: Project, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = {"AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_ENDPOINT_URL_S3", "AWS_DEFAULT_PROFILE"}
    for name in foreign:
        monkeypatch.setenv(name, "foreign")
    assert "foreign" not in environment(project, settings).values()
    own = {"access_key_id": None, "secret_access_key": None}
    told = environment(project, settings.model_copy(update=own))
    assert foreign <= told.keys()  # an AWS set-up is the person's own
    assert os.environ["AWS_PROFILE"] == "foreign"
