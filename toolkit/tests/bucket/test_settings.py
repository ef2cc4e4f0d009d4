"""The connection: where it is read, what is refused, what is never shown."""

import copy
import dataclasses
import json
import logging
import pickle
import traceback
from pathlib import Path

import pytest
from pydantic import ValidationError

from dvc_bucket import Project, Settings
from dvc_bucket.base.errors import BucketError, SettingsError
from dvc_bucket.connection.settings.sources import Found, Sources
from tests.bucket.settings_tools import GOOD, HIDDEN, refusal, write

pytestmark = pytest.mark.usefixtures("home")


def test_the_environment_wins_over_env(project: Project) -> None:
    write(project, GOOD)
    assert Settings.load(project, {}).bucket_name == "lab-data"
    assert Settings.load(project, {"OS_BUCKET_NAME": "other"}).bucket_name == "other"


def test_an_empty_variable_does_not_hide_env(project: Project) -> None:
    write(project, GOOD)
    assert Settings.load(project, {"OS_BUCKET_NAME": ""}).bucket_name == "lab-data"


def test_what_is_optional_is_read_and_has_a_default(project: Project, tmp_path: Path) -> None:
    bare = Settings.load(project, GOOD)
    assert (bare.region, bare.addressing_style, bare.ca_bundle) == ("us-east-1", "auto", None)
    assert (bare.connect_timeout, bare.read_timeout, bare.session_token) == (10, 60, None)
    bundle = tmp_path / "with a space.pem"
    bundle.write_text("-----BEGIN CERTIFICATE-----\n")
    optional = {
        "OS_REGION": "dresden-1",
        "OS_ADDRESSING_STYLE": "virtual",
        "OS_CACERT": str(bundle),
        "OS_SESSION_TOKEN": "hush",  # pragma: allowlist secret
        "OS_CONNECT_TIMEOUT": "3",
        "OS_READ_TIMEOUT": "600",
        "OS_RETRY_SECONDS": "0",
    }
    full = Settings.load(project, GOOD | optional)
    assert (full.region, full.addressing_style) == ("dresden-1", "virtual")
    assert (full.ca_bundle, full.connect_timeout, full.read_timeout) == (str(bundle), 3, 600)
    assert (bare.retry_seconds, full.retry_seconds) == (120, 0)
    assert full.session_token
    assert full.session_token.get_secret_value() == "hush"


def test_region_and_authorities_of_the_aws_sdks_serve_where_ours_say_nothing(
    project: Project, tmp_path: Path
) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_text("-----BEGIN CERTIFICATE-----\n")
    theirs = {"AWS_CA_BUNDLE": str(bundle), "AWS_DEFAULT_REGION": "b", "AWS_REGION": "a"}
    found = Settings.load(project, GOOD | theirs)
    assert (found.ca_bundle, found.region) == (str(bundle), "a")
    assert Settings.load(project, GOOD | theirs | {"OS_REGION": "c"}).region == "c"


@pytest.mark.parametrize("name", GOOD)
def test_a_missing_name_is_named(project: Project, name: str) -> None:
    environment = {key: value for key, value in GOOD.items() if key != name}
    assert refusal(project, environment) == (
        f"{name}: not set, and there is no .env. Run `make serve` for the embedded store, or "
        "`bucket init` for a bucket of your own (see .env.example)."
    )
    write(project, environment)
    assert refusal(project, {}) == (
        f"{name}: not set in the environment or in .env. Fill in .env (see .env.example)."
    )


def test_a_name_in_small_letters_is_found_where_it_is_missed(project: Project) -> None:
    project.env_file.write_text("# mine\nos_bucket_name=lab-data\n")
    message = refusal(project, GOOD | {"OS_BUCKET_NAME": ""})
    assert message == (
        "OS_BUCKET_NAME: not set, but os_bucket_name (.env, line 2) is. Write the name in capitals."
    )


# What a value cannot be. "hush" marks those of secrets; {line} is the line in .env.

