"""`.env` counts only if it is ours: written by us, for one clone, with the documented names."""

import os
import re
import shutil
from pathlib import Path

import pytest

from dvc_bucket import Project, Settings
from dvc_bucket.base.errors import SettingsError
from dvc_bucket.connection.settings.sources import DOCUMENTED, Sources
from tests.bucket.git_tools import Repo, make_repo
from tests.bucket.settings_tools import AWS_PAIR, GOOD, write
from tests.projects import make_project, text
from tests.safety.conftest import Stranger

pytestmark = pytest.mark.usefixtures("_bare_home")


@pytest.fixture
def _bare_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return make_repo(tmp_path / "clone")


def refused(project: Project, because: str) -> str:
    with pytest.raises(SettingsError, match=because) as caught:
        Settings.load(project)
    return str(caught.value)


@pytest.mark.parametrize("name", [".env", ".ENV"])
def test_an_env_that_git_tracks_is_not_read(repo: Repo, name: str) -> None:
    assert Settings.load(repo.project)
    repo.add(name, repo.project.env_file.read_text())
    message = refused(repo.project, re.escape("git tracks .env"))
    assert "git rm --cached .env" in message
    assert "revoke them" in message
    repo.git("rm", "--quiet", "--cached", name)
    assert Settings.load(repo.project)


def test_nor_one_of_a_project_below_the_root_of_its_repository(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "large", "analysis/tides")
    assert Settings.load(repo.project)
    repo.git("add", "--force", "analysis/tides/.env")
    repo.commit()
    refused(repo.project, "git tracks")


def test_a_committed_env_starts_no_program(repo: Repo) -> None:
    """The attack: a clone whose `.env` names an AWS file with a program in it."""
    ran = repo.root / "ran"
    repo.write("aws", f"[default]\ncredential_process = touch {ran}\n")
    repo.project.env_file.write_text(
        f"AWS_CONFIG_FILE={repo.root}/aws\nAWS_PROFILE=default\n"
        "OS_ENDPOINT_URL=http://127.0.0.1:9\nOS_BUCKET_NAME=research-data\n"
    )
    for _ in range(2):  # from a .zip it is not tracked, and then the name counts for nothing
        repo.bucket("ls", check=False)
        repo.bucket("pull", check=False)
        assert not ran.exists()
        repo.git("add", "--force", ".env")
    assert "git tracks .env" in repo.bucket("pull", check=False).stderr


def test_where_git_cannot_answer_nothing_is_read(repo: Repo) -> None:
    (repo.root / ".git" / "index").write_bytes(b"no index")
    assert "Make `git status` work here" in refused(repo.project, "git cannot tell")


def test_without_a_repository_an_own_env_serves(repo: Repo) -> None:
    shutil.rmtree(repo.root / ".git")
    assert Settings.load(repo.project)


def test_only_the_documented_names_are_read(tmp_path: Path) -> None:
    """Those that `.env.example` has, commented out or not."""
    assert set(re.findall(r"^#?([A-Z_]+)=", text(".env.example"), re.MULTILINE)) == DOCUMENTED
    project = make_project(tmp_path / "clone")
    others = {
        "AWS_CONFIG_FILE": "/theirs",
        "AWS_SHARED_CREDENTIALS_FILE": "/theirs",
        "AWS_ENDPOINT_URL_S3": "https://theirs.example",
        "AWS_DEFAULT_PROFILE": "theirs",
        "AWS_WEB_IDENTITY_TOKEN_FILE": "/theirs",
    }
    write(project, AWS_PAIR | others | {"AWS_ENDPOINT_URL": "https://ours.example"})
    assert not any(Sources(project, {}).find(name) for name in others)
    assert Settings.load(project, {}).endpoint_url == "https://ours.example"


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_an_env_that_others_can_write_is_not_read(tmp_path: Path, mode: int) -> None:
    project = make_project(tmp_path / "clone")
    write(project, GOOD)
    project.env_file.chmod(mode)
    assert "chmod 600 .env" in refused(project, "other users can change it")


