"""The release of the tests of the template."""

from tests.template.conftest import released  # noqa: F401 (a fixture: pytest finds it by name here)
