"""The packages that stages depend on: recorded, pinned and installed are one version."""

from typing import ClassVar

from dvc_bucket.base import packages
from dvc_bucket.base.foreign_packages import is_python
from dvc_bucket.base.words import listed
from dvc_bucket.jobs.doctor.check import Check, Warn
from dvc_bucket.jobs.doctor.patient import Patient


class VersionsOfPackages(Check):
    """With another version installed than recorded, stages refuse to run."""

    name = "packages of stages"
    fix = "`make setup`, which installs the versions of the lock file."

    #: The fix where the lock file has moved on.
    WRITE: ClassVar = f"`make lock`, or `{packages.WRITE}`."

    @staticmethod
    def check(patient: Patient) -> str:
        """Compare packages.yaml with the lock file, then with what is installed."""
        versions = packages.read(patient.project)
        if not versions:
            return "none are named"
        pinned = packages.locked(patient.project, versions)
        other = [
            f"{name} {version} (lock: {pinned.get(name, 'none')})"
            for name, version in versions.items()
            if pinned.get(name) != version
        ]
        if other:
            raise Warn(f"{packages.FILE} has {', '.join(other)}", VersionsOfPackages.WRITE)
        if different := packages.not_locked(patient.project):
            names = [one.name for one in different]
            fix = "" if all(map(is_python, names)) else packages.fixes(names)
            raise Warn("; ".join(map(str, different)), fix)
        files = dict.fromkeys(packages.lock_of(patient.project, name) for name in versions)
        return f"{len(versions)}, as {listed([*files])} pins them"
