"""Data that anybody may read, read without keys: by a policy of the bucket, or Swift's list."""

from dataclasses import replace
from pathlib import Path

import pytest

from dvc_bucket import Settings, filesystem, iter_samples, open_dataset
from tests.clones import TOOLS
from tests.others.conftest import Public, bucket, word
from tests.verify.published import FILES, Published


def test_words_read(
    public_clone: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(public_clone.root)
    assert word("ls", "--long").stdout.count("\n") == len(FILES)
    assert word("cat", "table.csv").stdout_bytes == FILES["table.csv"]
    assert word("cp", "images", str(tmp_path)).exit_code == 0
    assert (tmp_path / "images" / "03.bin").read_bytes() == FILES["images/03.bin"]
    listed = word("ls", f"s3://{public_clone.store.bucket}/{public_clone.prefix}/").stdout
    assert listed.count("files/md5/") == len(public_clone.keys)
    verified = word("verify", "--deep")
    assert (verified.exit_code, "Complete" in verified.stdout) == (0, True)


def test_python_reads(public_clone: Published, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(public_clone.root)
    assert open_dataset("table.csv").to_table().to_pydict() == {"flight": [1], "delay": [2]}
    assert filesystem().cat_file("table.csv", 0, 6) == b"flight"
    samples = {Path(name).name: data for name, data, _ in iter_samples("images")}
    assert samples == {Path(path).name: FILES[path] for path in FILES if "images" in path}


def test_pull_brings_everything_and_doctor_says_so(public: Public, tmp_path: Path) -> None:
    clone = public.reader(tmp_path)
    assert bucket(clone.clone, "pull").returncode == 0
    assert {path: (clone.root / path).read_bytes() for path in FILES} == FILES
    done = bucket(clone.clone, "doctor")
    assert "anonymous: can read but not write" in " ".join(done.stdout.split())
    assert "FAILED" not in done.stdout


@pytest.mark.parametrize("public", ["seaweed"], indirect=True, scope="session")
@pytest.mark.parametrize(
    "words",
    [
        ("push",),
        ("gc", "--cloud", "--workspace", "--force"),
        ("cp", "table.csv.dvc", "s3://public-data/notes/"),
        ("verify", "--repair"),
    ],
)
def test_words_that_write_refuse(public_clone: Published, words: tuple[str, ...]) -> None:
    before = public_clone.keys
    done = bucket(public_clone.clone, *words)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "the connection is anonymous" in done.stderr
    assert public_clone.keys == before


def test_an_option_of_the_remote_is_enough_without_keys(public: Public, tmp_path: Path) -> None:
    """DVC's own option, as a publisher sets it for everybody; keys win over it."""
    clone = public.reader(tmp_path)
    text = clone.project.dvc_config.read_text()
    endpoint = public.settings["OS_ENDPOINT_URL"]
    text = text.replace(f"endpointurl = {clone.store.endpoint_url}", f"endpointurl = {endpoint}")
    clone.project.dvc_config.write_text(f"{text}    allow_anonymous_login = true\n")
    clone.project.env_file.unlink()
    certificate = {"AWS_CA_BUNDLE": str(clone.store.ca_bundle)}
    plain = replace(clone.clone, environment=clone.clone.environment | certificate)
    assert bucket(clone.clone, "pull", "table.csv", **certificate).returncode == 0
    assert (clone.root / "table.csv").read_bytes() == FILES["table.csv"]
    local = clone.project.dvc_config_local
    if endpoint == clone.store.endpoint_url:  # plain DVC reads S3 listings only
        (clone.root / "deep/er/same.csv").unlink(missing_ok=True)
        assert plain.run(TOOLS / "dvc", "pull", "deep/er/same.csv")
        own = Settings.load(clone.project, clone.store.env)
        assert not own.anonymous
        assert bucket(clone.clone, "push", **clone.store.env).returncode == 0
        assert "allow_anonymous_login = false" in local.read_text()
        assert bucket(clone.clone, "cat", "table.csv", **certificate).returncode == 0
