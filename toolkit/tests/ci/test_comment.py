"""The report becomes one comment, which later runs update."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ci.forge_api import MAX_BODY_CHARACTERS, OURS, TOKEN, Forge, serving, variables
from tests.end_to_end.clones import REPOSITORY

MARKER = "<!-- bucket report -->"
FORGES = ("GitHub", "GitLab")
OTHER = {"id": 6, "login": "author", "username": "author"}
PLACES = {
    "GitHub": (
        "/repos/group/project/issues/7/comments",
        "PATCH /repos/group/project/issues/comments",
    ),
    "GitLab": ("/projects/1/merge_requests/7/notes", "PUT /projects/1/merge_requests/7/notes"),
}


@pytest.fixture
def forge() -> Iterator[Forge]:
    with serving() as running:
        yield running


def comment(
    report: Path, text: str | None, env: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run the script as a job does, with what the forge says and nothing else."""
    if text is not None:
        report.write_text(text)
    done = subprocess.run(
        [REPOSITORY / ".ci/comment.py", report],
        env={"PATH": os.environ["PATH"], **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert TOKEN not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


@pytest.mark.parametrize("kind", FORGES)
def test_a_report_is_written_once_and_then_updated(forge: Forge, tmp_path: Path, kind: str) -> None:
    env, report = variables(forge, kind), tmp_path / "report.md"
    new, known = PLACES[kind]
    for number in range(120):  # more than a page
        forge.add(f"Comment {number}", OTHER)
    forge.add(f"{MARKER}\nNot by us", OTHER)
    forge.add("By us, of something else", OURS)
    assert comment(report, f"{MARKER}\nFirst: é", env).stdout == "Comment written.\n"
    assert comment(report, f"{MARKER}\nSecond", env).stdout == "Comment updated.\n"
    [ours] = [one for one in forge.comments if one["id"] == 222]
    assert ours["body"] == f"{MARKER}\nSecond"
    assert forge.writes == [f"POST {new}", f"{known}/222"]
    assert len(forge.comments) == 123


@pytest.mark.parametrize("kind", FORGES)
def test_what_is_too_long_is_cut_at_a_line_and_says_where_the_rest_is(
    forge: Forge, tmp_path: Path, kind: str
) -> None:
    text = f"{MARKER}\n" + "| a row | of a table |\n" * 5000
    assert comment(tmp_path / "report.md", text, variables(forge, kind)).returncode == 0
    body = forge.comments[0]["body"]
    assert MAX_BODY_CHARACTERS - 1000 < len(body) <= MAX_BODY_CHARACTERS
    assert "table |\n\n*Cut here: the whole report is among the artifacts of this run.*\n" in body


def test_a_fault_of_the_moment_is_waited_out(forge: Forge, tmp_path: Path) -> None:
    forge.faults = [502]
    done = comment(tmp_path / "report.md", f"{MARKER}\nOnce", variables(forge, "GitHub"))
    assert done.stdout == "Comment written.\n"
    assert len(forge.comments) == 1


def test_a_refusal_is_one_sentence(forge: Forge, tmp_path: Path) -> None:
    env = variables(forge, "GitHub")
    done = comment(tmp_path / "report.md", f"{MARKER}\n", env | {"GITHUB_TOKEN": "another"})
    assert done.returncode == 1
    assert done.stderr.endswith("answers 401 Unauthorized.\n")
    assert len(done.stderr.splitlines()) == 1


def test_what_is_missing_is_named(forge: Forge, tmp_path: Path) -> None:
    env, report = variables(forge, "GitLab"), tmp_path / "report.md"
    done = comment(report, None, env)
    assert done.returncode == 1
    assert done.stderr == f"{report}: No such file or directory. `make changes` writes it.\n"
    done = comment(report, "Anything", env)
    assert done.returncode == 1
    assert "it is no report" in done.stderr
    done = comment(report, f"{MARKER}\n", env | {"GITLAB_TOKEN": ""})
    assert done.returncode == 0
    assert "among the artifacts" in done.stdout
    del env["CI_MERGE_REQUEST_IID"]
    done = comment(report, None, env)
    assert done.returncode == 1
    assert done.stderr.startswith("CI_MERGE_REQUEST_IID is not set")
    assert not forge.writes


def test_the_report_begins_with_the_line_that_the_script_looks_for() -> None:
    script = (REPOSITORY / ".ci/comment.py").read_text()
    assert f'MARKER = "{MARKER}"' in script
    told = [
        path
        for path in (REPOSITORY / "toolkit/src/dvc_bucket").rglob("*.py")
        if MARKER in path.read_text()
    ]
    assert told
