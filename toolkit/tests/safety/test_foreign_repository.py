"""`open_dataset(repo=...)`: another repository says where its data is, and nothing else."""

import os
import pickle
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from dvc_bucket import Settings, open_dataset, open_file
from dvc_bucket.base.errors import BucketError, ProjectError, SettingsError
from dvc_bucket.connection.dvc_config import with_options
from dvc_bucket.read import foreign
from tests.bucket.git_tools import Repo, make_repo
from tests.clones import TOOLS, Clone
from tests.doctor.fronts import Middle, Reply, Request

pytestmark = pytest.mark.usefixtures("_nowhere")

OURS = {
    "OS_ENDPOINT_URL": "http://127.0.0.1:9",
    "OS_BUCKET_NAME": "research-data",
    "OS_ACCESS_KEY_ID": "our-key-id",  # pragma: allowlist secret
    "OS_SECRET_ACCESS_KEY": "our-secret-key",  # pragma: allowlist secret
    "OS_SESSION_TOKEN": "our-token",  # pragma: allowlist secret
}


class Evil:
    """A store that somebody else runs, and what it was sent."""

    def __init__(self) -> None:
        self.requests: list[Request] = []

    def answer(self, request: Request, _: object) -> Reply:
        self.requests.append(request)
        return Reply(404, {})


@pytest.fixture
def evil() -> Iterator[tuple[Evil, str]]:
    evil = Evil()
    with Middle(evil.answer) as server:
        yield evil, server.url


@pytest.fixture
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder in no project, and an environment that says nothing."""
    folder = tmp_path / "nowhere"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(folder))


def hostile(tmp_path: Path, **options: str | None) -> Repo:
    """A repository with one tracked file, whose remote has these options."""
    repo = make_repo(tmp_path / "hostile")
    text = with_options(repo.project.dvc_config.read_text(), options)
    repo.project.dvc_config.write_text(text)
    repo.project.env_file.unlink()
    out = "- md5: 53f09d61c2f3153be5f02feec3868e21\n  size: 8\n  hash: md5\n  path: codes.csv\n"
    repo.write("codes.csv.dvc", f"outs:\n{out}")  # as `dvc add` writes it
    repo.git("add", ".")
    repo.commit()
    return repo


#: The same, of an AWS set-up that names no endpoint.
OURS_OF_AWS = {name.replace("OS_", "AWS_"): OURS[name] for name in list(OURS)[2:]}


@pytest.mark.parametrize("keys", [OURS, OURS_OF_AWS])
def test_our_keys_do_not_go_to_the_endpoint_that_it_names(
    tmp_path: Path,
    evil: tuple[Evil, str],
    monkeypatch: pytest.MonkeyPatch,
    keys: dict[str, str],
) -> None:
    store, url = evil
    repo = hostile(tmp_path, endpointurl=url, url="s3://research-data/theirs")
    for name, value in keys.items():
        monkeypatch.setenv(name, value)
    for read in (open_dataset, open_file):
        with pytest.raises(SettingsError, match="Nothing was sent") as caught:
            read("codes.csv", repo=str(repo.root))
        assert url in str(caught.value)
        assert "OS_ENDPOINT_URL" in str(caught.value)
    assert store.requests == []


def test_they_go_there_on_the_callers_word(
    tmp_path: Path, evil: tuple[Evil, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, url = evil
    repo = hostile(tmp_path, endpointurl=url, url="s3://research-data/theirs")
    for name, value in (OURS | {"OS_ENDPOINT_URL": url}).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(BucketError, match="not"):
        open_file("codes.csv", repo=str(repo.root)).read()
    settings = Settings.load(foreign.clone(str(repo.root)))
    assert store.requests != []
    store.requests.clear()
    monkeypatch.setenv("OS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises((BucketError, OSError)):
        open_file("codes.csv", repo=str(repo.root), settings=settings).read()
    assert {request.path.split("/")[1] for request in store.requests} == {"research-data"}


def test_its_own_env_and_settings_are_not_read(tmp_path: Path, evil: tuple[Evil, str]) -> None:
    """Committed, they would have the AWS SDKs start a program."""
    store, url = evil
    ran, aws = tmp_path / "ran", tmp_path / "aws"
    aws.write_text(f"[default]\ncredential_process = touch {ran}\n")
    repo = hostile(tmp_path, configpath=str(aws), profile="default", endpointurl=url)
    lines = [f"OS_ENDPOINT_URL={url}", f"AWS_CONFIG_FILE={aws}", "AWS_PROFILE=default"]
    repo.add(".env", "\n".join([*lines, "OS_BUCKET_NAME=research-data", ""]))
    repo.add(".dvc/config.local", repo.project.dvc_config.read_text())
    repo.commit()
    with pytest.raises(SettingsError):
        open_dataset("codes.csv", repo=str(repo.root))
    assert not ran.exists()
    assert store.requests == []
    assert "AWS_CONFIG_FILE" not in os.environ
    clone = foreign.clone(str(repo.root))
    assert sorted(path.name for path in clone.dvc_config.parent.iterdir()) in (
        ["config"],
        ["config", "tmp"],  # DVC's own, made again
    )
    assert not clone.env_file.exists()


def test_an_import_sends_nothing_of_ours_to_the_endpoint_that_it_names(
    tmp_path: Path, evil: tuple[Evil, str]
) -> None:
    """`bucket pull` asks there without keys; what it could start or read here is left out."""
    store, url = evil
    ran, aws = tmp_path / "ran", tmp_path / "aws"
    aws.write_text(f"[profile own]\ncredential_process = touch {ran}\n")
    files = {"configpath": str(aws), "credentialpath": str(aws), "profile": "own"}
    theirs = hostile(tmp_path, endpointurl=url, url="s3://research-data/theirs", **files)
    ours = make_repo(tmp_path / "ours")
    ours.write(
        "codes.csv.dvc",
        f"frozen: true\ndeps:\n- path: codes.csv\n  repo:\n    url: {theirs.root}\n"
        f"    rev_lock: {theirs.git('rev-parse', 'HEAD').stdout.strip()}\n"
        "outs:\n- md5: 53f09d61c2f3153be5f02feec3868e21\n  size: 8\n  hash: md5\n"
        "  path: codes.csv\n",
    )
    ours.add(".dvcignore", "")
    ours.commit()
    inherited = {name: value for name, value in os.environ.items() if "AWS" not in name}
    clone = Clone(ours.root, inherited | OURS)
    pulled = clone.run(TOOLS / "bucket", "pull", check=False)
    assert pulled.returncode != 0
    assert store.requests != []
    told = [str(dict(request.headers)).lower() for request in store.requests]
    assert not [words for words in told if "authorization" in words or "our-" in words]
    read = clone.run(TOOLS / "bucket", "cat", "codes.csv", check=False)
    assert "Nothing was sent" in read.stderr
    assert f'"{theirs.root}" = {{ prefix = "OTHER" }}' in read.stderr
    assert not ran.exists()


class Payload:
    """Runs when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.path),)


