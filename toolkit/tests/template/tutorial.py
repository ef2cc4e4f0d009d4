"""The tutorial as a script: its blocks of shell, and its files where they are given."""

import re
import shlex
from pathlib import Path

from dvc_bucket import Project
from tests import TESTS_ROOT
from tests.clones import Clone
from tests.conftest import discard
from tests.stores.access import StoreAccess

PAGE = TESTS_ROOT / "docs" / "tutorial.md"

#: What the page has the reader put into the environment, and the store's certificate authority.
KEYS = ("OS_ACCESS_KEY_ID", "OS_SECRET_ACCESS_KEY", "OS_CACERT")

BLOCK = re.compile(r"^```(sh|python (\S+))\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def script() -> str:
    """The commands of the page in their order, ended by the first that fails."""
    steps = ["set -eux"]
    for kind, file, text in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        if kind == "sh":
            steps.append(text)
        else:
            steps.append(f"printf %s {shlex.quote(text)} >{shlex.quote(file)}")
    return "\n".join(steps)


def in_bucket(text: str, store: StoreAccess) -> str:
    """The commands with a real store instead of the page's, and its keys in the environment."""
    names = {"https://s3.example.org": store.endpoint_url, "lab-data": store.bucket}
    for name, value in names.items():
        assert text.count(name) == 1
        text = text.replace(name, value)
    keys = {name: store.env[name] for name in KEYS}
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in keys.items())
    return text.replace("bucket init", f"{exports}bucket init", 1)


def follow(template: Clone, folder: Path, store: StoreAccess, **variables: str) -> Clone:
    """Type the commands in a clone of the template, in an empty home; the project that they make.

    Args:
        template: has a release.
        folder: with the clone in it; the project and the home are made there, too.
        store: that the project moves to.
        variables: changes of the environment.
    """
    home, root = folder / "home", folder / "rivers"
    home.mkdir()
    environment = template.environment | {"HOME": str(home)} | variables
    del environment["PYTHONPATH"]
    try:
        commands = in_bucket(script(), store)
        done = Clone(template.root, environment, timeout=1200).run("bash", "-c", commands)
    finally:
        if root.exists():
            discard(Project(root))
    project = Clone(root, environment)
    assert "<svg" in (root / "reports" / "levels.svg").read_text()
    assert not project.run("git", "status", "--porcelain").stdout
    assert done.stdout.rstrip().endswith("Data and pipelines are up to date.")
    figure = Path("reports", "levels.svg")
    assert (folder / "colleague" / figure).read_bytes() == (root / figure).read_bytes()
    return project
