"""A new user's first day on a store that the template has not seen, and a colleague's first day."""

import hashlib
import re
import secrets
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from dvc_bucket import Project
from dvc_bucket.connection import named_files as places
from tests.clones import TOOLS, Clone
from tests.end_to_end.clones import copy_repository, environment
from tests.stores.fixtures import access

CONTENT = b"time,level\n" + b"2013-01-01T00:00,1.2\n" * 100


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    """A clone with the example put aside, as for data of one's own, and nobody's settings."""
    root = tmp_path / "first"
    root.mkdir()
    copy_repository(root)
    for name in ("dvc.yaml", "dvc.lock"):
        (root / name).unlink(missing_ok=True)
    # They name the key of their own Swift, which the doctor rightly finds; nobody else has it.
    shutil.rmtree(root / "toolkit/tests")
    return Clone(root, environment(root) | {"HOME": str(tmp_path)})


def commit(clone: Clone) -> None:
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.org")
    clone.run("git", "add", ".")
    clone.run("git", *identity, "commit", "-q", "-m", "Data of our own, in a bucket of our own")


def test_from_a_clone_to_the_first_push_and_to_a_colleagues_pull(
    request: pytest.FixtureRequest, clone: Clone
) -> None:
    store, prefix = access(request, "swift"), f"group/{secrets.token_hex(4)}"
    keys = {name: store.env[name] for name in ("OS_ACCESS_KEY_ID", "OS_SECRET_ACCESS_KEY")}
    options = f"--name tides --endpoint {store.endpoint_url} --bucket {store.bucket}"
    options += f" --region us-east-1 --prefix {prefix} --cacert {store.ca_bundle} --yes"
    done = clone.make("init", f"ARGS={options}", **keys)
    assert "Written." in done.stdout
    assert re.search(r"\n\d+ checks in .* s: (?!.*failed)", done.stdout)

    (clone.root / "levels.csv").write_bytes(CONTENT)
    clone.run("bucket", "add", "levels.csv")
    assert "1 file pushed" in clone.make("push").stdout
    md5 = hashlib.md5(CONTENT).hexdigest()
    assert store.keys(prefix) == [f"{prefix}/files/md5/{md5[:2]}/{md5[2:]}"]
    commit(clone)

    colleague = replace(clone, root=clone.root.with_name("second"))
    clone.run("git", "clone", "-q", ".", colleague.root)
    (colleague.root / ".venv").symlink_to(TOOLS.parent)
    files = [path for path in colleague.root.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if store.secret_access_key.encode() in path.read_bytes()]
    done = colleague.make("init", "ARGS=--yes", OS_CACERT=str(store.ca_bundle), **keys)
    assert "Nothing to change in the tracked files." in done.stdout
    colleague.make("pull")
    assert (colleague.root / "levels.csv").read_bytes() == CONTENT
    assert colleague.run("git", "status", "--porcelain").stdout == ""
    assert places.current(Project(colleague.root)).project == "tides"
