"""A project's life on a store elsewhere, over TLS, with the real `dvc` and both ways to it."""

import os
import re
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from dvc_bucket.base.files import private_folder, write_private
from tests.clones import TOOLS, Clone
from tests.end_to_end.clones import REPOSITORY
from tests.stores.access import StoreAccess
from tests.stores.fixtures import access

#: The two ways to DVC that the README gives first; nothing but `.env` says where the store is.
BUCKET = (TOOLS / "bucket", "dvc")
DOTENV = (TOOLS / "dotenv", "run", "--", "dvc")

PIPELINE = """\
stages:
  whole:
    cmd: cat parts/* table.csv > whole.bin
    deps: [parts, table.csv]
    outs: [whole.bin]
"""

IGNORED = "/.env\n/.dvc/config.local\n/.dvc/tmp\n/.dvc/cache\n"


@dataclass(frozen=True)
class Life:
    """What was seen in a project's life: files by name, and keys in the store."""

    added: dict[str, bytes]
    pushed: Sequence[str]
    status: str
    pulled: dict[str, bytes]
    clone_is_the_same: bool
    pushed_at_last: Sequence[str]


def env_text(store: StoreAccess) -> str:
    """`.env.example` as a person fills it in for a store whose certificate needs a bundle."""
    text = (REPOSITORY / ".env.example").read_text()
    for name, value in {**store.env, "AWS_CA_BUNDLE": "${OS_CACERT}"}.items():
        text, found = re.subn(rf"(?m)^#?{name}=.*", f"{name}={value}", text)
        assert found == 1, name
    return text


def contents(clone: Clone) -> dict[str, bytes]:
    """What `dvc` keeps in the clone's folder."""
    paths = [*clone.root.glob("*.csv"), *clone.root.glob("parts/*"), *clone.root.glob("*.bin")]
    return {str(path.relative_to(clone.root)): path.read_bytes() for path in paths}


def write_project(root: Path, store: StoreAccess, prefix: str) -> None:
    """A file, a directory of twenty, and the connection."""
    (root / "parts").mkdir(parents=True)
    for number in range(20):
        (root / "parts" / f"{number:02}.bin").write_bytes(os.urandom(1000))
    (root / "table.csv").write_bytes(b"flight,delay\n" + os.urandom(2000).hex().encode())
    (root / ".gitignore").write_text(IGNORED)
    (root / ".dvc").mkdir()
    (root / ".dvc" / "config").write_text(
        "[core]\n    remote = storage\n    analytics = false\n    check_update = false\n"
        f"['remote \"storage\"']\n    url = s3://{store.bucket}/{prefix}\n"
        f"    endpointurl = {store.endpoint_url}\n"
    )
    write_private(root / ".env", env_text(store))


def commit(clone: Clone, message: str) -> None:
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.org")
    clone.run("git", "add", ".")
    clone.run("git", *identity, "commit", "-q", "-m", message)


def new_project(folder: Path, store: StoreAccess, prefix: str) -> Clone:
    """A project as its author has written it, and an environment that says nothing of a store."""
    foreign = ("OS_", "AWS_", "DVC_", "GIT_")
    inherited = {name: os.environ[name] for name in os.environ if not name.startswith(foreign)}
    own = {
        "PATH": os.pathsep.join([str(TOOLS), os.environ["PATH"]]),
        "HOME": str(folder),  # nobody's AWS files
        "DVC_SITE_CACHE_DIR": str(private_folder(folder / "site")),
    }
    write_project(folder / "project", store, prefix)
    return Clone(folder / "project", inherited | own)


def live(folder: Path, store: StoreAccess) -> Life:
    """Make, send and fetch data with `bucket dvc`, then go on in another clone with plain `dvc`."""
    prefix = f"life-{secrets.token_hex(4)}"
    project = new_project(folder, store, prefix)
    project.run("git", "init", "-q")
    project.run(*BUCKET, "add", "table.csv", "parts")
    commit(project, "Data")
    added = contents(project)
    project.run(*BUCKET, "push")
    pushed = store.keys(prefix)
    status = project.run(*BUCKET, "status", "-c").stdout
    shutil.rmtree(project.root / ".dvc" / "cache")
    for name in added:
        (project.root / name).unlink()
    project.run(*BUCKET, "pull")
    pulled = contents(project)
    (project.root / "dvc.yaml").write_text(PIPELINE)
    project.run(*BUCKET, "repro")
    commit(project, "A stage and its result")
    project.run(*BUCKET, "push")

    clone = replace(project, root=folder / "clone")
    project.run("git", "clone", "-q", ".", clone.root)
    shutil.copy(project.root / ".env", clone.root)
    clone.run(*DOTENV, "pull")
    same = contents(clone) == contents(project)
    (clone.root / "parts" / "20.bin").write_bytes(b"one more")
    clone.run(*DOTENV, "repro")
    clone.run(*DOTENV, "push")
    return Life(added, pushed, status, pulled, same, store.keys(prefix))


@pytest.fixture(scope="module")
def life(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Life:
    """On Swift; what the embedded store is in a project's life, test_main_job.py has."""
    return live(tmp_path_factory.mktemp("life"), access(request, "swift"))


def test_bucket_dvc_brings_back_what_it_sent(life: Life) -> None:
    assert len(life.added) == 1 + 20
    # The file, the twenty of the directory, and the list of those.
    assert len(life.pushed) == 1 + 20 + 1
    assert "in sync" in life.status
    assert life.pulled == life.added


def test_plain_dvc_needs_the_env_file_alone(life: Life) -> None:
    assert life.clone_is_the_same
    # The first result; then the new part, the new list and the new result.
    assert len(life.pushed_at_last) == len(life.pushed) + 1 + 3
