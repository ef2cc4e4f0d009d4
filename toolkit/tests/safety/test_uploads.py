"""`bucket cp` to a bucket: an object is never replaced, and DVC's own are out of reach."""

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dvc_bucket import copy_to
from dvc_bucket.base.errors import MissingObjectError, OutputError, UnsafePathError
from dvc_bucket.connection.objects import ObjectRef
from dvc_bucket.read import sending
from dvc_bucket.read.sending import Sent
from tests.bucket.git_tools import TOOLS
from tests.stores.fixtures import STORES
from tests.verify.published import FILES, Published, on_each_store, publish, s3


@pytest.fixture(scope="module")
def on_stores(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Published]:
    return on_each_store(request, tmp_path_factory, publish)


@pytest.fixture(params=STORES)
def project(
    on_stores: dict[str, Published], request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Published:
    made = on_stores[request.param]
    monkeypatch.chdir(made.root)
    return made


@pytest.fixture
def url(project: Published, tmp_path: Path) -> str:
    """A prefix of the test's own."""
    return f"s3://{project.store.bucket}/{tmp_path.name}"


def cp(project: Published, *words: str | Path) -> subprocess.CompletedProcess[str]:
    return project.clone.run(TOOLS / "bucket", "cp", *map(str, words), check=False)


def objects(project: Published, url: str) -> dict[str, bytes]:
    """What is below a prefix."""
    client, bucket = s3(project.store), project.store.bucket
    prefix = url.removeprefix(f"s3://{bucket}/") + "/"
    found = client.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
    return {
        entry["Key"].removeprefix(prefix): client.get_object(Bucket=bucket, Key=entry["Key"])[
            "Body"
        ].read()
        for entry in found
    }


IMAGES = {name: body for name, body in FILES.items() if name.startswith("images/")}


def test_files_and_folders_of_the_disk_are_uploaded(
    project: Published, url: str, tmp_path: Path
) -> None:
    (tmp_path / "out" / "deep").mkdir(parents=True)
    (tmp_path / "out" / "deep" / "ü.txt").write_text("text")
    done = cp(project, tmp_path / "out", "table.csv", f"{url}/")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{url}/\n"
    assert "2 files, 2 of them copied" in done.stderr
    wanted = {"out/deep/ü.txt": b"text", "table.csv": FILES["table.csv"]}
    assert objects(project, url) == wanted
    again = cp(project, tmp_path / "out", "table.csv", f"{url}/")
    assert "2 files, 0 of them copied" in again.stderr
    assert cp(project, "deep/er/same.csv", f"{url}/renamed.csv").returncode == 0
    assert cp(project, "--parents", "deep/er/same.csv", url).returncode == 0
    wanted |= {"renamed.csv": FILES["table.csv"], "deep/er/same.csv": FILES["table.csv"]}
    assert objects(project, url) == wanted


def test_tracked_data_of_a_revision_and_objects_are_uploaded(
    project: Published, url: str, tmp_path: Path
) -> None:
    done = cp(project, "images", "--rev", "HEAD", f"{url}/a/")
    assert done.returncode == 0, done.stderr
    assert objects(project, f"{url}/a") == IMAGES
    assert cp(project, "images/0[0-2].bin", "--rev", "HEAD", f"{url}/b/").returncode == 0
    assert set(objects(project, f"{url}/b")) == {"00.bin", "01.bin", "02.bin"}
    assert cp(project, f"{url}/a/images/0*.bin", f"{url}/c/").returncode == 0
    assert set(objects(project, f"{url}/c")) == {name[7:] for name in IMAGES}
    back = tmp_path / "back"
    assert cp(project, f"{url}/a/images", f"{back}/").returncode == 0
    assert {str(path.relative_to(back)) for path in back.rglob("*.bin")} == set(IMAGES)
    assert cp(project, f"{url}/a/images/03.bin", tmp_path / "one").returncode == 0
    assert (tmp_path / "one").read_bytes() == IMAGES["images/03.bin"]


def test_an_object_with_other_content_is_replaced_only_with_force(
    project: Published, url: str, tmp_path: Path
) -> None:
    (tmp_path / "new.txt").write_text("first")
    (tmp_path / "other.txt").write_text("other")
    assert cp(project, tmp_path / "new.txt", f"{url}/").returncode == 0
    (tmp_path / "new.txt").write_text("again")
    refused = cp(project, tmp_path / "other.txt", tmp_path / "new.txt", f"{url}/")
    assert refused.returncode == 1
    assert f"{url}/new.txt exists with different content. Nothing was replaced." in refused.stderr
    assert objects(project, url) == {"new.txt": b"first"}
    forced = cp(project, "--force", tmp_path / "other.txt", tmp_path / "new.txt", f"{url}/")
    assert forced.returncode == 0
    assert objects(project, url) == {"new.txt": b"again", "other.txt": b"other"}


def test_an_object_of_another_program_is_told_by_its_content(
    project: Published, url: str, tmp_path: Path
) -> None:
    key = f"{url.rpartition('/')[2]}/theirs.txt"
    s3(project.store).put_object(Bucket=project.store.bucket, Key=key, Body=b"theirs")
    (tmp_path / "theirs.txt").write_text("theirs")
    assert copy_to([tmp_path / "theirs.txt"], f"{url}/").copied == 0
    (tmp_path / "theirs.txt").write_text("THEIRS")
    with pytest.raises(OutputError, match="exists with different content"):
        copy_to([tmp_path / "theirs.txt"], f"{url}/")


def test_of_many_at_once_one_makes_the_object(project: Published, url: str, tmp_path: Path) -> None:
    """All have asked already whether the key is free."""
    settings = project.settings
    key = f"{url.rpartition('/')[2]}/raced.txt"
    place = ObjectRef(settings.obstore(), key, settings)
    sent = []
    for number in range(8):
        (tmp_path / str(number)).write_text(f"content {number}")
        sent.append(Sent(tmp_path / str(number), place, settings))
    assert {one.state() for one in sent} == {"absent"}

    def put(one: Sent) -> bool:
        try:
            one.put(force=False)
        except OutputError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        winners = [one for one, won in zip(sent, pool.map(put, sent), strict=True) if won]
    [body] = objects(project, url).values()
    contents = [one.file.read_bytes() for one in winners]
    if project.store.name == "swift":  # it asks, then writes: not in one step
        assert body in contents
    else:
        assert contents == [body]


def test_a_large_file_goes_in_parts_and_is_known_again(
    project: Published, url: str, tmp_path: Path
) -> None:
    large = tmp_path / "large.bin"
    large.write_bytes(bytes(range(256)) * (sending.WHOLE_BYTES // 256 + 1))
    assert copy_to([large], f"{url}/").copied == 1
    assert objects(project, url) == {"large.bin": large.read_bytes()}
    assert copy_to([large], f"{url}/").copied == 0
    with large.open("r+b") as file:
        file.write(b"changed")
    with pytest.raises(OutputError, match="exists with different content"):
        copy_to([large], f"{url}/")


@pytest.mark.parametrize(
    "key",
    ["{prefix}/anything", "files/md5/00/1.txt", "x/files/md5/ab/cd", f"{'0' * 2}/{'1' * 30}"],
)
@pytest.mark.parametrize("force", [False, True])
def test_no_key_of_dvc_is_written(
    project: Published, tmp_path: Path, key: str, *, force: bool
) -> None:
    before = set(project.keys)
    (tmp_path / "file").write_text("x")
    to = f"s3://{project.store.bucket}/{key.format(prefix=project.prefix)}"
    with pytest.raises(OutputError, match="among DVC's own objects"):
        copy_to([tmp_path / "file"], to, force=force)
    assert set(project.keys) == before


@pytest.mark.parametrize("name", [".env", ".dvc/config.local", ".", ".git/config"])
def test_no_credentials_are_uploaded(project: Published, url: str, name: str) -> None:
    (project.root / ".dvc" / "config.local").touch()
    done = cp(project, f"../{project.root.name}/{name}", f"{url}/")
    assert done.returncode == 1
    assert "can contain credentials" in done.stderr or "cannot be uploaded" in done.stderr
    assert objects(project, url) == {}


def test_what_cannot_be_uploaded_is_named(project: Published, url: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "to nowhere").symlink_to("nothing")
    with pytest.raises(OutputError, match="to nowhere is neither a file nor a link"):
        copy_to([tmp_path / "in"], f"{url}/")
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "same.txt").write_text(folder)
    with pytest.raises(OutputError, match=r"both become same\.txt.*--parents"):
        copy_to([tmp_path / "a/same.txt", tmp_path / "b/same.txt"], f"{url}/")
    (tmp_path / "a" / ".git").mkdir()
    (tmp_path / "a" / ".git" / "config").write_text("x")
    with pytest.raises(UnsafePathError):
        copy_to([tmp_path / "a"], f"{url}/")
    with pytest.raises(MissingObjectError):
        copy_to([f"{url}/nothing"], f"{url}/to/")
    assert objects(project, url) == {}


def test_a_destination_is_needed(project: Published) -> None:
    for words in (["table.csv"], ["--parents"], ["--scratch"]):
        done = cp(project, *words)
        assert done.returncode == 2
        assert "give PATH and DEST" in done.stderr


@pytest.mark.parametrize("how", ["two files of one name", "wildcard", "one name", "parents"])
def test_names_on_a_disk_are_as_those_of_cp(project: Published, tmp_path: Path, how: str) -> None:
    to = tmp_path / "to"
    if how == "two files of one name":
        (project.root / "again").mkdir(exist_ok=True)
        project.track("again/table.csv", b"another\n")
        done = cp(project, "table.csv", "again/table.csv", to)
        assert done.returncode == 1
        assert "--parents" in done.stderr
        return
    words, wanted = {
        "wildcard": (["images/0[01].bin"], {"00.bin", "01.bin"}),
        "one name": (["table.csv", "deep"], {"table.csv", "deep/er/same.csv"}),
        "parents": (["--parents", "deep/er"], {"deep/er/same.csv"}),
    }[how]
    assert cp(project, *words, to).returncode == 0
    found = {str(path.relative_to(to)) for path in to.rglob("*") if path.is_file()}
    assert found - {".bucket-staged"} == wanted
