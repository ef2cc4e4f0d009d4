"""This machine: scratch space, locks, versions; and how many files the project has."""

import contextlib
import importlib.metadata
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any, ClassVar

import psutil
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from dvc_bucket.base import project_settings
from dvc_bucket.base.paths import FAST_DISKS
from dvc_bucket.jobs.doctor.check import Check, Problem, Warn
from dvc_bucket.jobs.doctor.patient import Patient
from dvc_bucket.jobs.doctor.repository import GitThere, dvc_options, git
from dvc_bucket.jobs.doctor.service import MayList

#: Below this mean size a request costs more than its bytes; above this number it is felt.
TINY_BYTES = 100_000
MANY_OBJECTS = 1_000

#: Objects that are counted at most: ten requests.
COUNTED = 10_000

#: File systems that a network lies behind, where a plain lock may not hold.
NETWORKED = {"nfs", "nfs4", "lustre", "gpfs", "beegfs", "ceph", "cifs", "smb3", "fuse.sshfs", "afs"}

SCRATCH_BYTES = 1_000_000_000


class ObjectCount(Check):
    """How many objects the project has in the bucket, and how small they are."""

    name = "objects"
    why = "Each file costs a request or two, so that ten thousand tiny ones take hours."
    fix = "`bucket pack FOLDER SHARDS` puts small files into a few large ones; `dvc add` those."
    needs = (MayList,)

    @staticmethod
    def check(patient: Patient) -> str:
        """List them, as far as ten requests go."""
        prefix = f"{patient.prefix}/" if patient.prefix else ""
        pages = patient.client.get_paginator("list_objects_v2").paginate(
            Bucket=patient.settings.bucket_name,
            Prefix=prefix,
            PaginationConfig={"MaxItems": COUNTED},
        )
        items = [item for page in pages for item in page.get("Contents", [])]
        sizes = [item["Size"] for item in items if not item["Key"].startswith(patient.probes)]
        if not sizes:
            return "none yet"
        mean = sum(sizes) / len(sizes)
        number = f"{'at least ' if len(items) == COUNTED else ''}{len(sizes):,}"
        size = f"{mean / 1000:,.0f} kB" if mean >= 1000 else f"{mean:.0f} B"
        found = f"{number}, {size} each in the mean"
        if len(sizes) >= MANY_OBJECTS and mean < TINY_BYTES:
            raise Warn(found)
        return found


class SmallFiles(Check):
    """Folders of many small files that DVC tracks."""

    name = "small files"
    why = ObjectCount.why
    fix = ObjectCount.fix
    needs = (GitThere,)

    @staticmethod
    def check(patient: Patient) -> str:
        """Read what `dvc.lock` and the `.dvc` files say of folders: how many files, how large."""
        patterns = ("*.dvc", "*dvc.lock")
        listed = git(patient, "ls-files", "-z", "--", *patterns).stdout.split("\0")
        folders = [
            (f"{Path(name).parent / out['path']}", out["nfiles"], out.get("size", 0))
            for name in filter(None, listed)
            for out in _outputs(patient.project.root / name)
            if out.get("nfiles")
        ]
        tiny = [
            f"{path} has {count:,} files of {size / count / 1000:,.1f} kB in the mean"
            for path, count, size in folders
            if count >= MANY_OBJECTS and size / count < TINY_BYTES
        ]
        if tiny:
            more = f", and {len(tiny) - 1} more such folders" if tiny[1:] else ""
            raise Warn(f"{tiny[0]}{more}")
        return "no folder of many"


class LocksHold(Check):
    """DVC's lock works on this file system."""

    name = "locks"
    why = "On a network file system two `dvc` at once can both think that they hold the lock."
    fix = "dvc config core.hardlink_lock true"

    @staticmethod
    def check(patient: Patient) -> str:
        """Look at the file system that `.dvc` is on."""
        kind = _file_system(patient.project.dvc_config)
        hardlink = dvc_options(patient, "core").get("hardlink_lock", "").lower() == "true"
        if kind in NETWORKED and not hardlink:
            raise Warn(f".dvc is on {kind}, and core.hardlink_lock is not set")
        return f"{kind}{', core.hardlink_lock' if hardlink else ''}"


class ScratchSpace(Check):
    """Where jobs put what they need for a while."""

    name = "scratch space"
    why = "Staged data and temporary files go there; a full one stops a job in the middle."
    fix = f"Set {' or '.join(FAST_DISKS)} to a folder with room, or free some."

    @staticmethod
    def check(patient: Patient) -> str:  # noqa: ARG004
        """Write there, and see how much is free."""
        name = next((name for name in FAST_DISKS if os.environ.get(name)), None)
        folder = Path(os.environ[name] if name else tempfile.gettempdir())
        try:
            with tempfile.NamedTemporaryFile(dir=folder):
                free = shutil.disk_usage(folder).free
        except OSError as error:
            raise Problem(f"{folder} ({name or 'default'}): {error.strerror}") from None
        found = f"{folder} ({name or 'default'}), {free / 1e9:,.0f} GB free"
        if free < SCRATCH_BYTES:
            raise Warn(found)
        return found


class ToolVersions(Check):
    """The tools are those that the lock file names."""

    name = "tools"
    why = "Results and behaviour are tried with the versions of the lock file."
    fix = "make setup"

    PACKAGES: ClassVar = ("dvc", "dvc-s3", "s3fs", "botocore", "obstore", "pyarrow")

    @staticmethod
    def check(patient: Patient) -> str:
        """Compare what is installed with the lock file."""
        lock = patient.project.root / project_settings.of(patient.project).lock_file
        text = lock.read_text() if lock.is_file() else ""
        pinned = dict(re.findall(r"^([a-z0-9._-]+)==([^\s;\\]+)", text, re.MULTILINE))
        installed = {}
        for name in ToolVersions.PACKAGES:
            with contextlib.suppress(importlib.metadata.PackageNotFoundError):
                installed[name] = importlib.metadata.version(name)
        if missing := [name for name in ToolVersions.PACKAGES if name not in installed]:
            raise Problem(f"not installed: {', '.join(missing)}")
        version = git(patient, "--version").stdout.strip().removeprefix("git version ")
        other = [
            f"{name} {installed[name]} (lock: {pinned[name]})"
            for name in installed
            if pinned.get(name, installed[name]) != installed[name]
        ]
        if other:
            raise Warn(", ".join(other))
        return ", ".join([f"git {version}", *(f"{k} {v}" for k, v in installed.items())])


ALL = (ObjectCount, SmallFiles, LocksHold, ScratchSpace, ToolVersions)


def _outputs(path: Path) -> list[dict[str, Any]]:
    """The outputs that a `.dvc` file or a `dvc.lock` names."""
    try:
        content = YAML(typ="safe").load(path) or {}
        stages = content.get("stages", {"": content}).values()
        return [out for stage in stages for out in stage.get("outs", ())]
    except (OSError, YAMLError, AttributeError):  # DVC itself says what is wrong with it
        return []


def _file_system(path: Path) -> str:
    """Kind of the file system that `path` is on, such as ext4 or nfs4."""
    mounts = {Path(part.mountpoint): part.fstype for part in psutil.disk_partitions(all=True)}
    return next(
        (mounts[folder] for folder in path.resolve().parents if folder in mounts), "unknown"
    )
