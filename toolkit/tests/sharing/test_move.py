"""From the embedded store to an own bucket: the data of every commit goes along, and is proven."""

import re
import secrets
from collections.abc import Callable
from pathlib import Path

import obstore
import pytest

from dvc_bucket import Project, Settings
from dvc_bucket.connection import named_files as places
from tests.bucket.store_tools import own_options
from tests.bucket.terminal import Terminal
from tests.clones import TOOLS, Clone
from tests.sharing.conftest import NEW, OBJECTS, OLD, commit
from tests.stores.access import StoreAccess
from tests.stores.fixtures import access

QUESTION = "Copy the data of all commits there? [Y/n]"


@pytest.fixture
def swift_store(request: pytest.FixtureRequest) -> StoreAccess:
    return access(request, "swift")


def options(store: StoreAccess, prefix: str) -> list[str]:
    place = ["--endpoint", store.endpoint_url, "--bucket", store.bucket, "--prefix", prefix]
    return ["--name", "river-levels", "--region", "us-east-1", *place, "--no-doctor"]


def keys(store: StoreAccess) -> dict[str, str]:
    names = ("OS_ACCESS_KEY_ID", "OS_SECRET_ACCESS_KEY", "OS_CACERT")
    return {name: store.env[name] for name in names}


@pytest.fixture
def mover(first: Clone, another: Callable[..., Clone], tmp_path: Path) -> Clone:
    """A clone whose embedded store has the data of both commits, and whose cache has none."""
    clone = another("mover")
    first.run("bucket", "serve", "--export", tmp_path / "data.tar")
    clone.run("bucket", "serve", "--import", tmp_path / "data.tar")
    return clone


def test_a_person_moves_to_swift_and_a_second_clone_pulls_both_commits(
    mover: Clone, swift_store: StoreAccess, tmp_path: Path
) -> None:
    prefix = f"move-{secrets.token_hex(4)}"
    environment = mover.environment | keys(swift_store)
    command: list[str | Path] = [TOOLS / "bucket", "init", *options(swift_store, prefix)]
    with Terminal(command, mover.root, environment) as terminal:
        terminal.read_until(f"holds {OBJECTS} objects (")
        terminal.answer(QUESTION, "")
        terminal.answer("Write this? [Y/n]", "")
        assert terminal.end() == 0
        assert f"{OBJECTS} objects (" in terminal.shown
        assert "Verified: all data" in terminal.shown
        assert "Not copied: 1 object of the embedded store" in terminal.shown
        assert "git commit -a" in terminal.shown
    assert len(swift_store.keys(f"{prefix}/")) == OBJECTS
    assert (mover.root / ".bucket" / "data").is_dir()
    commit(mover, "Data in a bucket of the group's own")

    second = Clone(tmp_path / "second", mover.environment)
    mover.run("git", "clone", "-q", ".", second.root)
    said = second.run("bucket", "init", "--yes", "--no-doctor", check=True, **keys(swift_store))
    assert "Nothing to change in the tracked files." in said.stdout
    second.run("bucket", "pull")
    assert (second.root / "table.csv").read_bytes() == NEW
    second.run("git", "checkout", "-q", "HEAD~2")  # whose .dvc/config names the embedded store
    second.run("bucket", "pull")
    assert (second.root / "table.csv").read_bytes() == OLD
    assert sorted(path.name for path in (second.root / "images").iterdir()) == [
        f"{number}.bin" for number in range(3)
    ]
    second.run("git", "checkout", "-q", "main")
    second.run("bucket", "status")
    assert "'url'" not in str(own_options(Project(second.root)))


def test_an_interrupted_copy_changes_no_file_and_is_finished_by_the_next(
    mover: Clone, swift_store: StoreAccess
) -> None:
    prefix = f"move-{secrets.token_hex(4)}"
    command = ["bucket", "init", *options(swift_store, prefix), "--yes"]
    before = mover.run("git", "diff", "HEAD").stdout, (mover.root / ".env").read_bytes()
    wrong = keys(swift_store) | {"OS_SECRET_ACCESS_KEY": secrets.token_hex(20)}
    done = mover.run(*command, check=False, **wrong)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert (mover.run("git", "diff", "HEAD").stdout, (mover.root / ".env").read_bytes()) == before
    assert mover.run("bucket", "serve", "--status").returncode == 0

    client, keyed = swift_store.client(), {"Bucket": swift_store.bucket}
    there = mover.root.parent / "there"
    there.mkdir()
    mover.run("bucket", "fetch", "--all-commits")
    cache = mover.root / ".dvc" / "cache"
    some = sorted(path for path in cache.glob("files/md5/*/*") if not path.suffix)[:2]
    for path in some:
        key = f"{prefix}/{path.relative_to(cache).as_posix()}"
        client.put_object(**keyed, Key=key, Body=path.read_bytes())
    said = mover.run(*command, check=True, **keys(swift_store)).stdout
    assert f"{OBJECTS - 2} objects (" in said
    assert len(swift_store.keys(f"{prefix}/")) == OBJECTS
    assert places.current(Project(mover.root)).prefix == prefix


def test_what_no_copy_has_is_named_and_its_list_stays_behind(
    mover: Clone, swift_store: StoreAccess
) -> None:
    store = Settings.load(Project(mover.root), {}).obstore()
    paths = [item["path"] for batch in obstore.list(store) for item in batch]
    image = next(
        path for path in paths if bytes(obstore.get(store, path).bytes()) == bytes([1]) * 1000
    )
    lists = [path for path in paths if path.endswith(".dir")]
    good = {path: bytes(obstore.get(store, path).bytes()) for path in (image, *lists)}
    obstore.put(store, image, b"damaged")
    prefix = f"move-{secrets.token_hex(4)}"
    command = ["bucket", "init", *options(swift_store, prefix), "--yes"]
    said = mover.run(*command, check=True, **keys(swift_store)).stdout
    assert re.search(r"\n  images/1\.bin of .*\(main\)", said)
    assert len(swift_store.keys(f"{prefix}/")) == OBJECTS - 2
    assert not [key for key in swift_store.keys(f"{prefix}/") if key.endswith(".dir")]
    assert "`bucket verify -A --repair`" in said
    for path, content in good.items():  # as in the cache of a clone that has it
        cached = mover.root / ".dvc/cache" / path[path.index("files/md5/") :]
        cached.parent.mkdir(parents=True, exist_ok=True)
        cached.write_bytes(content)
    mover.run("bucket", "verify", "-A", "--repair", check=True, **keys(swift_store))
    assert len(swift_store.keys(f"{prefix}/")) == OBJECTS


def test_scripts_say_no_and_missing_keys_are_named_before_anything_is_written(
    mover: Clone, swift_store: StoreAccess
) -> None:
    prefix = f"move-{secrets.token_hex(4)}"
    command = ["bucket", "init", *options(swift_store, prefix), "--yes"]
    done = mover.run(*command, check=False)
    assert done.returncode == 1
    assert "Nothing was written: copying the data needs the keys of the new store" in done.stderr
    assert mover.run("git", "diff", "HEAD").stdout == ""
    mover.run(*command, "--no-move-data", check=True, **keys(swift_store))
    assert swift_store.keys(f"{prefix}/") == []
    done = mover.run(*command, "--move-data", check=False, **keys(swift_store))
    assert "--move-data copies from the embedded store" in done.stderr
