"""The four kinds of program that read `.env`, run for real: python-dotenv, `uv run`, sh, bash."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from dotenv import dotenv_values

from dvc_bucket.base.errors import SettingsError
from dvc_bucket.connection import env_file

UV = Path(sys.executable).with_name("uv")

#: What a program made of a file: values of our names; None for a name without one.
Read = Mapping[str, str | None]


def by_dotenv(folder: Path) -> Read:
    try:
        return _ours(dotenv_values(folder / ".env"))
    except UnicodeDecodeError:
        return {}


def by_uv(folder: Path) -> Read:
    command = (UV, "run", "--no-project", "--offline", "--no-python-downloads", "env", "-0")
    return _printed(folder, *command, UV_ENV_FILE=".env")


def by_sh(folder: Path) -> Read:
    return _printed(folder, "sh", "-c", "set -a; . ./.env; /usr/bin/env -0")


def by_bash(folder: Path) -> Read:
    return _printed(folder, "bash", "-c", "set -a; . ./.env; /usr/bin/env -0")


#: The cheapest first: a difference need be found once.
READERS: tuple[Callable[[Path], Read], ...] = (by_dotenv, by_sh, by_uv, by_bash)


def _printed(folder: Path, *command: str | Path, **variables: str) -> Read:
    clean = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    done = subprocess.run(
        command, cwd=folder, env=clean | variables, capture_output=True, check=False
    )
    pairs = (item.partition("=") for item in done.stdout.decode("utf-8", "replace").split("\0"))
    return _ours({name: value for name, _, value in pairs if name})


def _ours(found: Read) -> Read:
    return {name: value for name, value in found.items() if name.startswith("OS_")}


def write(folder: Path, text: str | bytes) -> Path:
    (folder / ".env").write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder / ".env"


def assert_all_read(folder: Path, text: str, expected: Read) -> None:
    write(folder, text)
    with ThreadPoolExecutor() as pool:
        found = list(pool.map(lambda reader: reader(folder), (read_by_us, *READERS)))
    names = ("us", *(reader.__name__ for reader in READERS))
    assert dict(zip(names, found, strict=True)) == dict.fromkeys(names, expected)


def is_read_alike(folder: Path, expected: Read | None = None) -> bool:
    """Whether all programs read the same, if given the `expected`."""
    first = by_dotenv(folder) if expected is None else expected
    return all(reader(folder) == first for reader in READERS)


def read_by_us(folder: Path) -> Read:
    return {name: line.value for name, line in env_file.read(folder / ".env", {}).items()}


def refusal(path: Path) -> str:
    with pytest.raises(SettingsError) as caught:
        env_file.read(path, {})
    assert "hush" not in str(caught.value)
    return str(caught.value)