FAULTS = [
    ("OS_ACCESS_KEY_ID", "<your-key>", "is not filled in. Fill it in (see .env.example)."),
    ("OS_SECRET_ACCESS_KEY", "<your-key>", "is not filled in. Fill it in (see .env.example)."),
    ("OS_ENDPOINT_URL", "https://s3.your-institution.edu)", "is not filled in."),
    ("OS_BUCKET_NAME", "<bucket>", "is not filled in."),
    ("OS_SECRET_ACCESS_KEY", "hush\n", "begins or ends with white space or a line break."),
    ("OS_SECRET_ACCESS_KEY", " hush", "begins or ends with white space or a line break."),
    ("OS_ACCESS_KEY_ID", "hush\r", "begins or ends with white space or a line break."),
    ("OS_SECRET_ACCESS_KEY", "'hush'", "is in quotes, which are part of the value here."),
    ("OS_ACCESS_KEY_ID", '"hush"', "is in quotes, which are part of the value here."),
    (
        "OS_SECRET_ACCESS_KEY",
        "“hush”",
        "contains the character U+201C (LEFT DOUBLE QUOTATION MARK).",
    ),
    ("OS_SECRET_ACCESS_KEY", "hu\u00a0sh", "contains the character U+00A0 (NO-BREAK SPACE)."),
    ("OS_SESSION_TOKEN", "hush\u200b", "contains the character U+200B (ZERO WIDTH SPACE)."),
    ("OS_SECRET_ACCESS_KEY", "hush\x07sh", "contains the character U+0007 (a control character)."),
    ("OS_SECRET_ACCESS_KEY", "hush\nsh", "contains the character U+000A (a control character)."),
    ("OS_SECRET_ACCESS_KEY", "hush hush", "contains a space. Remove it."),
    (
        "OS_ENDPOINT_URL",
        "https://s3.examplé.org",
        "'https://s3.examplé.org' contains the character",
    ),
    ("OS_ENDPOINT_URL", "https://s3.example.org)", "is not of the form https://host or"),
    ("OS_ENDPOINT_URL", "https://s3.example.org.", "is not of the form"),
    ("OS_ENDPOINT_URL", "https://s3..example.org", "is not of the form"),
    ("OS_ENDPOINT_URL", "https://s3.example.org,", "is not of the form"),
    ("OS_ENDPOINT_URL", "s3.example.org", "is not of the form"),
    ("OS_ENDPOINT_URL", "ftp://s3.example.org", "is not of the form"),
    ("OS_ENDPOINT_URL", "https://s3.example.org/bucket", "is not of the form"),
    ("OS_ENDPOINT_URL", "https://s3.example.org:port", "is not of the form"),
    ("OS_ENDPOINT_URL", "https://s3.example.org:0", "is not of the form"),
    ("OS_ENDPOINT_URL", "https://s3.example.org:99999", "is not of the form"),
    ("OS_ENDPOINT_URL", "https://s3.example.org#top", "is not of the form"),
    ("OS_ENDPOINT_URL", "https://", "is not of the form"),
    ("OS_ENDPOINT_URL", "http://[::1", "is not of the form"),
    (
        "OS_ENDPOINT_URL",
        "https://id:hush@s3.example.org",  # pragma: allowlist secret
        "'https://***@s3.example.org' is not",
    ),  # pragma: allowlist secret
    ("OS_ENDPOINT_URL", "https://s3.example.org?X-Sig=hush", "'https://s3.example.org?***' is not"),
    ("OS_BUCKET_NAME", "Lab_Data", "and is not a bucket name (3 to 63 of a-z, 0-9, dot"),
    ("OS_BUCKET_NAME", "ab", "is not a bucket name"),
    ("OS_BUCKET_NAME", "-lab", "is not a bucket name"),
    ("OS_BUCKET_NAME", "lab..data", "is not a bucket name"),
    ("OS_BUCKET_NAME", "192.168.1.1", "is not a bucket name"),
    ("OS_BUCKET_NAME", "s3://lab-data", "is not a bucket name"),
    ("OS_BUCKET_NAME", "x" * 64, "is not a bucket name"),
    ("OS_ADDRESSING_STYLE", "Virtual", "'Virtual' should be 'auto', 'path' or 'virtual'."),
    ("OS_READ_TIMEOUT", "60s", "'60s' is not a whole number of seconds from 1 to 3600."),
    ("OS_READ_TIMEOUT", "0", "is not a whole number of seconds"),
    ("OS_RETRY_SECONDS", "2m", "'2m' is not a whole number of seconds from 0 to 3600."),
    ("OS_RETRY_SECONDS", "-1", "is not a whole number of seconds"),
    ("OS_CONNECT_TIMEOUT", "-1", "is not a whole number of seconds"),
    ("OS_CONNECT_TIMEOUT", "1e9", "is not a whole number of seconds"),
    ("OS_CACERT", "/no/such/file.pem", "names /no/such/file.pem, which cannot be read (No such"),
    ("OS_CACERT", "/", "names /, which cannot be read (Is a directory). Correct the path."),
    ("OS_CACERT", "/dev/null", "names /dev/null, which contains no certificate in PEM format."),
]


@pytest.mark.parametrize(("name", "value", "fault"), FAULTS)
def test_a_value_that_cannot_be_right_is_told_with_its_setting(
    project: Project, name: str, value: str, fault: str
) -> None:
    message = refusal(project, GOOD | {name: value})
    assert message.startswith(f"{name} (environment) ")
    assert fault in message


