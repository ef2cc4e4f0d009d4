"""A key that may read and write objects, and not list the bucket: what is missing is forbidden."""

from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from dvc_bucket.jobs.lfs.objects import Objects
from tests.doctor.fronts import Ask, Middle, Reply, Request
from tests.stores.fixtures import access
from tests.stores.tls import Front
from tests.verify.published import FILES, Published, empty, publish

DENIED = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"


def without_list_bucket(request: Request, ask: Ask) -> Reply:
    """As AWS answers a key without s3:ListBucket."""
    is_listing = request.method == "GET" and ("list-type=2" in request.path)
    reply = Reply(403, {"Content-Type": "application/xml"}, DENIED)
    answer = reply if is_listing else ask(request)
    if answer.status != 404:
        return answer
    return replace(reply, body=b"") if request.method == "HEAD" else reply


@pytest.fixture(scope="module")
def project(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Published:
    made = empty(tmp_path_factory.mktemp("listing") / "project", access(request, "rclone"))
    publish(made)
    return made


@pytest.fixture
def bare(project: Published, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Published]:
    """A clone without data, whose store refuses to list."""
    port = request.getfixturevalue("rclone").port
    with (
        Middle(without_list_bucket, port) as middle,
        Front(middle.port, request.getfixturevalue("good_certificate")) as front,
    ):
        made = Published(tmp_path / "clone", project.store, project.prefix)
        project.git("clone", "-q", str(project.root), str(made.root))
        text = (project.root / ".env").read_text().replace(project.store.endpoint_url, front.url)
        (made.root / ".env").touch(0o600)
        (made.root / ".env").write_text(text)
        yield made


def test_pull_and_push_do_their_work_and_say_what_they_need(
    bare: Published, project: Published
) -> None:
    run = bare.clone.run
    pulled = run("bucket", "pull")  # of which nothing is missing, so that it has to ask for nothing
    assert {name: (bare.root / name).read_bytes() for name in FILES} == FILES
    assert "may not list the bucket" not in pulled.stderr
    before = {*project.keys}
    for number in range(6):  # more than are asked for one by one
        (bare.root / "images" / f"new {number}.bin").write_bytes(b"new %d" % number)
    run("bucket", "add", "images")
    pushed = run("bucket", "push")
    assert "7 files pushed" in pushed.stdout
    assert pushed.stderr.count("may not list the bucket") == 1
    assert len(project.keys) == len(before) + 7
    assert "Everything is up to date" in run("bucket", "push").stdout


def test_verify_asks_for_each_object(bare: Published, project: Published) -> None:
    done = bare.clone.run("bucket", "verify")
    assert "could not be listed" in done.stdout
    project.delete(project.object("table.csv"))
    done = bare.clone.run("bucket", "verify", check=False)
    assert done.returncode == 3
    assert "not checked  table.csv (the store does not say whether it exists" in done.stdout
    project.put(project.object("table.csv"), FILES["table.csv"])


def test_git_lfs_sends_and_fetches(bare: Published, tmp_path: Path) -> None:
    file = tmp_path / "map.tif"
    file.write_bytes(b"a map")
    oid, folder = sha256(file.read_bytes()).hexdigest(), tmp_path / "lfs"
    folder.mkdir()
    objects = Objects(bare.project, folder)
    objects.upload(oid, file.stat().st_size, str(file)).run()
    fetched = objects.download(oid).run()
    assert Path(str(fetched)).read_bytes() == b"a map"
