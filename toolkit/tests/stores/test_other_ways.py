"""Stores with ways of their own: no `start-after`, short pages of listings, no conditional PUT."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dvc_bucket import Project, Settings
from dvc_bucket.dvc.patched.s3 import FastS3FileSystem
from dvc_bucket.transfer.keys import objects
from tests.doctor.fronts import Ask, Middle, Reply, Request, signer
from tests.projects import make_project
from tests.stores.fixtures import access
from tests.verify.published import FILES, OBJECTS, Published, empty, publish
from tests.verify.test_deep import point_at

NOT_IMPLEMENTED = Reply(
    501, {"Content-Type": "application/xml"}, b"<Error><Code>NotImplemented</Code></Error>"
)


@pytest.fixture(scope="module")
def project(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, store: Project
) -> Iterator[Published]:
    """Its store knows none of them."""
    sign = signer(Settings.load(store))

    def behave(request: Request, ask: Ask) -> Reply:
        if request.method == "PUT" and request.header("if-none-match"):
            return NOT_IMPLEMENTED
        path = re.sub(r"&start-after=[^&]*|&max-keys=\d+", "", request.path)
        if "list-type=2" in path:
            path += "&max-keys=3"
        return ask(sign(Request(request.method, path, request.headers, request.body)))

    made = empty(tmp_path_factory.mktemp("other") / "project", access(request, "seaweed"))
    publish(made)
    with Middle(behave, Settings.load(store).port) as middle:
        point_at(middle, made)  # type: ignore[arg-type]
        yield made


def test_pages_may_be_short(project: Published) -> None:
    report = project.verify(deep=True)
    assert (report.ok, report.objects) == (True, OBJECTS)
    assert "Everything is up to date" in project.clone.run("bucket", "push").stdout


def test_a_listing_may_begin_at_the_top(project: Published) -> None:
    keys = [f"files/md5/00/{digit * 30}" for digit in "135"]
    for key in keys:
        project.put(key, b"x")
    settings = project.settings
    assert settings.secret_access_key
    system = FastS3FileSystem(
        endpointurl=settings.endpoint_url,
        access_key_id=settings.access_key_id,
        secret_access_key=settings.secret_access_key.get_secret_value(),
    )
    root = f"{project.store.bucket}/{project.prefix}"
    assert list(system.find([f"{root}/files/md5/00/3"], prefix=True)) == [f"{root}/{keys[1]}"]
    for key in keys:
        project.delete(key)


def test_a_conditional_put_may_be_unknown(project: Published) -> None:
    url = f"s3://{project.store.bucket}/{project.prefix}-copies"
    project.clone.run("bucket", "cp", "table.csv", f"{url}/")
    assert (
        project.clone.run("bucket", "cat", f"{url}/table.csv").stdout.encode() == FILES["table.csv"]
    )


def test_a_bucket_may_have_dots_in_its_name(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    name = "lab.data.2024"
    store = replace(access(request, "rclone"), bucket=name)
    store.client().create_bucket(Bucket=name)
    for variable, value in store.env.items():
        monkeypatch.setenv(variable, value)
    settings = Settings.load(make_project(tmp_path / "clone"))
    settings.obstore().put("k", b"content")
    assert bytes(settings.obstore().read("k")) == b"content"
    assert store.keys("") == ["k"]


def test_after_a_page_with_an_odd_key_each_object_is_listed_once(project: Published) -> None:
    """A front adds the key to the last page: the store itself takes it for another."""
    settings, odd = project.settings, f"{project.prefix}/odd//key"
    entry = (
        f"<Contents><Key>{odd}</Key><LastModified>2024-01-01T00:00:00Z</LastModified>"
        '<ETag>"x"</ETag><Size>7</Size></Contents></ListBucketResult>'
    )

    def add(request: Request, ask: Ask) -> Reply:
        reply = ask(request)
        if b"<IsTruncated>false" not in reply.body:
            return reply
        body = reply.body.replace(b"</ListBucketResult>", entry.encode())
        return Reply(reply.status, {"Content-Type": "application/xml"}, body)

    skipped = list[tuple[str, int]]()
    with Middle(add, settings.port) as front:
        through = settings.model_copy(update={"endpoint_url": front.url})
        store, prefix = through.obstore(), project.prefix
        batches = objects(through, store, prefix, lambda *of: skipped.append(of))
        found = [item["path"] for batch in batches for item in batch]
    assert skipped == [(odd, 7)]
    assert found == sorted(f"{prefix}/{path}" for path in project.keys)
