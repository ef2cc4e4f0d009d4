"""The places inside DVC that the fast way relies on are where they were, and are used."""

import importlib
import inspect
import subprocess
import sys
from importlib.metadata import version
from typing import Any

import pytest

from bucket.dvc_plane.patched import install


def test_this_dvc_has_every_place() -> None:
    assert install.missing() == [], (
        f"DVC moved these since {install.TESTED}; bucket.dvc_plane.internals says what for"
    )


def test_the_releases_are_those_that_were_read() -> None:
    found = {name: version(name) for name in install.TESTED}
    assert found == install.TESTED, "read the places in bucket.dvc_plane.internals again"


def test_dvc_looks_the_copy_function_up_when_it_calls_it() -> None:
    """In the module, that is: so replacing it there reaches every caller."""
    from dvc import fs
    from dvc.stage import cache
    from dvc_objects import db
    from dvc_objects.fs import generic

    assert "return copy(" in inspect.getsource(generic._try_links)
    source = inspect.getsource(generic.transfer)
    assert " copy(" in source
    assert "import copy" not in source
    assert "generic.transfer(" in inspect.getsource(db.ObjectDB.add)
    assert "generic.copy(" in inspect.getsource(fs.download)
    assert "fs.generic.copy" in inspect.getsource(cache.StageCache.transfer)


def test_dvc_gets_the_collecting_function_when_it_needs_it() -> None:
    """By name, with the arguments that keep its list on disk."""
    fetch, push = (importlib.import_module(f"dvc.repo.{name}") for name in ("fetch", "push"))
    for function in (fetch.fetch, push.push):
        source = inspect.getsource(inspect.unwrap(function))
        assert "from dvc_data.index.fetch import collect" in source
        assert "cache_index=self.data_index" in source
        assert "cache_key=cache_key" in source


def test_the_copy_function_takes_what_it_took() -> None:
    from dvc_objects.fs import generic

    from bucket.dvc_plane.patched.copy import copy

    theirs, ours = inspect.signature(generic.copy), inspect.signature(copy)
    assert list(theirs.parameters) == list(ours.parameters)


def test_a_dvc_that_moved_something_runs_as_it_is_and_says_so() -> None:
    program = (
        "import sys, dvc_objects.fs.generic as g; del g.copy\n"
        "from bucket.dvc_plane import process\n"
        "sys.exit(process.main(['--version']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == version("dvc")
    assert "bucket: this DVC has no dvc_objects.fs.generic.copy," in done.stderr
    assert len(done.stderr.splitlines()) == 1


def collect() -> Any:
    return getattr(importlib.import_module("dvc_data.index.fetch"), "collect")  # noqa: B009


@pytest.mark.usefixtures("fast")
def test_installed_and_taken_back() -> None:
    from dvc_objects.fs import generic, registry

    from bucket.dvc_plane.patched.s3 import FastS3FileSystem

    assert registry["s3"] is FastS3FileSystem
    assert generic.copy is install._copy
    assert collect() is install._collect
    install.uninstall()
    assert registry["s3"].__module__ == "dvc_s3"
    assert generic.copy.__module__ == generic.__name__
    assert collect().__module__ == "dvc_data.index.collect"
