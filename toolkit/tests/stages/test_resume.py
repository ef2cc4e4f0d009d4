"""A stage that was interrupted, or that failed for some partitions, and runs again."""

from pathlib import Path

import pytest

from dvc_bucket import BucketError
from dvc_bucket.stages import resumable
from tests.stages.stage_tools import PARTS, SmallProject, contents


def times(folder: Path) -> dict[str, int]:
    """When each partition's file was written, by the partition; in nanoseconds."""
    return {path.stem[-1:]: path.stat().st_mtime_ns for path in folder.iterdir()}


def interrupt(small: SmallProject) -> dict[str, int]:
    """Run the stage with the third file damaged; returns when the first two were written."""
    small.damage("c")
    failed = small.run()
    assert failed.returncode == 1
    assert "scale_up: 2 of 4 partitions failed.\nc: " in failed.stderr
    assert "Traceback" not in failed.stderr
    assert not small.output.exists()
    small.write("c")
    before = times(small.unfinished)
    assert sorted(before) == ["a", "b"]
    return before


def in_one_go(small: SmallProject) -> dict[str, bytes]:
    """What the stage makes of the project as it is, uninterrupted."""
    other = small.root / "other"
    assert small.run(other).returncode == 0
    return contents(other)


def test_only_what_is_missing_is_made_again(small: SmallProject) -> None:
    before = interrupt(small)
    (small.unfinished / ".half.parquet.part").write_bytes(b"of a process that was killed")
    assert small.run().returncode == 0
    after = times(small.output)
    assert {part: after[part] for part in before} == before
    assert sorted(contents(small.output)) == [f"{part}.parquet" for part in PARTS]
    assert contents(small.output) == in_one_go(small)
    assert not small.unfinished.exists()


def test_what_was_made_with_other_parameters_is_made_again(small: SmallProject) -> None:
    before = interrupt(small)
    first = (small.unfinished / next(small.unfinished.glob("*-b.parquet"))).read_bytes()
    (small.root / "params.yaml").write_text("scale_up:\n  factor: 2.6\n")
    assert small.run().returncode == 0
    after = times(small.output)
    assert not {part: after[part] for part in before}.items() & before.items()
    assert contents(small.output) == in_one_go(small)
    assert contents(small.output)["b.parquet"] != first


def test_what_was_made_of_other_data_is_made_again(small: SmallProject) -> None:
    before = interrupt(small)
    # The second reads the first, too: its kept file does not know the new one.
    small.write("a", offset=1)
    assert small.run().returncode == 0
    after = times(small.output)
    assert not {part: after[part] for part in before}.items() & before.items()
    assert contents(small.output) == in_one_go(small)


@pytest.mark.parametrize("file", ["steps.py", "scale_up.py"])
def test_what_was_made_by_another_script_or_module_is_made_again(
    small: SmallProject, file: str
) -> None:
    before = interrupt(small)
    with (small.root / file).open("a") as source:
        source.write("\n# changed\n")
    assert small.run().returncode == 0
    after = times(small.output)
    assert not {part: after[part] for part in before}.items() & before.items()


@pytest.mark.usefixtures("small")
def test_no_partitions_make_an_empty_folder(tmp_path: Path) -> None:
    with resumable(tmp_path / "out", settings=None):
        pass
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.usefixtures("small")
def test_two_partitions_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "one").touch()
    with resumable(tmp_path / "out", settings=None) as folder:
        folder.file("a.parquet", []).touch()
        with pytest.raises(ValueError, match=r"the same output file, a\.parquet"):
            folder.file("a.parquet", [tmp_path / "one"])
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.parquet"]


def test_outside_a_project_the_fix_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with (
        pytest.raises(BucketError, match="is not inside a DVC project"),
        resumable(tmp_path / "out", settings=None),
    ):
        pass
