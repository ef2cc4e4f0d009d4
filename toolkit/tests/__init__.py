"""The tests."""

import os
import sys
from pathlib import Path

#: By default, each command of DVC starts two more processes, which send statistics and ask for
#: DVC's newest release.
os.environ.setdefault("DVC_TEST", "true")

#: Container images set it. Without bytecode, each program, this one too, compiles all that it
#: imports.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

#: The folder that holds this package, and beside it the pages and benchmarks that are about the
#: code under test. It is no project for tests to read: those are copies of `fixture_project`.
TESTS_ROOT = Path(__file__).parents[1]
