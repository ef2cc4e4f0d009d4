"""A secret typed by mistake is not shown; plain http to another machine is warned of."""

import secrets
from pathlib import Path

import pytest

from dvc_bucket import Project, Settings
from dvc_bucket.base.errors import RevisionError, SettingsError
from dvc_bucket.base.ports import free_ports
from dvc_bucket.connection.named_files import Names
from dvc_bucket.connection.settings import is_readable_on_the_way
from dvc_bucket.jobs import init
from dvc_bucket.jobs.doctor.certificate import CertificateTrusted
from dvc_bucket.jobs.doctor.check import Check, Warn, run
from dvc_bucket.jobs.doctor.patient import Patient
from dvc_bucket.read import foreign
from tests.bucket import store_tools
from tests.bucket.git_tools import VALUE
from tests.bucket.init_tools import copy_places
from tests.bucket.settings_tools import GOOD, refusal, write

#: Keys of several stores, in none of the settings yet: AWS, OpenStack, MinIO; and a token.
KEYS = [
    "wJalrXUtnFEMI/K7MDENG+bPxRfiCYzEXAMPLEKEY",
    "AKIA" + "Q3EGRIPL7ZXCVBNM",
    "Hunter2Hunter2!",
    "x" * 64,
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiI4NDkyMTcwMzQ2IiwibmFtZSI6Ikpv",
]


@pytest.mark.parametrize("key", KEYS)
def test_a_key_typed_as_the_name_of_the_bucket_is_not_shown(project: Project, key: str) -> None:
    message = refusal(project, GOOD | {"OS_BUCKET_NAME": key})
    assert key not in message
    assert f"OS_BUCKET_NAME (environment) has {len(key)} characters" in message
    write(project, GOOD | {"OS_BUCKET_NAME": key})
    assert "OS_BUCKET_NAME (.env, line 2) has" in store_tools.run(project, "ls").stderr


@pytest.mark.parametrize("fault", [" {}", "{}\n", "“{}”", "<{}>", "'{}'", "a {}"])
def test_nor_with_any_other_fault(project: Project, fault: str) -> None:
    assert KEYS[2] not in refusal(project, GOOD | {"OS_BUCKET_NAME": fault.format(KEYS[2])})


@pytest.mark.parametrize("name", ["OS_ENDPOINT_URL", "OS_ADDRESSING_STYLE", "OS_READ_TIMEOUT"])
@pytest.mark.parametrize("key", [key for key in KEYS if "!" not in key])
def test_nor_is_one_in_another_place(project: Project, name: str, key: str) -> None:
    message = refusal(project, GOOD | {name: key})
    assert key not in message
    assert message.startswith(f"{name} (environment) has {len(key)} characters")


def test_a_secret_that_could_be_a_bucket_is_found_out(project: Project) -> None:
    """Keys of OpenStack are 32 hexadecimal digits, which are a name of a bucket as well."""
    secret = secrets.token_hex(16)
    both = GOOD | {"OS_BUCKET_NAME": secret, "OS_SECRET_ACCESS_KEY": secret}
    message = refusal(project, both)
    assert secret not in message
    assert "has the value of OS_SECRET_ACCESS_KEY" in message


@pytest.mark.parametrize("key", [*KEYS, "0123456789abcdef" * 2])
def test_init_does_not_write_a_key_as_the_bucket_into_tracked_files(
    tmp_path: Path, key: str
) -> None:
    project = copy_places(tmp_path / "clone")
    before = store_tools.files(project.root)
    with pytest.raises(SettingsError) as caught:
        init.plan(project, Names(bucket=key))
    assert key not in str(caught.value)
    done = store_tools.run(project, "init", f"--bucket={key}", "--yes", "--no-doctor")
    assert done.returncode == 1
    assert key not in done.stdout + done.stderr
    assert store_tools.files(project.root) == before


def test_no_message_has_a_credential_of_this_clone(project: Project) -> None:
    """Wherever a message takes it from: here a path that a person typed."""
    write(project, GOOD)
    secret, quoted = GOOD["OS_SECRET_ACCESS_KEY"], "very%2Bsecret%2F0123%3D"
    for typed in (secret, quoted):
        done = store_tools.run(project, "cat", f"../{typed}")
        assert done.returncode == 1
        assert typed not in done.stdout + done.stderr
        assert "***" in done.stderr
    token = "hidden-" + "word"
    done = store_tools.run(project, "cat", f"../{token}", OS_SESSION_TOKEN=token)
    assert "hidden-word" not in done.stderr


def test_nor_has_a_finding_of_the_doctor(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here a host that has the name of the key."""
    monkeypatch.setenv("OS_ACCESS_KEY_ID", "hidden.example")
    monkeypatch.chdir(project.root)
    patient = Patient(project, environment=GOOD | {"OS_ENDPOINT_URL": "http://hidden.example"})
    result = next(iter(run([_Names], patient)))
    assert result.found == "the endpoint is http://***"


class _Names(Check):
    """A check that says the endpoint."""

    name, fix = "endpoint", ""

    @staticmethod
    def check(patient: Patient) -> str:
        return f"the endpoint is {patient.settings.endpoint_url}"


# Plain http.


@pytest.mark.parametrize(
    ("url", "is_readable"),
    [
        ("http://s3.example.org", True),
        ("http://192.0.2.7:8333", True),
        ("http://127.0.0.1.example.org", True),
        ("http://[2001:db8::1]:9000", True),
        ("https://s3.example.org", False),
        ("http://127.0.0.1:8333", False),
        ("http://127.0.0.2:8333", False),
        ("http://localhost", False),
        ("http://[::1]:9000", False),
    ],
)
def test_the_doctor_warns_of_plain_http_to_another_machine(
    project: Project, url: str, is_readable: bool
) -> None:
    assert is_readable_on_the_way(url) is is_readable
    patient = Patient(project, environment=GOOD | {"OS_ENDPOINT_URL": url})
    if url.startswith("https"):
        return
    if not is_readable:
        assert CertificateTrusted.check(patient) == "none: plain http on this machine"
        return
    with pytest.raises(Warn, match="everybody on the network path can read") as caught:
        CertificateTrusted.check(patient)
    assert "https://" in str(caught.value.fix)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_init_warns_of_it_too(tmp_path: Path, scheme: str) -> None:
    project = copy_places(tmp_path / "clone")
    words = ("init", f"--endpoint={scheme}://store.invalid", "--bucket=lab-data", "--yes")
    done = store_tools.run(project, *words, "--no-doctor", **{k: GOOD[k] for k in list(GOOD)[2:]})
    assert done.returncode == 0
    assert ("plain http on another machine" in done.stdout) is (scheme == "http")
    assert Settings.load(project, {}).host == "store.invalid"


def test_a_token_in_the_address_of_a_repository_is_not_shown() -> None:
    port = free_ports(1)[0]
    with pytest.raises(RevisionError) as caught:
        foreign.clone(f"https://oauth2:{VALUE}@127.0.0.1:{port}/none.git")
    assert VALUE not in str(caught.value)
