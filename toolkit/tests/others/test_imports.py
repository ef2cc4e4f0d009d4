"""Data of another project, on another store with other keys."""

import json
import shutil
from dataclasses import dataclass, replace
from hashlib import md5
from pathlib import Path

import pytest

from dvc_bucket import filesystem, open_dataset
from tests.clones import TOOLS
from tests.others.conftest import bucket, word
from tests.stores.fixtures import access
from tests.verify.published import FILES, Published, empty, publish

#: What is imported: a part of a directory that is tracked as one, and a file; and what they become.
IMPORTED = {"images": "data/pictures", "table.csv": "data/their.csv"}


@dataclass(frozen=True)
class Importer:
    """Our own project, and the one whose data it imports.

    Attributes:
        own: on SeaweedFS.
        other: on Swift, with other keys.
        keys: the variables with the other's keys.
    """

    own: Published
    other: Published
    keys: dict[str, str]


def name_source(project: Published, url: object, text: str) -> None:
    """Say in a project whose keys open the data of another one."""
    file = project.root / "pyproject.toml"
    file.write_text(f'[tool.dvc-bucket.sources]\n"{url}" = {text}\n')


@pytest.fixture(scope="session")
def importer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Importer:
    root = tmp_path_factory.mktemp("importer")
    other = empty(root / "other", access(request, "swift"))
    publish(other)
    own = empty(root / "own", access(request, "seaweed"))
    name_source(own, other.root, '{ prefix = "OTHER" }')
    keys = {f"OTHER_{name}": value for name, value in other.store.env.items()}
    (own.root / "data").mkdir()
    (own.root / "mine.csv").write_text("own\n1\n")
    own.dvc("add", "mine.csv")
    for path, target in IMPORTED.items():
        done = bucket(own.clone, "import", str(other.root), path, "-o", target, **keys)
        assert done.returncode == 0
    own.commit("Imports")
    own.dvc("push")
    return Importer(own, other, keys)


@pytest.fixture
def fresh(importer: Importer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Importer:
    """A clone without data, which is the current folder, of somebody who has both pairs of keys."""
    root = tmp_path / "fresh"
    importer.own.git("clone", "-q", str(importer.own.root), str(root))
    shutil.copy(importer.own.root / ".env", root / ".env")
    monkeypatch.chdir(root)
    for name, value in importer.keys.items():
        monkeypatch.setenv(name, value)
    own = Published(root, importer.own.store, importer.own.prefix)
    return Importer(own, importer.other, importer.keys)


@pytest.mark.usefixtures("fresh")
def test_words_follow_an_import(tmp_path: Path) -> None:
    listed = word("ls", "--long").stdout.split()
    assert {"mine.csv", "data/their.csv", "data/pictures/03.bin"} <= set(listed)
    assert word("cat", "data/their.csv").stdout_bytes == FILES["table.csv"]
    assert word("cp", "data", str(tmp_path / "to")).exit_code == 0
    copied = tmp_path / "to" / "data" / "pictures" / "03.bin"
    assert copied.read_bytes() == FILES["images/03.bin"]


@pytest.mark.usefixtures("fresh")
def test_python_follows_an_import() -> None:
    assert open_dataset("data/their.csv").to_table().to_pydict() == {"flight": [1], "delay": [2]}
    system = filesystem()
    assert system.cat_file("data/pictures/05.bin") == FILES["images/05.bin"]
    assert system.info("data/their.csv")["size"] == len(FILES["table.csv"])


def test_pull_brings_imports_with_their_own_keys(fresh: Importer) -> None:
    assert bucket(fresh.own.clone, "pull", **fresh.keys).returncode == 0
    assert Path("data/their.csv").read_bytes() == FILES["table.csv"]
    assert Path("data/pictures/07.bin").read_bytes() == FILES["images/07.bin"]
    assert Path("mine.csv").read_text() == "own\n1\n"


def test_without_its_keys_the_sentence_names_the_variables(fresh: Importer) -> None:
    without = fresh.keys | {"OTHER_OS_ACCESS_KEY_ID": ""}
    done = bucket(fresh.own.clone, "pull", **without)
    assert done.returncode != 0
    assert "OTHER_OS_ACCESS_KEY_ID: not set" in done.stdout + done.stderr


def test_what_is_pulled_needs_no_keys(fresh: Importer, importer: Importer) -> None:
    """The list of a directory and its files are read from this disk."""
    shutil.copytree(importer.own.root / ".dvc" / "cache", fresh.own.root / ".dvc" / "cache")
    program = "from dvc_bucket import filesystem as f; print(f().cat_file('data/pictures/03.bin'))"
    none = fresh.own.clone.environment | dict.fromkeys(fresh.keys, "")
    done = replace(fresh.own.clone, environment=none).run(TOOLS / "python", "-c", program)
    assert done.stdout.strip() == repr(FILES["images/03.bin"])


def test_an_import_of_an_import_is_followed_where_it_is_named(
    importer: Importer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    third = empty(tmp_path / "third", importer.own.store)
    name_source(third, importer.own.root, '{ prefix = "FIRST" }')
    keys = {f"FIRST_{name}": value for name, value in importer.own.store.env.items()}
    content = FILES["table.csv"]
    (third.root / "far.csv.dvc").write_text(
        f"frozen: true\ndeps:\n- path: data/their.csv\n  repo:\n    url: {importer.own.root}\n"
        f"    rev_lock: {importer.own.git('rev-parse', 'HEAD')}\n"
        f"outs:\n- md5: {md5(content).hexdigest()}\n  size: {len(content)}\n  hash: md5\n"
        "  path: far.csv\n"
    )
    third.commit("An import of an import")
    monkeypatch.chdir(third.root)
    for name, value in (keys | importer.keys).items():
        monkeypatch.setenv(name, value)
    refused = word("cat", "far.csv")
    assert "a path on a disk, which is not followed" in str(refused.exception)
    with (third.root / "pyproject.toml").open("a") as file:
        file.write(f'"{importer.other.root}" = {{ prefix = "OTHER" }}\n')
    assert word("cat", "far.csv").stdout_bytes == FILES["table.csv"]


def test_verify_looks_where_imported_data_comes_from(
    importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(importer.own.root)
    unnamed = bucket(importer.own.clone, "verify", "--json", OTHER_OS_ACCESS_KEY_ID="")
    said = [one["not_checked"] for one in json.loads(unnamed.stdout)["imported"]]
    assert unnamed.returncode == 0
    assert ["OTHER_OS_ACCESS_KEY_ID" in one for one in said] == [True, True]
    for name, value in importer.keys.items():
        monkeypatch.setenv(name, value)
    count = len(FILES) - 2
    found = {one["dataset"]: one for one in json.loads(word("verify", "--json").stdout)["imported"]}
    objects = {path: found[path]["objects"] for path in found}
    assert objects == {"data/pictures": count, "data/their.csv": 1}
    lost = importer.other.object("images/02.bin")
    content = importer.other.get(lost)
    importer.other.delete(lost)
    try:
        done = word("verify")
    finally:
        importer.other.put(lost, content)
    assert done.exit_code == 1
    assert f"data/pictures from {importer.other.root}@" in done.stdout
    assert f"1 of {count} objects missing there" in done.stdout