@pytest.mark.parametrize("way", ["file", "link", "link to his file"])
def test_an_env_of_another_user_is_not_read(
    stranger: Stranger, open_folder: Path, way: str
) -> None:
    project = make_project(open_folder / "clone")
    project.root.chmod(0o777)
    (open_folder / "ours").write_text("OS_BUCKET_NAME=ours\n")
    his = "OS_ENDPOINT_URL=https://theirs.example\n"
    if way == "file":
        stranger.call(lambda: project.env_file.write_text(his))
    elif way == "link":
        stranger.call(lambda: project.env_file.symlink_to(open_folder / "ours"))
    else:
        stranger.call(lambda: (project.root / "his").write_text(his))
        project.env_file.symlink_to("his")
    refused(project, f"belongs to the user with the ID {stranger.uid}")


def test_a_link_of_ours_to_a_file_of_ours_is_read(tmp_path: Path) -> None:
    """As in the clone of a batch job."""
    project = make_project(tmp_path / "clone")
    write(project, GOOD)
    linked = make_project(tmp_path / "job")
    linked.env_file.symlink_to(project.env_file)
    assert Settings.load(linked, {}) == Settings.load(project, {})


# What else a hostile clone could bring.


@pytest.mark.parametrize("path", [".dvc/config.local", ".dvc/tmp/site/cache.db", ".bucket/x"])
def test_files_of_one_clone_are_not_taken_from_git(repo: Repo, path: str) -> None:
    repo.add(path, "theirs")
    name = next(name for name in (".dvc/config.local", ".dvc/tmp", ".bucket") if name in path)
    assert "git rm" in refused(repo.project, re.escape(f"git tracks {name}"))


@pytest.mark.parametrize("option", ["configpath", "credentialpath"])
def test_a_tracked_configuration_names_no_aws_file(repo: Repo, option: str) -> None:
    ran = repo.root / "ran"
    repo.write("aws", f"[default]\ncredential_process = touch {ran}\n")
    text = repo.project.dvc_config.read_text()
    options = f"    profile = default\n    {option} = {repo.root}/aws\n"
    repo.project.dvc_config.write_text(text + options)
    done = repo.bucket("pull", check=False)
    assert done.returncode == 1
    assert f".dvc/config, which git tracks, sets {option}" in done.stderr
    assert not ran.exists()
    repo.project.dvc_config.write_text(text)
    assert os.environ.get("AWS_CONFIG_FILE") is None


@pytest.mark.parametrize("line", ["CONFIGPATH = aws", "\x0cconfigpath = aws", '"ConfigPath" = aws'])
def test_nor_in_another_way_of_writing_it(repo: Repo, line: str) -> None:
    config = repo.project.dvc_config
    config.write_text(f"{config.read_text()}    {line}\n")
    assert "configpath FILE" in refused(repo.project, "sets configpath|sets C")


@pytest.mark.parametrize("way", ["link", "submodule"])
def test_a_folder_of_dvc_that_git_has_as_a_link_is_not_trusted(repo: Repo, way: str) -> None:
    """Git then tracks what belongs to one clone alone under another name, or in another place."""
    folder = repo.project.dvc_config.parent
    if way == "link":
        folder.rename(repo.root / "theirs")
        folder.symlink_to("theirs")
        repo.add("theirs/config.local", "")
        repo.git("add", "--force", ".dvc")
    else:
        repo.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},.dvc")
    refused(repo.project, "a link or a submodule in git")


def test_a_repository_that_lies_in_the_clone_does_not_answer_for_it(tmp_path: Path) -> None:
    """The attack: the project's folder has the files of a bare repository, with an empty index."""
    repo = make_repo(tmp_path / "large", "sub")
    root, ran = repo.project.root, tmp_path / "ran"
    repo.git("init", "--quiet", "--bare", str(root / "bare"))
    for name in ("HEAD", "objects", "refs"):
        (root / "bare" / name).rename(root / name)
    (root / "config").write_text(
        f"[core]\nrepositoryformatversion = 0\nbare = false\nworktree = .\n"
        f"fsmonitor = touch {ran}\n"
    )
    repo.git("add", "--force", "sub")
    refused(repo.project, "cannot use bare repository")
    Repo(root, repo.project).bucket("secrets", check=False)
    assert not ran.exists()


@pytest.mark.parametrize("path", [".dvc/config", ".dvc/config.local"])
def test_a_project_of_another_user_around_the_current_folder_is_refused(
    stranger: Stranger, open_folder: Path, path: str
) -> None:
    """The attack: somebody makes a project in /tmp, and we work below it without one of our own."""
    project = make_project(open_folder / "shared")
    (project.root / path).touch()
    os.chown(project.root / path, stranger.uid, stranger.gid)
    refused(project, f"{path} belongs to the user with the ID {stranger.uid}")
