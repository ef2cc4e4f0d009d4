"""One release and the tree of it, for the tests of the template."""

from pathlib import Path

import pytest

from tests.clones import Clone
from tests.template.projects import clone_of_template, release, tree_of_release

#: The version that these tests release: newer than any.
VERSION = "999.0.0"


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone of the template with a release; read only."""
    clone = clone_of_template(tmp_path_factory.mktemp("released") / "template")
    release(clone, VERSION)
    return clone


@pytest.fixture(scope="session")
def template(released: Clone, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of that release."""
    return tree_of_release(released, tmp_path_factory.mktemp("tree") / "template")
