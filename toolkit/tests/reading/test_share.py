"""`bucket share`: links that whoever has them can read, without keys, until they end."""

import html
import json
import re
import ssl
import time
import urllib.request
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore import UNSIGNED
from typer.testing import CliRunner, Result

from dvc_bucket.base.files import write_private
from dvc_bucket.cli.app import app
from dvc_bucket.connection import by_botocore, clients
from dvc_bucket.errors import NotPushedError, NotTrackedError, SettingsError
from dvc_bucket.jobs.share import links
from tests.reading.conftest import MANY
from tests.reading.test_words import bucket
from tests.verify.published import Published

#: Names that a header, a quoted text or a page of HTML could trip over.
ODD = ('a"b;c\\d.csv', "r\u00e9sum\u00e9 \u2603.txt", "x\r\ny: z", "<img src=x>&amp;.html")


def get(made: Published, url: str) -> tuple[bytes, str]:
    """What a stranger gets: the bytes, and the name to save them under."""
    trusted = ssl.create_default_context(cafile=str(made.store.ca_bundle))
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trusted)
    )
    with opener.open(url, timeout=30) as answer:
        return answer.read(), answer.headers.get("Content-Disposition", "")


def test_a_link_gives_the_file_to_whoever_has_it(bare: Published) -> None:
    before = datetime.now(UTC)
    done = bucket(bare, "--verbose", "share", "notes.bin", "--rev", "v1", "--for", "2h")
    assert done.returncode == 0, done.stderr
    url = done.stdout.decode().removesuffix("\n")
    assert "\n" not in url
    body, disposition = get(bare, url)
    assert body == bytes(range(256)) * 10_000
    assert 'filename="notes.bin"' in disposition
    assert url.startswith(f"{bare.store.endpoint_url}/{bare.store.bucket}/{bare.prefix}/files/md5/")
    assert parse_qs(urlsplit(url).query)["X-Amz-Expires"] == ["7200"]
    said = done.stderr.decode()
    assert "Signature" not in said
    [ends] = re.findall(r"^Anyone who has a link can read the file until (.*) UTC\.$", said, re.M)
    end = datetime.fromisoformat(f"{ends}+00:00")
    assert timedelta(hours=1, minutes=58) < end - before < timedelta(hours=2, minutes=1)
    assert "The links name 127.0.0.1, which only this machine can reach." in said
    with pytest.raises(HTTPError) as refused:
        get(bare, url.replace("X-Amz-Expires=7200", "X-Amz-Expires=7201"))
    assert refused.value.code == 403


def share(*words: str) -> Result:
    """`bucket share` in this process."""
    return CliRunner().invoke(app, ["share", *words])


def test_a_folder_is_a_page_or_json_with_a_link_for_each_file(bare: Published) -> None:
    page = bare.root / "links.html"
    done = share("texts", "--rev", "v1", "--index", "links.html")
    assert (done.exit_code, done.stdout) == (0, "links.html\n"), done.output
    assert page.stat().st_mode & 0o777 == 0o600
    text = page.read_text()
    listed = dict(re.findall(r'<a href="([^"]*)">([^<]*)</a>', text))
    assert sorted(listed.values()) == [f"texts/{number:02}.txt" for number in range(MANY)]
    for url, name in list(listed.items())[::6]:
        number = int(Path(name).stem)
        assert get(bare, html.unescape(url))[0] == f"{number}\n".encode() * number
    again = share("texts", "--index", "links.html")
    assert "links.html exists and is not replaced." in str(again.exception)
    assert page.read_text() == text
    found = json.loads(share("texts", "--json").stdout)
    assert [link["path"] for link in found["links"]] == sorted(listed.values())
    link = found["links"][-1]
    assert len(get(bare, link["url"])[0]) == link["size"]
    assert datetime.fromisoformat(found["ends"]) - datetime.now(UTC) < timedelta(days=7)
    refused = share("texts")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "Write a page of its links with --index FILE" in " ".join(refused.stderr.split())


def test_a_name_from_data_is_only_a_name(bare: Published, tmp_path: Path) -> None:
    data = links.find("notes.bin", "v1")
    hour = timedelta(hours=1)
    for name in ODD:
        odd = replace(data, path=name, files=[replace(data.files[0], path=f"notes/{name}")])
        shared = links.share(odd, hour)
        body, disposition = get(bare, shared.links[0].url)
        assert len(body) == 2_560_000
        assert re.fullmatch(
            r"attachment; filename=\"[A-Za-z0-9 ._()-]*\"; filename\*=UTF-8''[\w%.~-]*", disposition
        )
        links.write_index(shared, tmp_path / "page.html")
        assert "<img" not in (tmp_path / "page.html").read_text()
        (tmp_path / "page.html").unlink()


def test_a_link_ends(bare: Published) -> None:
    data = links.find("codes.csv", "v1")
    url = links.signed(data, data.files[0], timedelta(seconds=2))
    assert b"American" in get(bare, url)[0]
    time.sleep(3.1)
    with pytest.raises(HTTPError) as refused:
        get(bare, url)
    assert refused.value.code in {400, 403}


def test_what_has_no_use_is_refused(on_swift: Published, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(on_swift.root)
    for life, said in (
        ("8d", "8d is longer than 7d, the maximum for a signature"),
        ("0h", "'0h' is not a time such as 12h or 7d"),
    ):
        done = share("notes.bin", "--for", life)
        assert (done.exit_code, done.stdout) == (2, "")
        assert said in " ".join(done.stderr.replace("\u2502", " ").split())
    (on_swift.root / "here.csv").write_text("a\n2\n")
    on_swift.dvc("add", "here.csv")
    for path, error, said in (
        ("here.csv", NotPushedError, r"here\.csv of the workspace is not on the remote"),
        ("nowhere", NotTrackedError, "DVC does not track nowhere"),
    ):
        with pytest.raises(error, match=said):
            links.share(links.find(path), timedelta(hours=1))
    done_by_person = bucket(on_swift, "share", "notes.bin", OS_ENDPOINT_URL="http://127.0.0.1:9")
    assert (done_by_person.returncode, done_by_person.stdout) == (1, b"")
    said = "http://127.0.0.1:9 is the embedded store of this machine, which nobody else can reach"
    assert said in " ".join(done_by_person.stderr.decode().split())


def test_a_link_without_a_signature_is_refused(
    on_swift: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(on_swift.root)
    unsigned = clients.botocore(on_swift.settings, signature_version=UNSIGNED)
    monkeypatch.setattr(by_botocore, "client", lambda _: unsigned)
    with pytest.raises(SettingsError, match="are signed with a key, but this connection uses none"):
        links.share(links.find("notes.bin"), timedelta(hours=1))


def test_links_end_with_temporary_credentials(on_swift: Published) -> None:
    env = on_swift.root / ".env"
    token = "for-an-hour"
    write_private(env, f"{env.read_text()}OS_SESSION_TOKEN={token}\n")
    done = bucket(on_swift, "share", "notes.bin")
    assert (
        b"These credentials are temporary; the links expire with them at the latest." in done.stderr
    )
