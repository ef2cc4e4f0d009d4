"""The places inside DVC that the toolkit uses are as tested, and are used."""

import ast
import importlib
import inspect
import re
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

import dvc_bucket
from dvc_bucket.dvc.patched import install, remotes, stage_touch_points, touch_points
from dvc_bucket.dvc.patched.differences import RANGE, TESTED, different, signature_of
from tests import TESTS_ROOT

#: Tables of places, each by the name of its use.
TABLES: dict[str, dict[str, str]] = {
    name: table
    for name, table in (vars(touch_points) | vars(stage_touch_points)).items()
    if name.isupper() and isinstance(table, dict)
}


def test_this_dvc_has_every_place_as_tested() -> None:
    found = [place for table in TABLES.values() for place in different(table)]
    assert found == [], (
        f"DVC changed these since {TESTED}; dvc_bucket.dvc.patched.touch_points says what for"
    )


def test_the_releases_are_those_that_were_read() -> None:
    found = {name: version(name) for name in TESTED}
    assert found == TESTED, "read the places in dvc_bucket.dvc.patched.touch_points again"


def test_the_project_allows_the_releases_of_the_tested_minor_version_alone() -> None:
    project = tomllib.loads((TESTS_ROOT / "pyproject.toml").read_text())["project"]
    assert RANGE in project["dependencies"]
    assert re.fullmatch(rf"dvc>={TESTED['dvc'][:4]},<3\.{int(TESTED['dvc'][2:4]) + 1}", RANGE)


@pytest.mark.parametrize(
    ("place", "signature"),
    [
        ("inspect:cleandoc", "doc"),
        ("shutil:copyfile", "src, dst, *, follow_symlinks="),
        ("functools:partial.__call__", "self, /, *args, **kwargs"),
        ("string:Formatter.format", "self, format_string, /, *args, **kwargs"),
        ("pathlib:Path.cwd", "cls"),
        ("pathlib:Path", "class"),
        ("pathlib:PurePath.name", "attribute"),
        ("logging:Handler.level", "attribute"),
        ("pathlib:Path.nowhere", None),
        ("pathlib:Nowhere.name", None),
        ("no_such_module:name", None),
    ],
)
def test_a_signature_has_names_kinds_and_defaults(place: str, signature: str | None) -> None:
    assert signature_of(place) == signature


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

    from dvc_bucket.dvc.patched.copy import copy

    theirs, ours = inspect.signature(generic.copy), inspect.signature(copy)
    assert list(theirs.parameters) == list(ours.parameters)


def collect() -> Any:
    return getattr(importlib.import_module("dvc_data.index.fetch"), "collect")  # noqa: B009


@pytest.mark.usefixtures("fast")
def test_installed_and_taken_back() -> None:
    from dvc_objects.fs import generic, registry

    from dvc_bucket.dvc.patched.s3 import FastS3FileSystem

    assert registry["s3"] is FastS3FileSystem
    assert generic.copy is remotes._copy
    assert collect().__module__ == "dvc_bucket.dvc.patched.gathered"
    install.uninstall()
    assert registry["s3"].__module__ == "dvc_s3"
    assert generic.copy.__module__ == generic.__name__
    assert collect().__module__ == "dvc_data.index.collect"


def test_no_other_module_imports_what_is_private_to_dvc() -> None:
    """`dvc.api` is DVC's only public module."""
    source, patched = (Path(inspect.getfile(one)).parent for one in (dvc_bucket, install))
    found = []
    for path in sorted(source.rglob("*.py")):
        name = path.relative_to(source).as_posix()
        if path.is_relative_to(patched):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                modules = [f"{node.module}.{one.name}" for one in node.names]
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                is_name = re.fullmatch(IMPORTABLE, node.value) and node.value not in FILES
                modules = [node.value] if is_name else []
            found += [f"{name}: {one}" for one in modules if re.match(PRIVATE, f"{one}.")]
    assert found == []


#: Packages that are DVC's inside; a name that could be given to `import_module`.
PRIVATE = r"(dvc|dvc_data|dvc_objects|dvc_s3|dvc_render)\.(?!api\.|$)"
IMPORTABLE = r"dvc\w*(\.[a-z_]+)+"
FILES = {"dvc.lock", "dvc.log", "dvc.yaml"}
