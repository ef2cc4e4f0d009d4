"""Which jobs run when, and which of them can see a key: what the linters do not prove."""

import re
from collections.abc import Mapping
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests import TESTS_ROOT
from tests.ci.forges import FORGES, GITHUB, GITLAB, Event, GitHub, GitLab
from tests.end_to_end.clones import REPOSITORY

EVENTS = {
    "push, no bucket": (Event("push"), {"tests", "embedded"}),
    "push": (Event("push", has_bucket=True), {"tests", "bucket", "push"}),
    "push of a branch": (Event("push", "topic", has_bucket=True), {"tests", "bucket"}),
    "push of a branch, no bucket": (Event("push", "topic"), {"tests", "embedded"}),
    "request": (Event("request", has_bucket=True), {"tests", "bucket", "comment"}),
    "request, no bucket": (Event("request"), {"tests", "embedded", "comment"}),
    "fork": (Event("request", is_fork=True), {"tests", "embedded"}),
    "fork, run here": (Event("request", is_fork=True, has_bucket=True), {"tests", "embedded"}),
    "push, with a site": (Event("push", has_pages=True), {"tests", "embedded", "pages"}),
    "push of a branch, with a site": (
        Event("push", "topic", has_pages=True),
        {"tests", "embedded"},
    ),
    "request, with a site": (Event("request", has_pages=True), {"tests", "embedded", "comment"}),
    "fork, with a site": (
        Event("request", is_fork=True, has_pages=True),
        {"tests", "embedded"},
    ),
    "week": (Event("schedule", has_bucket=True), {"tests", "bucket", "pythons", "macos"}),
    "week, no bucket": (Event("schedule"), {"tests", "embedded", "pythons", "macos"}),
}


@pytest.mark.parametrize(("event", "jobs"), EVENTS.values(), ids=EVENTS.keys())
@pytest.mark.parametrize("forge", FORGES)
def test_each_event_starts_its_jobs(
    forge: type[GitHub | GitLab], event: Event, jobs: set[str]
) -> None:
    started = forge(event).jobs
    assert set(started) == jobs
    weekly = "--times 2 --kernels" if event.kind == "schedule" else ""
    for name in {"embedded", "bucket"} & jobs:
        assert started[name].env["CHECK_ARGS"] == weekly


def test_the_other_systems_run_by_hand_too_and_at_gitlab_where_a_runner_has_macos() -> None:
    assert {"pythons", "macos"} < set(GitHub(Event("workflow_dispatch")).jobs)
    assert "macos" not in GitLab(Event("schedule", has_mac=False)).jobs


def test_every_python_of_the_lock_files_runs() -> None:
    github = workflow()["jobs"]["pythons"]["strategy"]["matrix"]["python"]
    [gitlab] = GitLab(Event("schedule")).jobs["pythons"].definition["parallel"]["matrix"]
    assert github == gitlab["VERSION"]
    listed = re.findall(r"for python in (.+); do", (TESTS_ROOT / "platforms").read_text())
    assert [" ".join(["3.11", *github])] == listed


def test_dependabot_is_served_like_a_fork() -> None:
    event = Event("request", by_bot=True, has_bucket=True)
    assert set(GitHub(event).jobs) == {"tests", "embedded"}


@pytest.mark.parametrize("forge", FORGES)
def test_only_two_jobs_have_the_environments_with_keys_and_no_fork_starts_one(
    forge: type[GitHub | GitLab],
) -> None:
    known = {
        name: job.environment
        for event, _ in EVENTS.values()
        for name, job in forge(event).jobs.items()
        if job.environment.startswith("bucket-")
    }
    assert known == {"bucket": "bucket-read", "push": "bucket-write"}
    for event, _ in EVENTS.values():
        if event.is_fork:
            assert not any(job.environment for job in forge(event).jobs.values())


def strings(value: object) -> list[str]:
    """All strings in a part of a file."""
    if isinstance(value, Mapping):
        return [text for one in value.values() for text in strings(one)]
    if isinstance(value, list):
        return [text for one in value for text in strings(one)]
    return [str(value)]


def workflow() -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe").load(GITHUB)
    return loaded


