"""`.env` as four kinds of program read it: what is accepted they read alike, what is refused not.

The programs are run for real: python-dotenv, `uv run`, sh and bash.
"""

import os
from pathlib import Path

import pytest

from dvc_bucket import Project, Settings
from dvc_bucket.base.errors import SettingsError
from dvc_bucket.connection import env_file
from tests.bucket.env_readers import assert_all_read, is_read_alike, refusal, write

#: A line (of the name X), and the value that everybody reads.
ACCEPTED = [
    ("X=abc", "abc"),
    ("export X=abc", "abc"),
    ("  export\tX=abc", "abc"),
    ("X='a b'", "a b"),
    ('X="a b"', "a b"),
    ("X=a#b", "a#b"),
    ("X='a #b'", "a #b"),
    ('X="a #b"', "a #b"),
    ("X=abc # comment", "abc"),
    ("X='abc'\t# it's a comment", "abc"),
    ("X=abc   ", "abc"),
    ("X='abc'  ", "abc"),
    ("X=", ""),
    ("X=''", ""),
    ('X=""', ""),
    ("X= # nothing", ""),
    ("X='a$b'", "a$b"),
    ("X='$(id) $HOME `id`'", "$(id) $HOME `id`"),
    ("X='a\\b'", "a\\b"),
    ("X='a\\nb'", "a\\nb"),
    ("X='a${b'", "a${b"),
    ("X='a\"b'", 'a"b'),
    ('X="it\'s"', "it's"),
    ('X="a\\\\b\\"c"', 'a\\b"c'),
    ('X="a\\\\nb"', "a\\nb"),
    ("X=${KNOWN}", "known $HOME"),
    ("X=x${KNOWN}y", "xknown $HOMEy"),
    ('X="${KNOWN} ${KNOWN}"', "known $HOME known $HOME"),
    ('X="\\\\${KNOWN}"', "\\known $HOME"),
    ("X=${LATER}", ""),
    ('X="${NOWHERE}"', ""),
    ("X=wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY==", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY=="),
    ("X==a=b", "=a=b"),
    ("X=a!b*c?d[e]{f,g}~h%i^j,k.l:m@n+o-p_q", "a!b*c?d[e]{f,g}~h%i^j,k.l:m@n+o-p_q"),
    ("X=é", "é"),
    ("X='a\u00a0b'", "a\u00a0b"),
    ("X=“abc”", "“abc”"),
    ("X=a\u200bb", "a\u200bb"),
    ("X='a\nb'", "a\nb"),
    ('X="a\n\nY=b"', "a\n\nY=b"),
    ("X=same\nX='same'", "same"),
    ("# it's \"odd\nX=a", "a"),
    ("\n\n   # comment\nX=a\n\n", "a"),
]


def test_what_is_accepted_everybody_reads_alike(tmp_path: Path) -> None:
    expected = {f"OS_{number}": value for number, (_, value) in enumerate(ACCEPTED)}
    lines = [
        line.replace("X=", f"{name}=") for (line, _), name in zip(ACCEPTED, expected, strict=True)
    ]
    expected["OS_LAST"] = "no-line-end"
    text = "\n".join(["KNOWN='known $HOME'", *lines, "LATER=late", "OS_LAST=no-line-end"])
    assert_all_read(tmp_path, text, expected)


#: Lines that are refused, and the fault that is told. "hush" in a value is not told.
PORTABLE = "has a value that a shell, uv and python-dotenv read differently"
REFUSED = [
    ("OS_X=hush a", PORTABLE),
    ("OS_X=hush# comment", PORTABLE),
    ("OS_X=hush#a b", PORTABLE),
    ("OS_X='hush'# comment", PORTABLE),
    ("OS_X=#hush", PORTABLE),
    ("OS_X=~/hush", PORTABLE),
    ("OS_X=/hush:~/b", PORTABLE),
    ("OS_X= hush", "has spaces around `=`, which a shell reads as a command"),
    ("OS_X =hush", "has spaces around `=`"),
    ("export OS_X = hush", "has spaces around `=`"),
    ("OS_X", "has no `=`"),
    ("export OS_X", "has no `=`"),
    ("OS_X=$hush", PORTABLE),
    ("OS_X=hush$", PORTABLE),
    ('OS_X="hush$b"', PORTABLE),
    ('OS_X="hush\\$b"', PORTABLE),
    ("OS_X=${hush:-b}", PORTABLE),
    ('OS_X="${KNOWN:-hush}"', PORTABLE),
    ("OS_X='${KNOWN}hush'", PORTABLE),
    ("OS_X='${}hush'", PORTABLE),
    ("OS_X=hush\\b", PORTABLE),
    ('OS_X="hush\\nb"', PORTABLE),
    ('OS_X="hush\\b"', PORTABLE),
    ("OS_X='hush\\\\b'", PORTABLE),
    ("OS_X=hush`b", PORTABLE),
    ('OS_X="hush`b"', PORTABLE),
    ('OS_X="$(echo hush)"', PORTABLE),
    ("OS_X=hush;b", PORTABLE),
    ("OS_X=hush&b", PORTABLE),
    ("OS_X=hush|b", PORTABLE),
    ("OS_X=hush<b", PORTABLE),
    ("OS_X=hush(b", PORTABLE),
    ("OS_X=hush'b'", PORTABLE),
    ('OS_X=hush"b"', PORTABLE),
    ("OS_X=hush'b", PORTABLE),
    ("OS_X=hush\r", "has a Windows line end, which a shell adds to the value"),
    ("OS_X='hush'\r", "has a Windows line end"),
    ("OS_X='hush\r\nb'", "has a Windows line end"),
    ("OS_X=hush\u00a0", "contains the character U+00A0 (NO-BREAK SPACE)"),
    ("\u00a0OS_X=hush", "contains the character U+00A0 (NO-BREAK SPACE)"),
    ("\u200bOS_X=hush", "contains the character U+200B (ZERO WIDTH SPACE)"),
    ("\ufeffOS_X=hush", "contains the character U+FEFF (ZERO WIDTH NO-BREAK SPACE)"),
    ("OS_X=“hush b”", "contains the character U+201C (LEFT DOUBLE QUOTATION MARK)"),
    ("'OS_X'=hush", PORTABLE),
    ("OS_X=1\nOS_X=hush", "sets OS_X again, after line 3; some programs use the first"),
]
UNCLOSED = "is not of the form NAME=value; perhaps a quote is not closed. Correct it."
REFUSED += [
    ("OS_X='hush", UNCLOSED),
    ('OS_X="hush', UNCLOSED),
    ("OS_X='hush'b", UNCLOSED),
    ("OS_X='it''s hush'", UNCLOSED),
    ("OS_X: hush", UNCLOSED),
]


@pytest.mark.parametrize(("line", "fault"), REFUSED)
def test_what_is_refused_somebody_reads_differently(tmp_path: Path, line: str, fault: str) -> None:
    path = write(tmp_path, f"OS_A=a\nKNOWN=known\n{line}\nOS_Z=z\n")
    assert not is_read_alike(tmp_path)
    number = 3 + ("\nOS_X" in line)
    message = refusal(path)
    assert message.startswith(f".env, line {number}")
    assert fault in message
    assert message.endswith(".")
    assert message.count(". ") >= 1  # what is wrong, and what to do


@pytest.mark.parametrize("line", ["OS_X=hush ", "OS_X='hush'\t", "OS_X=hush  # c "])
def test_a_last_line_without_its_end_may_not_end_in_a_blank(tmp_path: Path, line: str) -> None:
    path = write(tmp_path, f"OS_A=a\n{line}")
    assert not is_read_alike(tmp_path)
    assert "ends with a blank and without a line end" in refusal(path)
    for text in (f"OS_A=a\n{line}# comment", f"OS_A=a\n{line}\n"):
        assert_all_read(tmp_path, text, {"OS_A": "a", "OS_X": "hush"})


#: Lines of somebody else that not all read alike, but after which all read ours.
HARMLESS = [
    "F=a;b",
    "F=https://x.example/?a=1&b=2",
    "F=a|b",
    "F = spaced",
    "F=$HOME/x:~/y",
    "F=${HOME:-/root}/x",
    'F="-----BEGIN\\nKEY-----\\n"',
    'F="${X:-y}"',
    "F='${X}'",
    "F=a$",
    "F=$$",
    "F=#a",
    "F=a\r",
    "F=1\nF=2",
    "lower=1",
]


def test_what_is_somebody_elses_may_be_as_it_likes(tmp_path: Path) -> None:
    lines = [f"OS_{number}={number}\n{line}\n" for number, line in enumerate(HARMLESS)]
    expected = {f"OS_{number}": str(number) for number in range(len(HARMLESS))} | {"OS_Z": "z"}
    assert_all_read(tmp_path, "".join([*lines, "OS_Z=z\n"]), expected)


@pytest.mark.parametrize(
    "line",
    [
        "F=two words",
        "F",
        "export F",
        'F="a$b"',
        'F="a\\tb"',
        "F=a\\tb",
        "F=a`b",
        "F=a(b",
        "F=${X",
        "F-x=1",
        "[section]",
        "set -e",
        "wJalrXUtnFEMI/hush",
    ],
)
def test_unless_it_keeps_a_program_from_reading_ours(tmp_path: Path, line: str) -> None:
    path = write(tmp_path, f"OS_A=a\n{line}\nOS_Z=z\n")
    assert not is_read_alike(tmp_path, {"OS_A": "a", "OS_Z": "z"})
    assert refusal(path).startswith(".env, line 2 ")


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("\ufeffOS_X=hush\n".encode(), ".env, line 1 begins with a byte order mark"),
        ("\ufeff# comment\nOS_X=hush\n".encode(), ".env, line 1 begins with a byte order mark"),
        ("OS_X=hush\n".encode("utf-16"), ".env is not UTF-8 text; an editor saved it as UTF-16"),
        ("OS_X=hush\n".encode("utf-16-le"), ".env is not UTF-8 text"),
        ("OS_X=hushé\n".encode("latin-1"), ".env is not UTF-8 text"),
    ],
)
def test_a_file_in_another_encoding(tmp_path: Path, content: bytes, fault: str) -> None:
    path = write(tmp_path, content)
    assert not is_read_alike(tmp_path, {"OS_X": "hush"})
    assert refusal(path).startswith(fault)


