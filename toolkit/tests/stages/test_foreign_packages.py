"""Packages of R and tools: which a script uses, which versions are pinned, which are here."""

import json
import shutil
from pathlib import Path

import pytest

from dvc_bucket import Project
from dvc_bucket.base import foreign_packages, packages
from dvc_bucket.base.errors import ProjectError
from dvc_bucket.stages.declared import r_code

SCRIPT = """\
# library(nope)
library(dplyr); require('data.table')
suppressPackageStartupMessages(library("Matrix", quietly = TRUE))
if (requireNamespace("maybe", quietly = TRUE)) maybe <- 1 # maybe::it
stats::sd(1); R.utils::gzip(2)
cat("see foo::bar, library(zzz)", 'it is \\'no::name\\'')
name <- "other"
library(name, character.only = TRUE)
"""


def test_the_packages_of_a_script_in_r_are_found_in_its_text(tmp_path: Path) -> None:
    script, other = tmp_path / "a.R", tmp_path / "b.sh"
    script.write_text(SCRIPT)
    other.write_text("library(shell)\n")
    found, not_needed = r_code.packages_of([other, script])
    used = {"R", "R/dplyr", "R/data-table", "R/Matrix", "R/maybe", "R/R-utils"}
    assert found == dict.fromkeys(used, script)
    assert not_needed == {"R/maybe"}
    assert r_code.packages_of([other]) == ({}, set())


def test_renv_lock_pins_versions_and_commits(tmp_path: Path) -> None:
    pins = {
        "data.table": {"Version": "1.14.8", "RemoteType": "standard", "RemoteSha": "1.14.8"},
        "mine": {"Version": "0.1", "RemoteType": "github", "RemoteSha": "0123abc"},
        "nlme": {"Version": "3.1-162"},
    }
    file = tmp_path / "renv.lock"
    file.write_text(json.dumps({"R": {"Version": "4.2.2"}, "Packages": pins}))
    assert foreign_packages.pinned_by_renv(tmp_path) == {
        "R": "4.2.2",
        "R/data-table": "1.14.8",
        "R/mine": "0123abc",
        "R/nlme": "3.1-162",
    }
    for text, said in (("{}", "KeyError"), ("[1]", "TypeError"), ("<<<<<<<", "JSONDecodeError")):
        file.write_text(text)
        with pytest.raises(ProjectError, match=rf"the form that renv writes \({said}"):
            foreign_packages.pinned_by_renv(tmp_path)
    file.unlink()
    with pytest.raises(ProjectError, match=r"^renv.lock, which pins R .* is missing"):
        foreign_packages.pinned_by_renv(tmp_path)


def test_a_program_that_is_no_debian_package_says_its_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = {
        "one": "echo one, version 5.2.15'(1)'-release",
        "two": "echo TWO 2.1 released 2024-01-01 >&2",
        "whole": "echo whole 590",
        "fails": "echo 1.2; exit 2",
        "silent": "",
    }
    for name, body in answers.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    found = {name: foreign_packages.tool_version(name) for name in answers}
    assert found == {"one": "5.2.15", "two": "2.1", "whole": "590", "fails": "", "silent": ""}
    for name in ("unheard-of", "../one", "-W", "one two", ""):
        assert foreign_packages.tool_version(name) == ""


@pytest.mark.skipif(not shutil.which("dpkg-query"), reason="no Debian")
def test_a_debian_package_has_the_version_of_its_authors(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = {"2:9.1-1+b1": "9.1", "3.6.2+dfsg-1": "3.6.2", "590-2": "590", "1.0~rc1": "1.0"}
    for debian, own in versions.items():
        assert foreign_packages.of_authors(debian) == own
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    assert foreign_packages.tool_version("base-files") != ""


def test_what_a_lock_file_pins_is_not_taken_from_the_record_beside_a_tool(tmp_path: Path) -> None:
    (tmp_path / "requirements.lock").write_text("six==2.0\n")
    (tmp_path / "packages.yaml").write_text('six: "1.0"\ntool/sort: "0.1"\n')
    found = packages.locked(Project(tmp_path), ["six", "tool/sort"])
    assert found == {"six": "2.0", "tool/sort": "0.1"}
