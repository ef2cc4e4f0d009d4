"""DVC is given the connection of the settings, whatever its configuration said before."""

import pytest
from configobj import ConfigObj

from bucket import Project, Settings
from bucket.dvc_remote import environment, remote_prefix, run_dvc
from bucket.env_file import create_env, point_dvc_at
from bucket.errors import SettingsError
from tests.bucket.store_tools import run


@pytest.fixture
def settings(project: Project) -> Settings:
    create_env(project)
    return Settings.load(project)


def test_an_endpoint_of_former_days_is_taken_out(project: Project, settings: Settings) -> None:
    point_dvc_at(project, "http://127.0.0.1:9")
    assert ConfigObj(str(project.dvc_config_local))
    assert run_dvc(["version"], project, settings) == 0
    assert not project.dvc_config_local.exists()


def test_the_exit_status_is_that_of_dvc(project: Project, settings: Settings) -> None:
    lines: list[str] = []
    assert run_dvc(["no-such-command"], project, settings, on_line=lines.append) == 254
    assert run(project, "dvc", "--version").stdout.startswith("3.")
    assert run(project, "dvc", "no-such-command").returncode == 254


@pytest.mark.usefixtures("settings")
def test_options_are_handed_to_dvc(project: Project) -> None:
    assert "Data Version Control" in run(project, "dvc", "--help").stdout


def test_a_remote_in_another_bucket_is_named(project: Project, settings: Settings) -> None:
    assert remote_prefix(project, settings) == "flight-delays"
    other = settings.model_copy(update={"bucket_name": "elsewhere"})
    with pytest.raises(SettingsError, match=r"OS_BUCKET_NAME is elsewhere.*s3://research-data/"):
        remote_prefix(project, other)


def test_stages_find_the_python_that_runs_dvc_and_secrets_stay_in_the_environment(
    project: Project, settings: Settings
) -> None:
    variables = environment(project, settings)
    assert variables["AWS_SECRET_ACCESS_KEY"] == settings.secret_access_key.get_secret_value()
    assert variables["AWS_REQUEST_CHECKSUM_CALCULATION"] == "when_required"
    assert run(project, "dvc", "config", "core.remote").stdout.strip() == "storage"


@pytest.mark.usefixtures("settings")
def test_wrong_usage_exits_with_2_and_a_failure_with_1(project: Project) -> None:
    wrong = run(project, "serve", "--no-such-option")
    assert wrong.returncode == 2
    failed = run(project, "reproduce", OS_BUCKET_NAME="Not A Bucket")
    assert failed.returncode == 1
    assert failed.stderr.startswith("bucket: OS_BUCKET_NAME (environment) 'Not A Bucket' is not a")
    assert "Traceback" not in wrong.stderr + failed.stderr