def test_github_gives_secrets_to_single_steps_of_those_jobs_and_to_nothing_else() -> None:
    file = workflow()
    jobs = file.pop("jobs")
    assert not [text for text in strings(file) if "secrets" in text]
    for name, job in jobs.items():
        steps = job.pop("steps")
        assert not [text for text in strings(job) if "secrets" in text], name
        for step in steps:
            found = [text for text in strings(step) if "secrets." in text]
            assert not found or name in {"bucket", "push"}
            assert found == [text for text in strings(step.get("env", {})) if "secrets." in text]
            assert not found or re.match(r"make (check|verify|changes|reproduce) ", step["run"])
    text = GITHUB.read_text()
    assert "pull_request_target" not in text
    assert "workflow_run" not in text
    assert "inherit" not in text


def test_github_actions_are_the_forges_own_by_commit() -> None:
    used = re.findall(r"uses: (\S+) ?(.*)", GITHUB.read_text())
    assert used
    for action, comment in used:
        assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", action)
        assert re.fullmatch(r"# v\d+\.\d+\.\d+", comment)


def test_github_tokens_may_read_and_one_may_comment_and_one_may_publish_the_site() -> None:
    file = workflow()
    assert file["permissions"] == {}
    wider = {
        "comment": {"contents": "read", "pull-requests": "write"},
        "pages": {"pages": "write", "id-token": "write"},
    }
    for name, job in file["jobs"].items():
        assert job["permissions"] == wider.get(name, {"contents": "read"})
        assert job["timeout-minutes"]
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False


def cached(job: Mapping[str, Any]) -> set[str]:
    """Paths that a job keeps from run to run."""
    steps = [step for step in job.get("steps", ()) if "actions/cache" in step.get("uses", "")]
    paths = [path for step in steps for path in step["with"]["path"].split()]
    paths += [path for one in job.get("cache", ()) for path in one["paths"]]
    return set(paths)


@pytest.mark.parametrize("file", [GITHUB, GITLAB])
def test_caches_hold_no_data_of_a_private_bucket_and_the_job_that_writes_has_none(
    file: Any,
) -> None:
    loaded = YAML(typ="safe").load(file)
    jobs = loaded.get("jobs", loaded)
    assert not cached(jobs["push"])
    assert not cached(jobs["comment"])
    for name in ("tests", "embedded", "bucket"):
        paths = cached(jobs[name])
        assert {path.rpartition("/")[2] for path in paths - {".dvc/cache"}} == {"pip", "uv"}
        assert (".dvc/cache" in paths) == (name == "embedded")
    text = file.read_text()
    assert "requirements-dev.lock" in text
    assert "dvc.lock" in text


def test_the_weekly_run_begins_with_nothing() -> None:
    for job in workflow()["jobs"].values():
        for step in job["steps"]:
            if "actions/cache" in step.get("uses", ""):
                assert step["if"] == "github.event_name != 'schedule'"
    for job in GitLab(Event("schedule")).jobs.values():
        if caches := job.definition["cache"]:
            assert {one["policy"] for one in caches} == {"$CACHE_POLICY"}
            assert job.env["CACHE_POLICY"] == "push"  # it is not pulled, only written


def test_both_files_run_the_same() -> None:
    for event, _ in EVENTS.values():
        both = [forge(event).jobs for forge in FORGES]
        for name in both[0].keys() & both[1].keys():
            ours = [
                {
                    re.sub(r"--base \S+", "--base", line).removeprefix("sudo ")
                    for script in jobs[name].scripts
                    if script.is_wanted
                    for line in script.lines
                    if re.match(r"(sudo )?(make|\.ci/)", line)
                }
                for jobs in both
            ]
            # GitLab decides in the script what GitHub decides by a step's condition.
            extra = ours[1] - ours[0]
            assert ours[0] <= ours[1]
            weekly = "-C toolkit (golden|newest-dvc|platforms)$"
            assert all(re.match(f"make (changes |verify |{weekly})", line) for line in extra)


def test_the_dear_lines_are_those_of_our_own_ci() -> None:
    """`.ci/run` runs them for real; tests/end_to_end the others, tests/soak every one."""
    own = (REPOSITORY / ".ci/run").read_text()
    for line in ("make lint", "make secrets", "make test", "make docs", ".ci/packages"):
        assert re.search(rf"^{re.escape(line)}$", own, re.MULTILINE)
    assert 'check ARGS="--times 2 --kernels"' in own
