"""One's own data in a new skeleton: a table, images, a third stage, a bucket on Swift."""

import secrets
from pathlib import Path

import pytest

from tests.clones import Clone
from tests.end_to_end.clones import REPOSITORY, environment
from tests.stores.access import StoreAccess
from tests.stores.fixtures import access
from tests.template.projects import IDENTITY, make_new

#: Three sites, one of which has too few days for a mean.
TABLE = """\
site,day,celsius
lake,2026-01-01,4.5
lake,2026-01-02,5.5
peak,2026-01-01,-7.0
peak,2026-01-02,-8.0
road,2026-01-01,1.0
"""

IMAGES = {f"{number:02}.png": b"\x89PNG" + bytes([number]) * 2000 for number in range(12)}


@pytest.fixture
def store(request: pytest.FixtureRequest) -> StoreAccess:
    return access(request, "swift")


def in_environment(root: Path) -> Clone:
    """A clone whose tools are those that run the tests."""
    (root / ".venv").symlink_to((REPOSITORY / ".venv").resolve())
    paths = f"{root / 'src'}:{REPOSITORY / 'toolkit/src'}"
    return Clone(root, environment(root) | IDENTITY | {"PYTHONPATH": paths})


def keys(store: StoreAccess) -> dict[str, str]:
    names = ("OS_ACCESS_KEY_ID", "OS_SECRET_ACCESS_KEY", "OS_CACERT")
    return {name: store.env[name] for name in names}


def connect(project: Clone, store: StoreAccess, *options: str) -> None:
    project.run("bucket", "init", *options, "--yes", "--no-doctor", check=True, **keys(store))


def test_a_second_clone_gets_the_same_bytes_of_ones_own_data(
    released: Clone, store: StoreAccess, tmp_path: Path
) -> None:
    project = in_environment(make_new(released, tmp_path / "my project", name="mine"))
    place = ["--endpoint", store.endpoint_url, "--bucket", store.bucket, "--region", "us-east-1"]
    connect(project, store, "--name", "mine", *place, "--prefix", f"own-{secrets.token_hex(4)}")

    (project.root / "data/raw/measurements.csv").write_text(TABLE)
    images = project.root / "data/raw/images"
    images.mkdir()
    for name, content in IMAGES.items():
        (images / name).write_bytes(content)
    origin = ("--licence", "CC0-1.0", "--origin", "Our own camera")
    project.run("bucket", "new", "data", "data/raw/images", *origin)
    words = ("--deps", "data/raw/images", "--outs", "data/interim/thumbnails")
    project.run("bucket", "new", "stage", "thumbnails", *words)
    project.make("reproduce")
    project.make("test")
    numbers = (project.root / "reports/summary.json").read_text()
    assert '"lake"' in numbers
    assert '"road"' not in numbers
    project.run("git", "add", "--all")
    project.run("bucket", "save", "-m", "Our own data")
    assert project.run("git", "status", "--porcelain").stdout == ""

    project.run("git", "clone", "-q", ".", tmp_path / "second")
    second = in_environment(tmp_path / "second")
    connect(second, store)
    second.make("pull")
    for folder in ("data/raw/images", "data/interim/thumbnails"):
        found = {path.name: path.read_bytes() for path in (second.root / folder).iterdir()}
        assert {name: found.get(name) for name in IMAGES} == IMAGES
    assert "Everything is up to date." in second.make("reproduce").stdout
    second.run("bucket", "repro", "--force")
    assert second.run("git", "status", "--porcelain").stdout == ""
    report = "reports/report.html"
    assert (second.root / report).read_bytes() == (project.root / report).read_bytes()
