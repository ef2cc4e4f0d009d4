"""As much of the two forges' APIs as a comment needs, on loopback: neither forge can be had here.

Sources: GitHub REST API, "Issue comments"; GitLab REST API, "Notes", "Users".
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from dvc_bucket.base.ports import free_ports

#: A report as long as this is refused, as GitHub does; in characters.
MAX_BODY_CHARACTERS = 65_536

TOKEN = "a-token-of-the-test"  # pragma: allowlist secret

#: Who the token belongs to.
OURS = {"id": 5, "login": "github-actions[bot]", "username": "project_1_bot"}


@dataclass
class Forge:
    """A request with its comments.

    Attributes:
        url: of the API.
        comments: as the API gives them, the oldest first.
        writes: requests that wrote: verb and path.
        faults: statuses with which the next requests are answered.
    """

    url: str = ""
    comments: list[dict[str, Any]] = field(default_factory=list)
    writes: list[str] = field(default_factory=list)
    faults: list[int] = field(default_factory=list)

    def add(self, body: str, author: dict[str, Any]) -> dict[str, Any]:
        """A comment by somebody."""
        comment = {"id": len(self.comments) + 100, "body": body, "user": author, "author": author}
        self.comments.append(comment)
        return comment

    def answer(self, verb: str, path: str, headers: Any, body: dict[str, str]) -> tuple[int, Any]:
        """Status and content."""
        if f"Bearer {TOKEN}" != headers["Authorization"] and headers["PRIVATE-TOKEN"] != TOKEN:
            return 401, {}
        if self.faults:
            return self.faults.pop(0), {}
        parts, asked = urlsplit(path), parse_qs(urlsplit(path).query)
        if parts.path == "/user":
            return 200, OURS
        if verb == "GET" and re.search(r"/(comments|notes)$", parts.path):
            page, size = int(asked["page"][0]), int(asked["per_page"][0])
            return 200, self.comments[(page - 1) * size : page * size]
        self.writes.append(f"{verb} {parts.path}")
        if len(body["body"]) > MAX_BODY_CHARACTERS:
            return 422, {}
        if verb == "POST":
            return 201, self.add(body["body"], OURS)
        number = int(parts.path.rpartition("/")[2])
        [found] = [one for one in self.comments if one["id"] == number]
        found["body"] = body["body"]
        return 200, found


@contextmanager
def serving() -> Iterator[Forge]:
    """A forge that answers as long as the block runs."""
    forge = Forge()

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            length = int(self.headers["Content-Length"] or 0)
            body = json.loads(self.rfile.read(length) or b"{}")
            status, content = forge.answer(self.command, self.path, self.headers, body)
            text = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PUT = do_PATCH = handle_any  # noqa: N815 (the base class's names)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", free_ports(1)[0]), Handler)
    forge.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield forge
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def variables(forge: Forge, kind: str) -> dict[str, str]:
    """What a run of a request is told by its forge, and the token."""
    if kind == "GitHub":
        return {
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": forge.url,
            "GITHUB_REPOSITORY": "group/project",
            "GITHUB_REF": "refs/pull/7/merge",
            "GITHUB_TOKEN": TOKEN,
        }
    return {
        "GITLAB_CI": "true",
        "CI_API_V4_URL": forge.url,
        "CI_MERGE_REQUEST_PROJECT_ID": "1",
        "CI_MERGE_REQUEST_IID": "7",
        "GITLAB_TOKEN": TOKEN,
    }
