"""A minute without a store ends no command: it waits, and then does its work."""

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from dvc_bucket import Project, Settings
from tests.bucket.store_tools import BUCKET
from tests.lfs.lfs_tools import add_files, clone_of, contents_of, make_origin, needs_git_lfs
from tests.stores.fault_proxy import FaultProxy
from tests.stores.faults import Faults
from tests.stores.fixtures import access
from tests.verify.conftest import originals  # noqa: F401 (a fixture)
from tests.verify.published import FILES, Published

#: How long it is away, in seconds, and what it does meanwhile.
MINUTE = 60
WEATHER = {
    "503": Faults("status", burst=(MINUTE, 3600)),
    "429": Faults("status", burst=(MINUTE, 3600), status=429, retry_after="7"),
    "reset": Faults("reset", burst=(MINUTE, 3600)),
    "refused": Faults(),
    "silent": Faults("silent", burst=(MINUTE, 3600)),
}


def without_data(project: Published) -> None:
    shutil.rmtree(project.root / ".dvc" / "cache")
    for path in FILES:
        (project.root / path).unlink()


def without_objects(project: Published) -> None:
    for key in project.keys:
        project.delete(key)


def as_it_is(_: Published) -> None:
    """Nothing is taken from it."""


#: What is taken from a project before each command.
COMMANDS: dict[tuple[str, ...], Callable[[Published], None]] = {
    ("push",): without_objects,
    ("pull",): without_data,
    ("fetch",): without_data,
    ("cp", "images", "COPY"): without_data,
    ("cat", "table.csv"): without_data,
    ("ls", "s3://BUCKET/PREFIX/"): as_it_is,
    ("verify", "--deep"): as_it_is,
    ("status", "-c"): as_it_is,
    ("gc", "-w", "-c", "-f"): as_it_is,
}


@pytest.fixture
def projects(
    originals: dict[str, Published],  # noqa: F811
    tmp_path: Path,
) -> dict[tuple[str, ...], Published]:
    """One for each command."""
    made = {}
    for number, (words, take) in enumerate(COMMANDS.items()):
        made[words] = originals["seaweed"].copy(tmp_path / str(number))
        take(made[words])
    return made


@pytest.mark.parametrize("name", WEATHER)
def test_every_command_outlives_a_minute(
    name: str,
    projects: dict[tuple[str, ...], Published],
    store: Project,
    good_certificate: Path,
) -> None:
    with FaultProxy(Settings.load(store).port, certificate=good_certificate) as proxy:
        for project in projects.values():
            env = project.project.env_file
            env.write_text(env.read_text().replace(project.store.endpoint_url, proxy.url))

        def run(words: tuple[str, ...]) -> str:
            project = projects[words]
            places = {"BUCKET": project.store.bucket, "PREFIX": project.prefix}
            places["COPY"] = str(project.root.parent / f"copy-{project.root.name}")
            named = [word.replace("COPY", places["COPY"]) for word in words]
            for place in ("BUCKET", "PREFIX"):
                named = [word.replace(place, places[place]) for word in named]
            clone = replace(project.clone, timeout=240)
            done = clone.run(BUCKET, *named, check=False)
            return f"{' '.join(words)}: {done.returncode} {done.stderr}"

        proxy.faults = WEATHER[name]
        if name == "refused":
            proxy.go_down(MINUTE)
        with ThreadPoolExecutor(len(COMMANDS)) as pool:
            results = list(pool.map(run, COMMANDS))
    print("\n".join(results))
    assert [result for result in results if ": 0 " not in result] == []
    assert all("tried again" in result for result in results)


@needs_git_lfs
@pytest.mark.parametrize("name", WEATHER)
def test_git_lfs_outlives_a_minute(
    request: pytest.FixtureRequest,
    name: str,
    store: Project,
    good_certificate: Path,
    tmp_path: Path,
) -> None:
    with FaultProxy(Settings.load(store).port, certificate=good_certificate) as proxy:
        behind = replace(access(request, "seaweed"), endpoint_url=proxy.url)
        origin = make_origin(tmp_path / "clone", behind)
        contents = add_files(origin, {"small": 1000, "in parts": 20_000_000})

        def outlive(clone: Published, *words: str) -> None:
            proxy.faults = WEATHER[name]
            if name == "refused":
                proxy.go_down(MINUTE)
            replace(clone.clone, timeout=240).run(*words)

        outlive(origin, "git", "push", "-q", "-u", "origin", "main")
        proxy.faults = Faults()
        other = clone_of(origin, tmp_path / "other")
        outlive(other, "git", "lfs", "pull")
        assert contents_of(other) == contents