def test_a_file_of_windows_is_refused_at_its_first_setting(tmp_path: Path) -> None:
    lines = ["# mine", "", "OTHER=1", "OS_X=hush", "OS_Y=hush", ""]
    (tmp_path / ".env").write_text("\r\n".join(lines), newline="")
    assert refusal(tmp_path / ".env") == (
        ".env, line 4: the line of OS_X has a Windows line end, which a shell adds "
        "to the value. Convert the file: sed -i 's/\\r$//' .env."
    )


def test_lines_are_counted_as_an_editor_counts_them(tmp_path: Path) -> None:
    lines = [
        "# comment",
        "",
        "A='two",
        "lines'",
        "",
        "  ",
        "# more",
        "",
        " export OS_X=hush",
        "OS_Y",
    ]
    (tmp_path / ".env").write_text("\n".join(lines))
    assert refusal(tmp_path / ".env").startswith(".env, line 10: the line of OS_Y has no `=`")
    (tmp_path / ".env").write_text("\n".join(lines[:9]))
    assert env_file.read(tmp_path / ".env")["OS_X"].number == 9


def test_a_placeholder_is_left_to_the_settings(project: Project) -> None:
    text = project.env_example.read_text().replace("<your-endpoint>", "https://s3.example.org")
    project.env_file.write_text(text.replace("<your-bucket>", "research-data"))
    line = project.env_file.read_text().splitlines().index("OS_ACCESS_KEY_ID=<your-access-key>")
    with pytest.raises(SettingsError) as caught:
        Settings.load(project, {})
    assert str(caught.value) == (
        f"OS_ACCESS_KEY_ID (.env, line {line + 1}) is not filled in. Fill it in (see .env.example)."
    )


def test_what_ours_refer_to_is_ours(tmp_path: Path) -> None:
    path = write(tmp_path, "W=$HOME\nV=${W}\nOS_X=${V}\n")
    assert not is_read_alike(tmp_path)
    assert refusal(path).startswith(".env, line 1: the line of NAME has a value that")


def test_references_are_looked_up_where_the_settings_are(project: Project) -> None:
    project.env_file.write_text("AWS_REGION=${HERE}\nAWS_PROFILE=${AWS_REGION}\n")
    assert env_file.read(project.env_file, {"HERE": "dresden"})["AWS_PROFILE"].value == "dresden"
    assert env_file.read(project.env_file, {})["AWS_PROFILE"].value == ""


def test_env_that_is_no_file(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    assert env_file.read(path) == {}
    path.mkdir()
    assert refusal(path) == f"{path} is a folder, not a file. Remove it: `rmdir .env`."


@pytest.mark.skipif(os.getuid() == 0, reason="root reads everything")
def test_env_of_another_user(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.touch(0o000)
    assert "You cannot read" in refusal(path)
