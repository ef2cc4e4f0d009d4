"""What docs/git-lfs.md says to type, typed."""

import re
import shlex
from pathlib import Path

import pytest

from tests import TESTS_ROOT
from tests.lfs.lfs_tools import make_origin, needs_git_lfs, settle
from tests.stores.fixtures import access
from tests.verify.published import Published

pytestmark = needs_git_lfs

PAGE = (TESTS_ROOT / "docs" / "git-lfs.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"^```sh ([a-z-]+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))


def typed(clone: Published, text: str) -> str:
    return clone.clone.run("bash", "-c", f"set -euo pipefail\n{text}").stdout


def test_the_page_from_the_top(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    clone = make_origin(tmp_path / "clone", access(request, "seaweed"))
    clone.clone.run("bucket", "lfs", "setup", "--undo")
    contents = {name: name.encode() * 999 for name in ("map.png", "plot.png")}
    (clone.root / "figures").mkdir()
    for name, content in contents.items():
        (clone.root / "figures" / name).write_bytes(content)
    typed(clone, BLOCKS["setup"] + BLOCKS["commit"].replace("git push", "git push -u origin main"))
    assert "figures/map.png" in clone.git("lfs", "ls-files")
    typed(clone, BLOCKS["to-dvc"])
    assert "map.png" not in clone.git("lfs", "ls-files")
    assert clone.verify("HEAD").objects == 1
    typed(clone, BLOCKS["to-lfs"])
    assert "figures/map.png" in clone.git("lfs", "ls-files")
    assert not (clone.root / "figures" / "map.png.dvc").exists()
    assert "2 objects" in typed(clone, BLOCKS["verify"].splitlines()[0])

    # A new clone; instead of `make setup` and `make init`, which have tests of their own, settled.
    first, *rest = BLOCKS["clone"].splitlines()
    url = str(clone.root.parent / "origin.git")
    typed(clone, first.replace("URL", shlex.quote(url)).replace("my-clone", "../my-clone"))
    other = Published(tmp_path / "my-clone", clone.store, clone.prefix)
    settle(other)
    assert rest[:4] == ["cd my-clone", "make setup", ". .venv/bin/activate", "make init"]
    assert rest[4:] == ["bucket lfs setup", "git lfs pull"]
    typed(other, "\n".join(rest[-2:]))
    for name, content in contents.items():
        assert (other.root / "figures" / name).read_bytes() == content
    typed(other, "rm -r figures && git restore --source=HEAD :/")
    assert (other.root / "figures" / "map.png").read_bytes() == contents["map.png"]
