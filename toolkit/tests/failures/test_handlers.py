"""Broad handlers stand at edges only, and say which: each is here."""

import ast
from collections import Counter
from pathlib import Path

from tests import TESTS_ROOT

SOURCES = TESTS_ROOT / "src" / "dvc_bucket"

#: Files with handlers of everything, and how many each has.
HANDLERS = {
    "base/files.py": 2,
    "cli/__init__.py": 1,
    "connection/entry_points.py": 2,
    "connection/retries.py": 1,
    "dvc/audit/deep.py": 1,
    "dvc/audit/needed.py": 1,
    "dvc/lock/driver.py": 1,
    "dvc/patched/baton.py": 1,
    "dvc/patched/command_line.py": 1,
    "dvc/patched/leftovers.py": 1,
    "dvc/patched/repository.py": 1,
    "dvc/patched/side_by_side.py": 1,
    "dvc/patched/stage_runner/__main__.py": 1,
    "dvc/written.py": 1,
    "jobs/check/differences/__init__.py": 1,
    "jobs/doctor/check.py": 1,
    "jobs/doctor/probes.py": 2,
    "jobs/doctor/rights.py": 2,
    "jobs/lfs/agent.py": 2,
    "read/filesystem.py": 1,
    "stages/executors.py": 1,
    "stages/resume.py": 1,
    "store/server.py": 1,
    "connection/by_botocore.py": 1,
    "transfer/errors.py": 1,
    "transfer/files.py": 1,
    "transfer/pool.py": 1,
    "transfer/unlisted.py": 1,
}

BROAD = {"Exception", "BaseException"}


def lines(path: Path) -> list[int]:
    """Lines of a file with a handler of everything."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ExceptHandler):
            kinds = ast.walk(node.type) if node.type else [ast.Name("Exception")]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("suppress"):
            kinds = iter(node.args)
        else:
            continue
        if any(isinstance(kind, ast.Name) and kind.id in BROAD for kind in kinds):
            found.append(node.lineno)
    return found


def test_each_handler_of_everything_is_known_and_says_at_which_edge_it_is() -> None:
    found = Counter[str]()
    for path in SOURCES.rglob("*.py"):
        text = path.read_text(encoding="utf-8").splitlines()
        for line in lines(path):
            name = path.relative_to(SOURCES).as_posix()
            found[name] += 1
            assert "#" in text[line - 1], f"{name}, line {line}: at which edge is it?"
    assert found == HANDLERS
