"""The tutorial typed as it stands, with packages from the registry."""

import resource
from pathlib import Path

import pytest

from tests.ci.running import let_be_set_up
from tests.stores.fixtures import access
from tests.template.projects import clone_of_template, release
from tests.template.tutorial import follow


def test_the_tutorial_takes_less_than_four_minutes_of_the_machine(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    store = access(request, "seaweed")
    clone = clone_of_template(tmp_path / "template")
    release(clone, "999.0.0")
    let_be_set_up(clone.root)  # the project sets up its own environment
    cache = clone.run("uv", "cache", "dir").stdout.strip()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    follow(clone, tmp_path, store, UV_CACHE_DIR=cache)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"{seconds:.0f} s of processor time")
    # The commands set up two environments: the project's and that of the colleague's clone.
    assert seconds < 240
