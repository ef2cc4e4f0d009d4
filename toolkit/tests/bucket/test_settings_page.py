"""docs/settings.md has every setting, and none that the code does not know."""

import re

from dvc_bucket.base.project_settings import ProjectSettings
from dvc_bucket.connection.settings import NAMES
from tests import TESTS_ROOT

#: What a library or a tool of ours reads.
OF_OTHERS = {"NO_COLOR", "UV_COMPILE_BYTECODE"}


def test_the_page_of_settings_has_all_and_no_other() -> None:
    page = (TESTS_ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    rows = set(re.findall(r"^\| `([^`=]+)(?:=\w+)?` \|", page, re.MULTILINE))
    names = {name for group in NAMES.values() for name in group if name.startswith("OS_")}
    keys = {name.replace("_", "-") for name in ProjectSettings.model_fields}
    assert names | keys <= rows
    code = "".join(path.read_text(encoding="utf-8") for path in (TESTS_ROOT / "src").rglob("*.py"))
    assert not [name for name in rows - keys - OF_OTHERS if name not in code]
