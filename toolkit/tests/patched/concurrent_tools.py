"""Clones in which commands run at once, and what has to be whole afterwards."""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dvc_bucket import Project
from dvc_bucket.connection.dvc_config import with_options
from dvc_bucket.dvc.lock import entries
from dvc_bucket.transfer.files import CACHE_FILE, UNFINISHED, promised_md5
from tests.bucket.store_tools import BUCKET

#: Seconds, for all commands that run at once.
PATIENCE = 240

#: Writes a folder of small files, one of which every stage makes, and notes that it ran.
SCRIPT = """\
import os, sys, time
from pathlib import Path
name, release = Path(sys.argv[1]), "{release}"
with open(".runs", "a") as runs:
    runs.write(name.name + "\\n")
name.mkdir()
for number in range(20):
    (name / f"{{number}}.txt").write_text(f"{{release}} {{name}} {{number}}\\n")
(name / "same.txt").write_text(release * 50_000)
time.sleep(0.3)
"""


@dataclass(frozen=True)
class Clone:
    """A clone with a stage that all others read, and so many that have nothing else in common."""

    root: Path
    cache: Path
    stages: int

    @property
    def names(self) -> list[str]:
        """Of the stages, the one that all read first."""
        return ["base", *(f"part{number}" for number in range(self.stages))]

    def release(self, text: str) -> None:
        """Change the code: each stage is stale, and what it makes differs."""
        (self.root / ".runs").unlink(missing_ok=True)
        (self.root / "make.py").write_text(SCRIPT.format(release=text))

    def forget(self) -> None:
        """Lose what the stages have made; it is where it was sent."""
        for name in self.names:
            shutil.rmtree(self.root / name)

    def runs(self) -> list[str]:
        """The stages that ran since the release, as often as they did."""
        return sorted((self.root / ".runs").read_text().split())

    def lock(self) -> Mapping[str, entries.Entry]:
        """What is recorded of each stage; DVC writes them in the order in which they ran first."""
        return entries.stages(entries.read((self.root / "dvc.lock").read_text()))

    def assert_whole(self, release: str) -> None:
        """Every output is there, right and recorded, and nothing else is left."""
        for name in self.names:
            for number in range(20):
                text = (self.root / name / f"{number}.txt").read_text()
                assert text == f"{release} {name} {number}\n"
        assert sorted(self.lock()) == sorted(self.names)
        held = json.loads((self.root / ".dvc/tmp/rwlock").read_text() or "{}")
        assert not any(held.values()), held  # readers and writers by path
        known = {".dvc", ".git", ".runs", ".env", ".env.example", ".gitignore"}
        known |= {*self.names, "make.py", "dvc.yaml", "dvc.lock", self.cache.name}
        assert {path.name for path in self.root.iterdir()} <= known


def make_clone(root: Path, store: Project, prefix: str, cache: Path, stages: int) -> Clone:
    """A clone whose remote is this prefix of a store that runs, with a cache that others share."""
    project = Project(root)
    project.dvc_config.parent.mkdir(parents=True)
    (root / ".dvc/tmp").mkdir()
    text = with_options(
        store.dvc_config.read_text(), {"url": f"s3://research-data/concurrent/{prefix}"}
    )
    project.dvc_config.write_text(text)
    cache_of_all = f"[cache]\n    dir = {cache}\n    shared = group\n"
    project.dvc_config.with_name("config.local").write_text(cache_of_all)
    shutil.copy(store.env_file, project.env_file)
    shutil.copy(store.env_example, project.env_example)
    clone = Clone(root, cache, stages)
    text = "stages:\n"
    for name in clone.names:
        text += f"  {name}:\n    cmd: python make.py {name}\n    deps:\n    - make.py\n"
        text += "    - base\n" if name != "base" else ""
        text += f"    outs:\n    - {name}\n"
    (root / "dvc.yaml").write_text(text)
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    return clone


def together(*commands: tuple[Clone, str]) -> list[str]:
    """Start `bucket` with each clone's words at once; what they say, once all have succeeded."""
    started = [
        subprocess.Popen(
            [BUCKET, *words.split()],
            cwd=clone.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for clone, words in commands
    ]
    try:
        said = [process.communicate(timeout=PATIENCE)[0] for process in started]
    finally:
        for process in started:
            process.kill()
    assert [process.returncode for process in started] == [0] * len(started), "\n---\n".join(said)
    return said


def assert_cache_whole(cache: Path) -> None:
    """Every file of a cache is an object whose content is what its name says."""
    files = [path for path in cache.rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert CACHE_FILE.fullmatch(str(path)), path
        if promised := promised_md5(str(path)):
            content = path.read_bytes()
            assert hashlib.md5(content, usedforsecurity=False).hexdigest() == promised, path
    assert not (cache / UNFINISHED).exists()
