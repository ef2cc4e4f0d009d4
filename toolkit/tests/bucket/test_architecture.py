"""The page that says how the toolkit is built names what is there."""

import re
import tomllib

from tests import TESTS_ROOT

PAGE = (TESTS_ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
SOURCES = TESTS_ROOT / "src" / "dvc_bucket"

#: A paragraph on a layer: its name, and the text.
LAYER = re.compile(r"^\*\*`(\w+)`\*\*: (.*?)\n\n", re.DOTALL | re.MULTILINE)


def test_every_module_that_it_names_exists() -> None:
    named = re.findall(r"`([a-z_]+(?:/[a-z_]+)+(?:\.py)?)`", PAGE)
    assert len(named) > 40
    assert [name for name in named if not (SOURCES / name).exists()] == []


def test_it_has_the_layers_that_the_linter_holds_and_all_jobs() -> None:
    configured = tomllib.loads((TESTS_ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = dict(LAYER.findall(PAGE))
    assert [f"dvc_bucket.{name}" for name in layers] == configured["contracts"][0]["layers"]
    listed = layers["jobs"].partition(": ")[2].partition(".")[0]
    jobs = {path.stem for path in (SOURCES / "jobs").iterdir() if not path.stem.startswith("_")}
    assert re.split(r",\s", listed) == sorted(jobs)
