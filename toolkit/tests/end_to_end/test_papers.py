"""What the papers and the configuration say holds, and holds together."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from configobj import ConfigObj
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.end_to_end.clones import REPOSITORY


def tracked_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    return [REPOSITORY / name for name in listed.stdout.split("\0") if name]


def locked(lock: str) -> dict[str, str]:
    """Version by name, as a lock file pins it."""
    text = (REPOSITORY / lock).read_text()
    return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", text, re.MULTILINE))


def wanted(pyproject: str, *extras: str) -> list[Requirement]:
    """What a pyproject.toml asks for, but for the toolkit itself, which comes from its sources."""
    project = tomllib.loads((REPOSITORY / pyproject).read_text())["project"]
    lines = [*project["dependencies"]]
    for extra in extras:
        lines += project["optional-dependencies"][extra]
    found = [Requirement(line) for line in lines]
    return [requirement for requirement in found if requirement.name != "dvc-bucket"]


@pytest.mark.parametrize(
    ("lock", "requirements"),
    [
        ("requirements.lock", wanted("pyproject.toml")),
        ("requirements-dev.lock", wanted("pyproject.toml", "dev")),
        (
            "requirements.lock",
            wanted("toolkit/pyproject.toml", "store", "secrets", "crate", "dask"),
        ),
        ("toolkit/requirements-dev.lock", wanted("toolkit/pyproject.toml", "dev")),
    ],
    ids=["project", "project-dev", "toolkit", "toolkit-dev"],
)
def test_the_lock_file_satisfies_pyproject(lock: str, requirements: list[Requirement]) -> None:
    versions = {canonicalize_name(name): version for name, version in locked(lock).items()}
    for requirement in requirements:
        name = canonicalize_name(requirement.name)
        assert name in versions, f"{requirement}: not in {lock}; run `make lock`"
        assert requirement.specifier.contains(versions[name]), f"{requirement}: {versions[name]}"


@pytest.mark.parametrize(
    ("lock", "larger"),
    [
        ("requirements.lock", "requirements-dev.lock"),
        ("requirements-dev.lock", "toolkit/requirements-dev.lock"),
        ("template/skeleton/requirements.lock", "template/skeleton/requirements-dev.lock"),
        ("template/skeleton/requirements.lock", "template/example/requirements.lock"),
        ("template/skeleton/requirements-dev.lock", "template/example/requirements-dev.lock"),
        ("template/example/requirements.lock", "template/example/requirements-dev.lock"),
        ("template/example/requirements.lock", "requirements.lock"),
        ("template/example/requirements-dev.lock", "requirements-dev.lock"),
    ],
)
def test_a_larger_lock_file_has_the_versions_of_a_smaller_one(lock: str, larger: str) -> None:
    assert locked(lock).items() < locked(larger).items()


@pytest.mark.parametrize(
    "lock",
    [
        *("requirements.lock", "requirements-dev.lock", "toolkit/requirements-dev.lock"),
        *("template/skeleton/requirements.lock", "template/skeleton/requirements-dev.lock"),
        *("template/example/requirements.lock", "template/example/requirements-dev.lock"),
    ],
)
def test_the_lock_file_pins_each_name_once_with_hashes_and_no_address(lock: str) -> None:
    text = (REPOSITORY / lock).read_text()
    names = re.findall(r"^([a-z0-9._-]+)==", text, re.MULTILINE)
    assert len(names) == len(set(names)) > 100
    for pin in re.split(r"\n(?=[a-z])", text.strip()):
        assert re.fullmatch(r"\S+==\S+( ; [^\\]+)?( \\\n    --hash=sha256:[0-9a-f]{64})+", pin), pin


def test_dvc_calls_nobody_home_and_links_before_it_copies() -> None:
    config = ConfigObj(str(REPOSITORY / ".dvc/config"))
    assert config["core"]["analytics"] == "false"
    assert config["core"]["check_update"] == "false"
    assert config["cache"]["type"] == "reflink,hardlink,symlink,copy"


def test_no_tracked_file_is_a_secret_or_large() -> None:
    for path in tracked_files():
        assert path.name != ".env"
        assert not path.is_file() or path.stat().st_size < 1_000_000, path


@pytest.mark.parametrize("page", ["README.md", "data/README.md"])
def test_the_make_targets_that_a_page_names_exist(page: str) -> None:
    makefile = (REPOSITORY / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z]+)\b(?=`|\s+#|\n)", (REPOSITORY / page).read_text()))
    assert named
    assert named <= targets


@pytest.mark.parametrize(
    "page",
    [
        *("README.md", "data/README.md", "toolkit/docs/ci.md", "toolkit/docs/git-lfs.md"),
        *("toolkit/docs/provenance.md", "toolkit/docs/providers.md"),
    ],
)
def test_the_files_that_a_page_names_exist(page: str) -> None:
    text = (REPOSITORY / page).read_text()
    linked = re.findall(r"\]\((?!https?:)([^)#]+)\)", text)
    for name in linked:
        assert (REPOSITORY / page).parent.joinpath(name).exists(), name


def test_make_alone_prints_the_targets() -> None:
    done = subprocess.run(["make"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    for target in ("init", "doctor", "reproduce", "test", "pull", "push", "serve", "stop"):
        assert re.search(rf"^  make {target} +\S", done.stdout, re.MULTILINE)


def test_make_setup_keeps_root_from_writing_through_links_to_the_cache() -> None:
    assert "$(BIN)/bucket protect-cache" in (REPOSITORY / "Makefile").read_text()
