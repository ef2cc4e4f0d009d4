"""Without the packages of the extras, their words say which to install, and all others work."""

import shutil
import subprocess
import sys
import sysconfig
import textwrap
from pathlib import Path

import pytest

from dvc_bucket.base import extras, ports
from tests import TESTS_ROOT
from tests.stores.fixtures import access
from tests.verify.published import Published, empty, publish

#: Starts `bucket` in a Python that lacks some modules.
CODE = """
    import sys

    class Refuse:
        def find_spec(self, name, path=None, target=None):
            if name.partition(".")[0] in REFUSED:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    count = int(sys.argv[1])
    REFUSED = set(sys.argv[2 : 2 + count])
    sys.argv = ["bucket", *sys.argv[2 + count :]]
    sys.meta_path.insert(0, Refuse())
    from dvc_bucket.cli import main
    main()
"""

#: Every module that an extra brings.
ALL = sorted(set.union(*extras.EXTRAS.values()))


@pytest.fixture(scope="module")
def published(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Published:
    made = empty(tmp_path_factory.mktemp("extras") / "project", access(request, "seaweed"))
    (made.root / "dvc.yaml").write_text(
        "stages:\n  copy:\n    cmd: cp in.txt out.txt\n    deps: [in.txt]\n    outs: [out.txt]\n"
    )
    (made.root / "in.txt").write_text("text")
    (made.root / "data").mkdir()
    (made.root / "data" / "README.md").write_text(
        "| file | origin | licence |\n| --- | --- | --- |\n| `in.txt` | us | MIT |\n"
    )
    (made.root / "CITATION.cff").write_text("license: MIT\n")
    made.dvc("repro")
    publish(made)
    (made.root / "notes.txt").write_text("staged for the next commit\n")
    made.git("add", "notes.txt")
    return made


def run(
    published: Published,
    refused: list[str],
    *words: str,
    python: str = sys.executable,
    **variables: str,
) -> subprocess.CompletedProcess[str]:
    code = textwrap.dedent(CODE)
    command = [python, "-c", code, str(len(refused)), *refused, *words]
    return published.clone.run(*command, check=False, **variables)


def free_endpoint() -> dict[str, str]:
    """The setting of an embedded store that does not run."""
    return {"OS_ENDPOINT_URL": f"http://{ports.ADDRESS}:{ports.free_ports(1)[0]}"}


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ("store", ("serve",)),
        ("secrets", ("secrets",)),
        ("secrets", ("secrets", "--staged")),
        ("crate", ("provenance", "--out", "crate")),
    ],
)
def test_a_word_without_its_extra_says_which_to_install(
    published: Published, extra: str, words: tuple[str, ...]
) -> None:
    embedded = free_endpoint() if words == ("serve",) else {}
    for module in sorted(extras.EXTRAS[extra] - {"weed"}):
        shutil.rmtree(published.project.store, ignore_errors=True)
        done = run(published, [module], *words, **embedded)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == f"bucket: {extras.missing(extra, module)}\n"
        assert f"`pip install 'dvc-bucket[{extra}]'`" in done.stderr


def test_a_store_without_its_program_says_so(published: Published, tmp_path: Path) -> None:
    """Its package has no module: the program is looked for beside Python and on the PATH."""
    python = tmp_path / "python"
    python.symlink_to(Path(sys.executable).resolve())
    (tmp_path / "git").symlink_to(str(shutil.which("git")))
    done = run(
        published,
        [],
        "serve",
        python=str(python),
        PATH=str(tmp_path),
        PYTHONPATH=f"{TESTS_ROOT / 'src'}:{sysconfig.get_path('purelib')}",
        **free_endpoint(),
    )
    assert done.returncode == 1
    assert done.stderr == f"bucket: {extras.missing('store', 'weed')}\n"


@pytest.mark.parametrize(
    "words",
    [
        ("pull",),
        ("verify", "--deep"),
        ("doctor", "--read-only"),
        ("report", "--base", "HEAD"),
        ("status",),
        ("ls",),
        ("cat", "table.csv"),
        ("cp", "table.csv", "copied.csv"),
        ("serve", "--if-embedded"),
        ("serve", "--status"),
        ("clean",),
        ("repro", "--dry"),
        ("check", "--help"),
        ("advise", "table.csv"),
        ("lfs", "--help"),
        ("lock-merge", "--help"),
    ],
)
def test_all_other_words_work_without_any_extra(
    published: Published, words: tuple[str, ...]
) -> None:
    without = run(published, ALL, *words)
    whole = published.clone.run("bucket", *words, check=False)
    assert without.returncode == whole.returncode
    if words[0] == "doctor":
        assert "skipped  tracked files" in without.stdout
    else:
        assert "is not installed" not in without.stdout + without.stderr
    assert "Traceback" not in without.stderr
    assert without.returncode == 0 or words in {("serve", "--status"), ("doctor", "--read-only")}
