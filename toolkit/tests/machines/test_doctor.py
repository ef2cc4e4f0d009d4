"""The doctor warns of what plain `dvc` takes from the environment of a shell."""

from pathlib import Path
from typing import Any

import pytest

from dvc_bucket import Project
from dvc_bucket.base import surroundings
from dvc_bucket.jobs.doctor import environment as doctor
from dvc_bucket.jobs.doctor.check import Check, Warn
from dvc_bucket.jobs.doctor.patient import Patient
from tests.clones import TOOLS
from tests.machines.machine import Machine

#: What a person's environment has, and the check of the doctor that warns of it.
WARNED: dict[str, tuple[type[Check], dict[str, str], str]] = {
    "fish": (doctor.ShellOfStages, {"SHELL": "/usr/bin/fish"}, "with /usr/bin/fish"),
    "no shell": (doctor.ShellOfStages, {"SHELL": "/nowhere/bash"}, "is not executable"),
    "module": (doctor.ImportsOwn, {"PYTHONPATH": "/opt/module"}, "PYTHONPATH names /opt/module"),
    "pip": (doctor.ImportsOwn, {"PIP_TARGET": "/opt"}, "sets PIP_TARGET, which"),
    "venv": (doctor.ImportsOwn, {"VIRTUAL_ENV": "/opt/venv"}, "sets VIRTUAL_ENV, which"),
    "home": (doctor.UserKnown, {"HOME": "/nowhere"}, "HOME names /nowhere"),
    "tmpdir": (doctor.TemporaryFiles, {"TMPDIR": "/nowhere"}, "TMPDIR names /nowhere"),
}


def test_the_doctor_warns_of_settings_of_pip(
    store: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / ".config/pip/pip.conf"
    file.parent.mkdir(parents=True)
    monkeypatch.setattr(surroundings, "_before", {"HOME": str(tmp_path)})
    file.write_text("[global]\nindex-url = https://packages.institute.example/simple\n")
    assert doctor.PipInstallsHere.check(Patient(store)) == "no setting that points elsewhere"
    file.write_text("[install]\nuser = yes\n")
    with pytest.raises(Warn, match=r"pip/pip.conf sets user \(\[install\]\)"):
        doctor.PipInstallsHere.check(Patient(store))


@pytest.mark.parametrize("name", WARNED)
def test_the_doctor_warns_of_it(store: Project, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    check, environment, said = WARNED[name]
    monkeypatch.setattr(surroundings, "_before", {"HOME": "/tmp"} | environment)
    with pytest.raises(Warn, match=said):
        check.check(Patient(store))


#: Prints what the doctor finds of the locale and of the limits of this process.
FOUND = """\
from dvc_bucket.jobs.doctor.environment import FilesOpen, NamesAreUtf8
for check in (NamesAreUtf8, FilesOpen):
    try:
        print(check.check(None))
    except Exception as warning:
        print(warning.found)
"""


def test_the_doctor_warns_of_a_locale_and_of_limits(store: Project, latin1: dict[str, Any]) -> None:
    python = (str(TOOLS / "python"), "-c", FOUND)
    limited = ("sh", "-c", 'ulimit -n 64; exec "$@"', "sh")
    names, files = Machine(store.root).run(*python, prefix=limited, **latin1).stdout.splitlines()
    assert names == "the locale has ISO-8859-1, in which plain dvc records names"
    assert files == "64 at a time (ulimit -n)"
    assert Machine(store.root).run(*python, LC_ALL="C").stdout.startswith("UTF-8\n")
