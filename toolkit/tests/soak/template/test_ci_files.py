"""Every job of the two CI files, from its first line to its last, in fresh clones.

The embedded store plays the store of the job itself, Swift behind TLS the project's own bucket, and
a small server the forges' APIs. `make test` is run once, though both files have it.
"""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from dvc_bucket import Project
from dvc_bucket.base import ports
from tests.ci import running
from tests.ci.forge_api import Forge, serving, variables
from tests.ci.forges import Event, GitHub, GitLab
from tests.clones import Clone
from tests.conftest import discard
from tests.end_to_end.clones import REPOSITORY
from tests.stores.access import StoreAccess
from tests.stores.fixtures import access

#: Of whoever runs the tests; a runner has none of these.
FOREIGN = ("OS_", "AWS_", "DVC_", "GIT_", "MAKE", "MFLAGS", "PYTEST_", "PYTHON", "VIRTUAL_ENV")

#: What is secret of a connection.
KEYS = {"OS_ACCESS_KEY_ID", "OS_SECRET_ACCESS_KEY"}

#: They start every job. A fork's request starts no other than the first; what the weekly run has
#: otherwise is a line of `.ci/run`. The bucket is filled before a request is held against it.
EVENTS = {
    "request": Event("request"),
    "push, bucket": Event("push", has_bucket=True),
    "request, bucket": Event("request", has_bucket=True),
}


def git(root: Path, *words: str) -> str:
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.org")
    command = ["git", *identity, *words]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    return done.stdout.strip()


class Runner:
    """A fresh clone, and the shells that run in it."""

    def __init__(self, root: Path, source: Path) -> None:
        subprocess.run(["git", "clone", "-q", str(source), str(root)], check=True)
        machine = {name: os.environ[name] for name in os.environ if not name.startswith(FOREIGN)}
        self.root, self.clone = root, Clone(root, machine, timeout=1800)
        self.endpoint = f"http://127.0.0.1:{ports.free_ports(1)[0]}"
        self.log = ""

    def run(self, text: str, env: dict[str, str]) -> None:
        """Run a script as a runner does."""
        done = running.run(self.clone, text, env, endpoint=self.endpoint)
        self.log += done.stdout + done.stderr


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository at its commit, and a topic merged into it as GitHub does for a pull request.

    Swift's bucket has the name that `.dvc/config` has; where it is, variables say.
    """
    root = tmp_path_factory.mktemp("source") / "project"
    subprocess.run(["git", "clone", "-q", str(REPOSITORY), str(root)], check=True)
    git(root, "switch", "-q", "-C", "main")
    git(root, "switch", "-q", "-c", "topic")
    git(root, "commit", "-q", "--allow-empty", "-m", "A topic")
    git(root, "switch", "-q", "main")
    git(root, "merge", "-q", "--no-ff", "-m", "The merge", "topic")
    return root


@pytest.fixture(scope="module")
def store(request: pytest.FixtureRequest) -> StoreAccess:
    return access(request, "swift")


@pytest.fixture
def forge_api() -> Iterator[Forge]:
    with serving() as api:
        yield api


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where GitLab's jobs keep packages; each finds those of the one before."""
    return tmp_path_factory.mktemp("cache")


#: The job `tests` is the same whatever the event, and `make test` the same in both files.
DONE: set[str] = set()


def is_new(what: str) -> bool:
    """Whether it was not there before."""
    known = what in DONE
    DONE.add(what)
    return not known


@pytest.mark.parametrize("name", EVENTS)
@pytest.mark.parametrize("kind", ["GitHub", "GitLab"])
def test_all_jobs_of_an_event_succeed(
    kind: str,
    name: str,
    source: Path,
    store: StoreAccess,
    cache: Path,
    forge_api: Forge,
    tmp_path: Path,
) -> None:
    event = EVENTS[name]
    if event.kind == "push":
        empty(store)
    connection = store.env if event.has_bucket else {}
    keys = {name: value for name, value in connection.items() if name in KEYS}
    token: dict[str, str] = {}
    api = variables(forge_api, kind) if event.kind == "request" else {}
    told = {"CI": "true"}
    forge: GitHub | GitLab
    if kind == "GitHub":
        given = {f"{'secrets' if n in KEYS else 'vars'}.{n}": v for n, v in connection.items()}
        forge = GitHub(event, given | {"github.token": api.pop("GITHUB_TOKEN", "")})
        told |= api | {"GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md")}
    else:
        told |= {"CI_MERGE_REQUEST_DIFF_BASE_SHA": git(source, "rev-parse", "main^1")}
        plain = {name: value for name, value in connection.items() if name not in KEYS}
        token = {"GITLAB_TOKEN": api.pop("GITLAB_TOKEN", "")}
        forge = GitLab(event, plain | api | {"CI_PROJECT_DIR": str(cache)})
    kept = tmp_path / "ci-report"
    for job in forge.jobs.values():
        if job.name == "tests" and not is_new(f"{kind} {job.name}"):
            continue
        runner = Runner(tmp_path / job.name, source)
        # Variables of an environment of GitLab's are for its jobs alone.
        scopes = {"bucket-read": keys, "bucket-write": keys, "merge-request": token}
        scoped = scopes.get(job.environment, {}) if kind == "GitLab" else {}
        if job.name == "comment":
            kept.rename(runner.root / "ci-report")  # the artifact of the job before
        try:
            for text, env in running.scripts(forge, job):
                is_known = "make test" in text and not is_new("make test")
                text = text.replace("make test", "true") if is_known else text
                runner.run(text, told | env | scoped)
        finally:
            discard(Project(runner.root))
        check_outcome(event, job.name, runner, store)
        if job.name in {"embedded", "bucket"} and event.kind == "request":
            (runner.root / "ci-report").rename(kept)
    wanted = ["<!-- bucket report -->"] if event.kind == "request" else []
    assert [one["body"][:22] for one in forge_api.comments] == wanted


def empty(store: StoreAccess) -> None:
    """Have the bucket as before the first push."""
    for key in store.keys("flight-delays/"):
        store.client().delete_object(Bucket=store.bucket, Key=key)


def check_outcome(event: Event, job: str, runner: Runner, store: StoreAccess) -> None:
    """What each job has proved, and that no key is to be seen."""
    assert store.secret_access_key not in runner.log
    where = store.endpoint_url if event.has_bucket else runner.endpoint
    if job in {"embedded", "bucket"}:
        assert "identical" in runner.log
        is_request = event.kind == "request"
        assert (runner.root / "ci-report/report.md").is_file() == is_request
        assert (f"at {where}" in runner.log) == is_request  # verified
    if job == "push":
        assert "NOT complete" in runner.log  # before
        assert re.search(r"\nPushed \d+ objects", runner.log)
        assert "\nComplete: " in runner.log  # after
    assert "NOT complete" not in runner.log or job == "push"
    assert git(runner.root, "status", "--porcelain") == ""
