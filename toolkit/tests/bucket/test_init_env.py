"""What `bucket init` makes of `.env`, and what it says of the environment and of the store."""

import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from dotenv import dotenv_values

from dvc_bucket import Project, Settings
from dvc_bucket.base import ports
from dvc_bucket.base.errors import SettingsError
from dvc_bucket.connection import env_file
from dvc_bucket.connection import named_files as places
from dvc_bucket.connection.dvc_config import effective_remote
from dvc_bucket.connection.named_files import Names
from dvc_bucket.connection.overrides import point_dvc_at
from dvc_bucket.jobs import init
from tests.bucket.init_tools import NEW, copy_places
from tests.bucket.store_tools import files, run, secret_of
from tests.projects import NAMES
from tests.stores.access import StoreAccess
from tests.stores.tls import Authority

KEYS = {"OS_ACCESS_KEY_ID": "key", "OS_SECRET_ACCESS_KEY": "secret"}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return copy_places(tmp_path / "clone")


@pytest.fixture
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)


def in_a_shell(project: Project, name: str) -> str:
    """What a shell makes of a line of `.env`."""
    return subprocess.run(
        ["sh", "-c", f'set -a; . ./.env; printf %s "${name}"'],
        cwd=project.root,
        env={},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


OWN = """\
# mine
export OS_ENDPOINT_URL='https://old.example.org'  # the old one
MINE=1
OS_BUCKET_NAME=old
OS_ACCESS_KEY_ID=old-key
#OS_CACERT=/etc/old.pem
OS_SECRET_ACCESS_KEY=old-secret

AWS_ENDPOINT_URL=${OS_ENDPOINT_URL}
PASSWORD="of something else"
"""


@pytest.mark.usefixtures("_keys")
def test_lines_comments_and_order_of_an_env_stay(project: Project) -> None:
    project.env_file.write_text(OWN)
    project.env_file.chmod(0o644)
    init.run(project, NEW, yes=True)
    assert (
        project.env_file.read_text()
        == """\
# mine
export OS_ENDPOINT_URL=https://127.0.0.1:1
MINE=1
OS_BUCKET_NAME=lab-data
OS_ACCESS_KEY_ID=key
#OS_CACERT=/etc/old.pem
OS_SECRET_ACCESS_KEY=secret

AWS_ENDPOINT_URL=${OS_ENDPOINT_URL}
PASSWORD="of something else"
OS_REGION=eu-north-1
AWS_DEFAULT_REGION=${OS_REGION}
"""
    )
    assert stat.S_IMODE(project.env_file.stat().st_mode) == 0o600
    assert in_a_shell(project, "AWS_DEFAULT_REGION") == "eu-north-1"


@pytest.mark.usefixtures("_keys")
@pytest.mark.parametrize("how", ["option", "environment"])
def test_a_certificate_authority_takes_its_lines(
    project: Project, authority: Authority, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    file = project.root / "an authority.pem"
    shutil.copy(authority.bundle, file)
    monkeypatch.chdir(project.root)
    if how == "environment":
        monkeypatch.setenv("OS_CACERT", str(file))
    init.run(project, NEW, cacert=file.name if how == "option" else None, yes=True)
    text = project.env_file.read_text()
    assert f"\nOS_CACERT='{file}'\n" in text
    assert "\nAWS_CA_BUNDLE=${OS_CACERT}\n" in text
    assert text.count("\n") == project.env_example.read_text().count("\n")
    assert in_a_shell(project, "AWS_CA_BUNDLE") == str(file)
    assert dotenv_values(project.env_file)["AWS_CA_BUNDLE"] == str(file)
    # It is this machine's: no tracked file names it.
    assert [n for n, text in files(project.root).items() if b"an authority" in text] == [".env"]


def test_an_authority_that_is_no_file_is_refused(project: Project) -> None:
    before = files(project.root)
    with pytest.raises(SettingsError, match=r"OS_CACERT \(answer\) names .*nowhere.pem"):
        init.run(project, NEW, cacert="nowhere.pem", yes=True)
    assert files(project.root) == before


def test_a_session_token_goes_with_the_keys_that_it_belongs_to(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for token, name in (("first-token", "first"), (None, "second")):
        monkeypatch.setenv("OS_ACCESS_KEY_ID", name)
        monkeypatch.setenv("OS_SECRET_ACCESS_KEY", f"{name}-secret")
        if token:
            monkeypatch.setenv("OS_SESSION_TOKEN", token)
        else:
            monkeypatch.delenv("OS_SESSION_TOKEN")
        init.run(project, NEW, yes=True)
        settings = Settings.load(project, {})
        assert settings.access_key_id == name
        found = settings.session_token.get_secret_value() if settings.session_token else None
        assert found == token
        assert in_a_shell(project, "AWS_SESSION_TOKEN") == (token or "")
    assert "first-token" not in project.env_file.read_text()


def test_keys_of_another_store_stay_and_drawn_ones_do_not(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    env_file.create_env(project)
    drawn = Settings.load(project, {})
    init.run(project, Names(endpoint="https://127.0.0.1:1"), yes=True)
    values = dotenv_values(project.env_file)
    assert values["OS_ACCESS_KEY_ID"] == "<your-access-key>"
    assert secret_of(drawn) not in project.env_file.read_text()
    text = project.env_file.read_text().replace("<your-access-key>", "key")
    project.env_file.write_text(text.replace("<your-secret-key>", "secret"))
    capsys.readouterr()
    init.run(project, Names(endpoint="https://127.0.0.1:2"), yes=True)
    assert "will change: OS_ENDPOINT_URL. The keys stay." in capsys.readouterr().out
    assert secret_of(Settings.load(project, {})) == "secret"


def test_back_to_the_embedded_store(new_project: Callable[[], Project]) -> None:
    project = new_project()  # stops the store at the end
    endpoint = f"http://127.0.0.1:{ports.free_ports(1)[0]}"
    copy_places(project.root, NEW)
    init.run(project, Names(), yes=True)
    assert dotenv_values(project.env_file)["OS_ACCESS_KEY_ID"] == "<your-access-key>"
    done = run(project, "init", "--endpoint", endpoint, "--bucket", "mine", "--yes", "--no-doctor")
    assert done.returncode == 0
    assert places.current(project).endpoint == endpoint
    served = run(project, "serve")
    assert f"ready at {endpoint}, bucket mine" in served.stdout
    before = files(project.root)
    assert run(project, "init", "--no-doctor").returncode == 0
    assert files(project.root) == before


@pytest.mark.usefixtures("_keys")
def test_plain_dvc_signs_for_the_region_of_the_settings(project: Project) -> None:
    init.run(project, NEW, yes=True)
    assert effective_remote(project)["region"] == "eu-north-1"
    settings = Settings.load(project, {"OS_REGION": "eu-west-3"})
    point_dvc_at(project, settings)
    assert effective_remote(project)["region"] == "eu-west-3"
    init.run(project, Names(region="us-east-1"), yes=True)
    assert "region" not in effective_remote(project)


def test_a_port_that_this_clone_had_to_take_stays(project: Project) -> None:
    env_file.create_env(project)
    env_file.set_endpoint(project, "http://127.0.0.1:18333")
    init.run(project, Names(bucket="mine"), yes=True)
    assert Settings.load(project, {}).endpoint_url == "http://127.0.0.1:18333"
    assert places.current(project).endpoint == NAMES.endpoint
    init.run(project, Names(endpoint="http://127.0.0.1:28333"), yes=True)
    assert Settings.load(project, {}).endpoint_url == "http://127.0.0.1:28333"


@pytest.mark.usefixtures("_keys")
def test_an_environment_that_says_otherwise_is_named(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OS_ENDPOINT_URL", f"{NEW.endpoint}/")  # the same
    monkeypatch.setenv("OS_REGION", "")
    init.run(project, NEW, yes=True)
    assert "Note" not in capsys.readouterr().out
    monkeypatch.setenv("OS_BUCKET_NAME", "other")
    init.run(project, NEW, yes=True)
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Note")]
    assert lines == [
        "Note: the environment sets OS_BUCKET_NAME to other values and overrides .env. "
        "To use the values written here: unset OS_BUCKET_NAME"
    ]


def test_a_prefix_with_objects_of_somebody_is_named_before_it_is_taken(
    project: Project,
    remote_store: StoreAccess,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in remote_store.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("OS_BUCKET_NAME")
    client = remote_store.client()
    client.put_object(Bucket=remote_store.bucket, Key="theirs-too/files/md5/aa/bb", Body=b"x")

    def told(prefix: str) -> bool:
        given = Names("tides", remote_store.endpoint_url, remote_store.bucket, prefix, "us-east-1")
        init.run(project, given, yes=True)
        return "already contains objects" in capsys.readouterr().out

    assert not told("theirs")  # not theirs-too
    assert told("theirs-too")
    assert not told("theirs-too")  # ours by now
