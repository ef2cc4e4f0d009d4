"""`make clean` of the template: data that comes back, then the tools' caches and .venv."""

import pytest

from tests.clones import TOOLS
from tests.safety.test_clean_keeps_what_cannot_come_back import (
    FOREVER,
    MADE,
    left,
    link_to_cache,
    with_stage,
    write_forever,
)
from tests.verify.published import Published


@pytest.fixture
def ran(template: Published) -> Published:
    """Its stage has run, its outputs are in the cache and not in the bucket, .venv is set up."""
    (template.root / ".venv").unlink()
    (template.root / ".venv" / "bin").mkdir(parents=True)
    (template.root / ".venv" / "bin" / "bucket").symlink_to(TOOLS / "bucket")
    (template.root / ".venv" / ".installed").touch()
    (template.root / ".venv" / ".packages").touch()
    return with_stage(template)


def test_outputs_in_the_cache_go_with_caches_and_venv_and_come_back(ran: Published) -> None:
    caches = (".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis", "dvc_plots")
    for name in (*caches, "src/__pycache__", "tests/a/__pycache__"):
        (ran.root / name).mkdir(parents=True)
    write_forever(ran.root)
    before = {path: (ran.root / path).read_bytes() for path in MADE}
    link_to_cache(ran)
    done = ran.clone.make("clean")
    assert "Removed 3 files" in done.stdout
    assert "Kept" not in done.stdout
    assert left(ran) == []
    assert not [name for name in (*caches, ".venv") if (ran.root / name).exists()]
    assert not [*ran.root.rglob("__pycache__")]
    assert all((ran.root / name).exists() for name in (*FOREVER, "metrics.json", "dvc.lock"))
    ran.dvc("checkout", "-q")
    assert before == {path: (ran.root / path).read_bytes() for path in MADE}


def test_without_a_finished_set_up_data_stays_and_caches_go(ran: Published) -> None:
    (ran.root / ".venv" / ".installed").unlink()
    (ran.root / ".mypy_cache").mkdir()
    done = ran.clone.make("--no-print-directory", "clean")
    assert done.stdout == (
        "Kept all data: without .venv nothing can prove that it can be restored (make setup).\n"
    )
    assert left(ran) == list(MADE)
    assert not (ran.root / ".mypy_cache").exists()
    assert not (ran.root / ".venv").exists()


def test_a_link_to_another_clones_venv_leaves_that_one_as_it_is(ran: Published) -> None:
    venv = ran.root.parent / "venv"
    (ran.root / ".venv").rename(venv)
    (ran.root / ".venv").symlink_to(venv)
    ran.clone.make("clean")
    assert not (ran.root / ".venv").is_symlink()
    assert (venv / ".installed").exists()


def test_clean_stops_before_venv_goes_where_data_could_not_be_looked_at(ran: Published) -> None:
    (ran.root / "dvc.yaml").write_text("stages: [no, mapping]\n")
    done = ran.clone.run("make", "clean", check=False)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert left(ran) == list(MADE)
    assert (ran.root / ".venv" / ".installed").exists()