@pytest.mark.parametrize(("name", "value", "fault"), FAULTS)
def test_in_env_its_line_is_told_too(project: Project, name: str, value: str, fault: str) -> None:
    written = {**GOOD, name: f'"{value}"' if "'" in value else f"'{value}'"}
    lines = [f"{key}={text}" for key, text in written.items()]
    project.env_file.write_text("\n".join(["# mine", "", *lines, "# end"]))
    message = refusal(project, {})
    if "\r" in value:
        assert ".env, line 5: the line of OS_ACCESS_KEY_ID has a Windows line end" in message
        return
    number = 3 + list(written).index(name)
    assert message.startswith(f"{name} (.env, line {number}) ")
    assert fault in message


def test_an_authority_of_env_has_the_same_path_in_every_folder(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ca.pem").write_text("-----BEGIN CERTIFICATE-----\n")
    monkeypatch.chdir(tmp_path)
    found = Settings.load(project, GOOD | {"OS_CACERT": "ca.pem"})  # as a shell would mean it
    assert found.ca_bundle == str(tmp_path / "ca.pem")
    write(project, GOOD | {"OS_CACERT": "ca.pem"})
    assert refusal(project, {}).startswith(
        "OS_CACERT (.env, line 5) names ca.pem, which is not an absolute path"
    )


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://s3.example.org/", "https://s3.example.org"),
        ("HTTPS://S3.Example.org:443", "https://S3.Example.org:443"),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
        ("http://[::1]:9000/", "http://[::1]:9000"),
        ("https://s3.example.org:", "https://s3.example.org"),
        ("https://s3.example.org?", "https://s3.example.org"),
    ],
)
def test_an_endpoint_is_kept_in_one_form(project: Project, url: str, kept: str) -> None:
    assert Settings.load(project, GOOD | {"OS_ENDPOINT_URL": url}).endpoint_url == kept


@pytest.mark.parametrize(
    ("url", "embedded", "port"),
    [
        ("http://127.0.0.1:8333", True, 8333),
        ("http://localhost:9000/", True, 9000),
        ("https://127.0.0.1:9000", False, 9000),
        ("https://s3.example.org", False, 443),
        ("http://s3.example.org", False, 80),
        ("http://127.0.0.1.example.org", False, 80),
    ],
)
def test_only_plain_http_on_loopback_is_the_embedded_store(
    project: Project, url: str, embedded: bool, port: int
) -> None:
    settings = Settings.load(project, GOOD | {"OS_ENDPOINT_URL": url})
    assert (settings.is_embedded, settings.port) == (embedded, port)


# Secrets.


def test_the_settings_never_show_the_secret(
    project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    token = {"OS_SESSION_TOKEN": "hush"}  # pragma: allowlist secret
    settings = Settings.load(project, GOOD | token)
    again = pickle.loads(pickle.dumps(settings))
    assert again == settings == copy.deepcopy(settings)
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("test").info("with %s and %r", settings, settings)
    shown = [
        caplog.text,
        settings.model_dump_json(),
        json.dumps(settings.model_dump(), default=str),
    ]
    for held in (settings, again, copy.copy(settings), settings.model_copy()):
        shown += [repr(held), str(held), f"{held}", f"{held!r}", repr([held]), str(vars(held))]
    assert [text for text in shown if "s3.example.org" not in text] == []
    assert not [text for text in shown if "very+secret" in text or "hush" in text]
    assert "key-id-0123" not in repr(settings)  # which may be the other half, mixed up


def test_where_it_was_found_is_shown_and_not_what(
    project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    write(project, GOOD)
    sources = Sources(project, {"OS_SESSION_TOKEN": "hush"})  # pragma: allowlist secret
    found = [sources.find(name) for name in (*GOOD, "OS_SESSION_TOKEN", "OS_REGION")]
    assert [entry.value for entry in found] == [*GOOD.values(), "hush", ""]
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("test").info("%s %s %r", sources, found, found)
    shown = [caplog.text, repr(sources), repr(found), str(found[3]), f"{found[3]}"]
    shown += [repr(copy.deepcopy(found)), repr(pickle.loads(pickle.dumps(found)))]
    shown += [repr(vars(sources)["_lines"]), repr(dataclasses.replace(found[3], name="x"))]
    assert not [text for text in shown for secret in HIDDEN if secret in text]
    assert repr(found[3]) == "OS_SECRET_ACCESS_KEY (.env, line 4)"
    assert repr(found[4]) == "OS_SESSION_TOKEN (environment)"
    assert repr(found[5]) == "OS_REGION (not set)"
    assert not Found("OS_REGION")


def test_not_even_wrong_usage_shows_it() -> None:
    wrong = {"endpoint_url": "nonsense", "bucket_name": "B", "secret_access_key": {"hush": "hush"}}
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate(wrong)
    assert "hush" not in "".join(traceback.format_exception(caught.value))


def test_every_fault_is_one_of_ours() -> None:
    assert issubclass(SettingsError, BucketError)
