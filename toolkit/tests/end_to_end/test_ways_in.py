"""The ways to the data of docs/ways-in.md, and the examples, are run as they stand there."""

import re
import shutil
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from dvc_bucket.base.files import private_folder
from tests.clones import Clone
from tests.end_to_end.clones import REPOSITORY, own_code

PAGE = (REPOSITORY / "toolkit" / "docs" / "ways-in.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)( \w+)?\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)

#: What `mc` takes, as its documentation has it: a word, and the number of its arguments.
MC = {("mc", "alias", "set"): 2, ("mc", "mirror"): 2}


def is_for(language: str, tool: str) -> list[str]:
    return [text for found, word, text in BLOCKS if (found, word.strip()) == (language, tool)]


#: Words of each way.
WAYS = [
    *("bucket cp", "open_dataset", "dvc pull", "s5cmd", "rclone copy", "mc alias set"),
    *("mc mirror", "boto3", "pandas", "storage_options", "clients.pyarrow", "bucket pack"),
]


@pytest.mark.parametrize("way", WAYS)
def test_the_page_has_every_way(way: str) -> None:
    assert way in "".join(text for _, _, text in BLOCKS)


@pytest.fixture(scope="module")
def bare(reproduced: Clone, tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone of that one, with its settings and nothing of the data on its disk."""
    root = tmp_path_factory.mktemp("bare") / "clone"
    reproduced.run("git", "clone", "-q", str(reproduced.root), str(root))
    shutil.copy2(reproduced.root / ".env", root / ".env")
    (root / ".venv").symlink_to((reproduced.root / ".venv").resolve())
    own = {
        "PYTHONPATH": own_code(root),
        "DVC_SITE_CACHE_DIR": private_folder(root / ".dvc" / "tmp" / "site"),
    }
    return Clone(root, reproduced.environment | {name: str(path) for name, path in own.items()})


@pytest.mark.parametrize("number", range(1, len(is_for("sh", ""))))
def test_shell_blocks_run(reproduced: Clone, tmp_path: Path, number: int) -> None:
    first, block = is_for("sh", "")[0], is_for("sh", "")[number]
    script = f"set -euo pipefail\n{first}{block}"
    done = reproduced.run("bash", "-c", script, SCRATCH=str(tmp_path))
    assert done.stdout or any(tmp_path.rglob("*")) or "dvc" in block


@pytest.mark.parametrize("text", is_for("python", ""))
def test_python_blocks_run(reproduced: Clone, text: str) -> None:
    first = is_for("sh", "")[0]
    script = f'set -euo pipefail\n{first}exec {sys.executable} -c "$PROGRAM"'
    done = reproduced.run("bash", "-c", script, PROGRAM=text)
    assert done.stdout or "yield" in text


def test_mc_blocks_run_or_are_at_least_words_that_it_knows(
    reproduced: Clone, tmp_path: Path
) -> None:
    [block] = is_for("sh", "mc")
    for line in block.splitlines():
        command = re.findall(r"\"[^\"]*\"|\S+", line.rpartition("| ")[2])
        known = next(words for words in MC if tuple(command[: len(words)]) == words)
        assert len(command) - len(known) == MC[known], line
        assert "SECRET" not in " ".join(command), "a secret is an argument, which ps shows"
    if shutil.which("mc"):
        script = f"set -euo pipefail\n{is_for('sh', '')[0]}{block}"
        reproduced.run("bash", "-c", script, SCRATCH=str(tmp_path), HOME=str(tmp_path))
        assert list((tmp_path / "flights" / "mc").iterdir())


def test_results_of_a_revision_are_read_without_a_pull(bare: Clone) -> None:
    done = bare.run("python", "toolkit/docs/examples/read_published_results.py", "--rev", "HEAD")
    shares = dict(line.split() for line in done.stdout.splitlines()[1:])
    assert all(0 < float(share) < 1 for share in shares.values())
    assert not (bare.root / "data" / "processed").exists()


def test_a_stage_streams_what_it_reads_and_runs_when_that_changes(bare: Clone) -> None:
    yaml = YAML()
    pipeline = yaml.load(bare.root / "dvc.yaml")
    pipeline["stages"].update(yaml.load(bare.root / "toolkit/docs/examples/streamed_stage.yaml"))
    yaml.dump(pipeline, bare.root / "dvc.yaml")
    output = bare.root / "data" / "processed" / "late_by_carrier.csv"
    bare.run("bucket", "repro", "late_by_carrier")
    assert output.read_text().startswith('"carrier","hour","flights","late"\n')
    assert not (bare.root / "data" / "processed" / "features").exists()
    assert not list(bare.root.glob(".dvc/cache/files/md5/*/*.dir"))
    again = bare.run("bucket", "repro", "late_by_carrier")
    assert "didn't change, skipping" in again.stdout
    lock = bare.root / "dvc.lock"
    recorded = yaml.load(lock)
    recorded["stages"]["features"]["outs"][0]["md5"] = "0" * 32 + ".dir"
    yaml.dump(recorded, lock)
    changed = bare.run("bucket", "repro", "late_by_carrier", check=False)
    assert changed.returncode != 0
    assert "list of files is missing or damaged in the cache and on the remote" in changed.stderr
