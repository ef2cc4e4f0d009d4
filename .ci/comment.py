#!/usr/bin/env python3
"""Put a report on the pull or merge request of this run: a comment, which later runs update.

Usage: .ci/comment.py REPORT.md, in GitHub Actions or GitLab CI. Needs nothing but Python.

Which request it is, the forge says in its variables. The token: on GitHub GITHUB_TOKEN, which may
write pull requests; on GitLab GITLAB_TOKEN, of the project (role Reporter, scope api). The comment
is known by the line that the report begins with, and by its author.

Sources: GitHub REST API, "Issue comments"; GitLab REST API, "Notes", "Users".
"""

import http.client
import json
import os
import re
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

#: How the report begins; in Markdown it shows nothing.
MARKER = "<!-- bucket report -->"

#: Characters that both forges take: GitHub refuses a comment of 65,536 (GitLab: of a million).
MAX_BODY_CHARACTERS = 65_000

#: What stands in the place of what is too much.
CUT = "\n\n*Cut here: the whole report is among the artifacts of this run.*\n"

#: Comments a page, which is the most that either gives.
PAGE = 100

#: Seconds that a request may take, and to wait before it is tried again.
TIMEOUT = 30
PAUSES = (2, 8)


Comment = dict[str, Any]


class CommentError(Exception):
    """The report cannot be put there; one sentence says why."""


class GitHub:
    """A pull request, in the words of GitHub's API."""

    verb = "PATCH"

    def __init__(self) -> None:
        number = re.fullmatch(r"refs/pull/(\d+)/merge", os.environ["GITHUB_REF"])
        if number is None:
            raise CommentError(f"GITHUB_REF is {os.environ['GITHUB_REF']}, of no pull request.")
        base = f"{os.environ['GITHUB_API_URL']}/repos/{os.environ['GITHUB_REPOSITORY']}/issues"
        self.new, self.known = f"{base}/{number[1]}/comments", f"{base}/comments"
        self.headers = {
            "Authorization": f"Bearer {os.environ['GITHUB_TOKEN']}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
        }

    def is_ours(self, comment: Comment) -> bool:
        """Whether the token of a workflow wrote it; that token may not ask who it is."""
        return bool(comment["user"]["login"] == "github-actions[bot]")


class GitLab:
    """A merge request, in the words of GitLab's API."""

    verb = "PUT"

    def __init__(self) -> None:
        api, project = os.environ["CI_API_V4_URL"], os.environ["CI_MERGE_REQUEST_PROJECT_ID"]
        request = os.environ["CI_MERGE_REQUEST_IID"]
        self.new = self.known = f"{api}/projects/{project}/merge_requests/{request}/notes"
        self.headers = {"PRIVATE-TOKEN": os.environ["GITLAB_TOKEN"]}
        self._user = f"{api}/user"

    def is_ours(self, comment: Comment) -> bool:
        """Whether the owner of the token wrote it."""
        return bool(comment["author"]["id"] == self._id)

    @cached_property
    def _id(self) -> int:
        return int(ask(self, "GET", self._user)["id"])


def ask(forge: GitHub | GitLab, verb: str, url: str, body: dict[str, str] | None = None) -> Any:
    """The answer to a request, as JSON."""
    headers = {**forge.headers, "Content-Type": "application/json", "User-Agent": "bucket-report"}
    data = None if body is None else json.dumps(body).encode()
    # The forge names the address itself.
    request = urllib.request.Request(url, data, headers, method=verb)  # noqa: S310
    with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310
        return json.load(answer)


def comments(forge: GitHub | GitLab) -> Iterator[Comment]:
    """All comments, page by page."""
    page = 1
    while True:
        found = ask(forge, "GET", f"{forge.new}?per_page={PAGE}&page={page}")
        yield from found
        if len(found) < PAGE:
            return
        page += 1


def put(forge: GitHub | GitLab, text: str) -> str:
    """Update the comment that is there, or write one; return which it was."""
    for comment in comments(forge):
        if comment["body"].startswith(MARKER) and forge.is_ours(comment):
            ask(forge, forge.verb, f"{forge.known}/{comment['id']}", {"body": text})
            return "updated"
    ask(forge, "POST", forge.new, {"body": text})
    return "written"


def put_patiently(forge: GitHub | GitLab, text: str) -> str:
    """The same where the forge is out of order for a moment. Looks again first what is there."""
    for pause in (*PAUSES, None):
        try:
            return put(forge, text)
        except urllib.error.HTTPError as error:
            # 429: too many requests; the forge's own faults begin at 500.
            if pause is None or (error.code < 500 and error.code != 429):
                raise CommentError(f"{error.url} answers {error.code} {error.reason}.") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            if pause is None:
                raise CommentError(f"{forge.new}: {error}.") from None
        time.sleep(pause)
    raise AssertionError("the last round returns or raises")


def shortened(text: str) -> str:
    """The report, cut at the end of a line if it is too long for a comment."""
    if len(text) <= MAX_BODY_CHARACTERS:
        return text
    return text[: MAX_BODY_CHARACTERS - len(CUT)].rpartition("\n")[0] + CUT


def publish(report: Path) -> str:
    """Put the report where the variables say, and tell what was done."""
    text = report.read_text(encoding="utf-8")
    if not text.startswith(MARKER):
        raise CommentError(f"{report} does not begin with {MARKER}: it is no report.")
    if "GITHUB_ACTIONS" in os.environ:
        return f"Comment {put_patiently(GitHub(), shortened(text))}."
    if not os.environ.get("GITLAB_TOKEN"):
        return "GITLAB_TOKEN is not set: the report is among the artifacts (toolkit/docs/ci.md)."
    return f"Comment {put_patiently(GitLab(), shortened(text))}."


def main() -> None:
    """Read the words of the command line; say what was done, or why not."""
    if len(sys.argv) != 2:
        print("Usage: .ci/comment.py REPORT.md", file=sys.stderr)
        sys.exit(2)
    try:
        print(publish(Path(sys.argv[1])))
    except KeyError as error:
        sys.exit(f"{error.args[0]} is not set: this runs in CI, for a pull or merge request.")
    except OSError as error:
        sys.exit(f"{sys.argv[1]}: {error.strerror}. `make changes` writes it.")
    except CommentError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