def test_a_committed_database_of_dvc_is_not_loaded(tmp_path: Path) -> None:
    repo = hostile(tmp_path)
    ran = tmp_path / "ran"
    repo.add(".dvc/tmp/site/theirs.pickle", pickle.dumps(Payload(ran)))
    repo.commit()
    assert not (foreign.clone(str(repo.root)).root / ".dvc" / "tmp").exists()
    assert not ran.exists()


def test_a_dvc_folder_that_is_a_link_is_left_alone(tmp_path: Path) -> None:
    """What is removed from a clone is never removed from where a link leads."""
    repo = hostile(tmp_path)
    target = tmp_path / "ours"
    target.mkdir()
    for name in ("config", "precious"):
        (target / name).write_text("[core]\n")
    repo.git("rm", "-r", "--quiet", ".dvc")
    shutil.rmtree(repo.root / ".dvc", ignore_errors=True)
    (repo.root / ".dvc").symlink_to(target)
    repo.git("add", ".dvc")
    repo.commit()
    with pytest.raises(ProjectError, match=r"no \.dvc/config"):
        foreign.clone(str(repo.root))
    assert (target / "precious").read_text() == "[core]\n"


@pytest.mark.parametrize("bucket", ["theirs.example\\", "theirs.example:80", "id@theirs.example"])
def test_a_bucket_that_would_be_another_host_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bucket: str
) -> None:
    repo = hostile(tmp_path, url=f"s3://{bucket}/x", endpointurl=None)
    for name, value in OURS.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ProjectError, match="invalid bucket"):
        open_dataset("codes.csv", repo=str(repo.root))
