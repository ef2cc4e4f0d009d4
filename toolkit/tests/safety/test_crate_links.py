"""The page of a crate links to its own files and to the web, whatever the commit's texts say."""

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from dvc_bucket.jobs import provenance
from dvc_bucket.jobs.provenance.preview import link
from tests.provenance import made
from tests.provenance.made import CITATION

#: Addresses that start a program in the browser, or open what is not of the crate.
ADDRESSES = (
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    " javascript:alert(1)",
    "java\tscript:alert(1)",
    "\x01javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "file:///etc/passwd",
    "javascript://example.org/%0aalert(1)",
)


class Links(HTMLParser):
    """Where the links of a page lead."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag != "script"
        self.found += [value or "" for name, value in attrs if name in {"href", "src"}]


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_that_is_no_web_page_is_text(address: str) -> None:
    assert str(link("<b>name</b>", address)) == "&lt;b&gt;name&lt;/b&gt;"


@pytest.mark.parametrize(
    "address",
    ["https://example.org/?a=b:c", "HTTP://example.org", "a/b.html", "a%3Ab", "a/b:c", "#x:y"],
)
def test_the_web_and_the_files_of_the_crate_are_linked(address: str) -> None:
    assert Links(str(link("name", address))).found == [address]


@pytest.mark.parametrize("address", [one for one in ADDRESSES if one.isprintable()])
def test_no_link_of_a_page_is_a_program(address: str, tmp_path: Path) -> None:
    repo = made.make(tmp_path / "repo")
    orcid, code = "https://orcid.org/0000-0002-1825-0097", "https://github.com/example/fares"
    text = CITATION.replace(orcid, f'"{address}"').replace(code, f'"{address}"')
    assert text.count(address) == 2
    repo.add("CITATION.cff", text)
    folder = address.replace("/", "_")
    for name in ("dvc.yaml", "dvc.lock"):
        repo.add(f"{folder}/{name}", (repo.root / name).read_text())
    repo.commit("--no-verify")
    provenance.write(repo.project, "HEAD", tmp_path / "out")
    links = Links((tmp_path / "out" / "ro-crate-preview.html").read_text()).found
    assert links
    for one in links:
        is_web = one.startswith(("https://", "#"))
        assert is_web or (tmp_path / "out" / unquote(one)).exists(), one
