"""What we write into `.env` is read alike by everybody."""

import base64
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from dvc_bucket import Project
from dvc_bucket.base.errors import SettingsError
from dvc_bucket.connection import env_file
from dvc_bucket.connection.env_file.lines import is_portable
from tests.bucket.env_readers import (
    assert_all_read,
    read_by_us,
    write,
)

# What we write.

#: Characters that some program treats in its own way, more often than others.
SPECIAL = st.sampled_from("'\"\\$`{}#~:=;&|<>() \t!*?%^,/+-_.@é\u00a0")
SECRET = st.text(SPECIAL | st.characters(min_codepoint=33, max_codepoint=126), max_size=24)
BASE64 = st.binary(min_size=20, max_size=40).map(lambda raw: base64.b64encode(raw).decode())

MANY = settings(
    max_examples=6,
    deadline=None,
    database=None,
    phases=(Phase.explicit, Phase.generate),  # each look starts programs: no time to shrink
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@MANY
@given(secrets=st.lists(SECRET | BASE64, min_size=20, max_size=60))
def test_what_is_written_everybody_reads(tmp_path: Path, secrets: list[str]) -> None:
    written = {}
    for number, secret in enumerate(secrets):
        try:
            written[f"OS_{number}"] = (env_file.quoted(secret), secret)
        except SettingsError:  # only if no kind of quotes holds it
            assert "${" in secret or (set("$`") & set(secret) and set("'\\") & set(secret))
    lines = [f"{name}={text}\n" for name, (text, _) in written.items()]
    expected = {name: secret for name, (_, secret) in written.items()}
    assert_all_read(tmp_path, "".join(lines), expected)


@MANY
@given(values=st.lists(SECRET, min_size=150, max_size=150))
def test_whatever_we_accept_everybody_reads_alike(tmp_path: Path, values: list[str]) -> None:
    lines = [f"OS_{number}={value}" for number, value in enumerate(values)]
    text = "KNOWN='a $b'\n" + "".join(f"{line}\n" for line in filter(is_portable, lines))
    write(tmp_path, text)
    assert_all_read(tmp_path, text, read_by_us(tmp_path))


@pytest.mark.parametrize("secret", ["a\nb", "${HOME}", "it's $5", "a'`b"])
def test_what_cannot_be_written_is_refused_without_being_shown(secret: str) -> None:
    with pytest.raises(SettingsError, match=r"This value cannot be written in \.env") as caught:
        env_file.quoted(secret)
    assert secret not in str(caught.value)


def test_a_value_is_replaced_in_its_line_alone(project: Project) -> None:
    text = "# OS_X=1\n export OS_X = 'old' # mine\nXOS_X=1\nOS_XY=2\n"
    after = env_file.with_values(text, {"OS_X": 'a\\1 "b'}, ".env")
    assert after == "# OS_X=1\n export OS_X ='a\\1 \"b'\nXOS_X=1\nOS_XY=2\n"
    project.env_file.write_text("OS_ENDPOINT_URL=http://127.0.0.1:1\r\nOTHER=1")
    project.env_file.chmod(0o640)
    env_file.set_endpoint(project, "http://127.0.0.1:2")
    assert project.env_file.read_bytes() == b"OS_ENDPOINT_URL=http://127.0.0.1:2\r\nOTHER=1"
    assert project.env_file.stat().st_mode & 0o777 == 0o640
