"""`bucket doctor`: finds the cause, not the symptom.

A check is one small class (see `check.Check`). A family of checks is a module, in which each check
follows those that it requires. Installed plugins add checks of their own.
"""

import signal
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import NoReturn

from dvc_bucket.base import ending
from dvc_bucket.base.paths import Project
from dvc_bucket.jobs.doctor import (
    certificate,
    clone,
    environment,
    files,
    machine,
    network,
    packages,
    probes,
    repository,
    rights,
    service,
    template,
    throttle,
)
from dvc_bucket.jobs.doctor.check import Check, Result, of_plugins, run
from dvc_bucket.jobs.doctor.patient import Patient

#: In the order in which their checks are made.
FAMILIES = (
    files,
    repository,
    clone,
    environment,
    network,
    certificate,
    service,
    rights,
    throttle,
    machine,
    packages,
    template,
)


def _family(module: ModuleType) -> Iterator[type[Check]]:
    """The checks that a module defines, in the order of their definition."""
    for value in vars(module).values():
        is_check = isinstance(value, type) and issubclass(value, Check)
        if is_check and value.__module__ == module.__name__:
            yield value


#: Every check of the toolkit, each after those that it requires.
CHECKS = tuple(check for family in FAMILIES for check in _family(family))


def examine(
    project: Project,
    *,
    read_only: bool = False,
    on_start: Callable[[str], None] = lambda _: None,
) -> Iterator[Result]:
    """Make every check, and leave nothing of the probe in the bucket, however it ends.

    Those of plugins come last.

    Args:
        project: the clone.
        read_only: leave out the checks that write to the bucket.
        on_start: called with the name of each check that begins.
    """
    patient = Patient(project, read_only=read_only)
    checks = (*CHECKS, *of_plugins(CHECKS))
    with ending.heard(_end, (signal.SIGTERM, signal.SIGHUP)):
        try:
            yield from run(checks, patient, on_start)
        finally:
            probes.clean(patient)


def _end(number: int) -> NoReturn:
    """Let a batch system and a closed terminal end us as Ctrl-C does."""
    raise SystemExit(128 + number)
