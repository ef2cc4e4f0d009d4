"""Objects by their names in the bucket: keys, prefixes, patterns, and keys of odd forms."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dvc_bucket import count_objects
from dvc_bucket.cli.app import app
from tests.reading.test_words import files
from tests.verify.published import Published, s3

#: Keys below the prefix of the test, with their contents: markers of folders have none.
KEYS = {
    "a/1.png": b"one",
    "a/[1].png": b"in brackets",
    "a/empty": b"",
    "a/": b"",
    "a/deep/": b"",
    "[b]/2.png": b"two",
    "[b]/": b"",
}

#: Keys that a client takes apart at slashes, or that XML cannot hold.
ODD = ("odd//x", "odd/../y", "odd/\x01z")


@contextmanager
def filled(project: Published, keys: dict[str, bytes]) -> Iterator[str]:
    """A prefix with these objects; its URL."""
    client, bucket, root = s3(project.store), project.store.bucket, f"{project.prefix}-objects"
    for key, body in keys.items():
        client.put_object(Bucket=bucket, Key=f"{root}/{key}", Body=body)
    yield f"s3://{bucket}/{root}"
    for key in keys:
        client.delete_object(Bucket=bucket, Key=f"{root}/{key}")


@pytest.fixture
def url(on_swift: Published) -> Iterator[str]:
    with filled(on_swift, KEYS) as made:
        yield made


def run(project: Published, *words: str) -> str:
    """What a word of `bucket` prints, in this process, which saves its start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project.root)
        return CliRunner().invoke(app, words, catch_exceptions=False).stdout


def test_ls_and_cat_take_keys(on_swift: Published, url: str) -> None:
    listed = run(on_swift, "ls", url).splitlines()
    objects = ("[b]/2.png", "a/1.png", "a/[1].png", "a/empty")
    assert listed == [f"{url}/{name}" for name in objects]
    assert f"{3:>14,}  {url}/a/1.png" in run(on_swift, "ls", "--long", f"{url}/a")
    [found] = json.loads(run(on_swift, "ls", "--json", f"{url}/a/[1].png"))
    assert found == {"path": f"{url}/a/[1].png", "size": len(KEYS["a/[1].png"])}
    assert run(on_swift, "cat", f"{url}/[b]/2.png") == "two"
    done = on_swift.clone.run("bucket", "cat", f"{url}/a/none", check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"bucket: Could not read {url}/a/none")
    assert CliRunner().invoke(app, ["ls", "--rev", "HEAD", url]).exit_code == 2


def test_cp_takes_a_key_before_a_pattern_and_no_marker_of_a_folder(
    on_swift: Published, url: str, tmp_path: Path
) -> None:
    for source, expected in {
        "a/[1].png": {"[1].png": b"in brackets"},
        "[b]": {"[b]/2.png": b"two"},
        "a/[12].png": {"1.png": b"one"},
        "a": {"a/1.png": b"one", "a/[1].png": b"in brackets", "a/empty": b""},
    }.items():
        to = tmp_path / f"copy {source.replace('/', ' ')}"
        run(on_swift, "cp", f"{url}/{source}", f"{to}/")
        assert files(to) == expected, source


def test_a_tracked_name_with_a_bracket_is_taken_before_a_pattern(
    on_swift: Published, tmp_path: Path
) -> None:
    (on_swift.root / "[1].csv").write_text("a\n1\n")
    on_swift.dvc("add", "[1].csv")
    on_swift.dvc("push")
    run(on_swift, "cp", "[1].csv", str(tmp_path / "to" / "x"))
    assert (tmp_path / "to" / "x").read_text() == "a\n1\n"


def test_keys_that_cannot_be_fetched_are_named_and_the_others_copied(
    on_swift: Published, tmp_path: Path
) -> None:
    keys = {"good": b"good", "z/last": b"last"} | dict.fromkeys(ODD, b"x")
    with filled(on_swift, keys) as url:
        done = on_swift.clone.run("bucket", "cp", url, f"{tmp_path}/to/", check=False)
        prefix = url.partition("//")[2].partition("/")[2]
        counted = count_objects(prefix, settings=on_swift.settings)
    assert done.returncode == 1
    assert files(tmp_path / "to" / Path(url).name) == {"good": b"good", "z/last": b"last"}
    assert "3 keys skipped" in done.stderr
    assert "odd//x" in done.stderr
    assert counted == (5, 11)
