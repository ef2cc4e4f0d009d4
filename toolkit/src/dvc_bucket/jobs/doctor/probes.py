"""The objects that the doctor puts into the bucket: named, noted, and removed, its own and others'.

The next run removes what a run that was killed left there.
"""

import contextlib
import os
import random
from datetime import UTC, datetime, timedelta

import psutil

from dvc_bucket.jobs.doctor.patient import MACHINE, Patient

#: A doctor takes seconds; what is older than this was left by one that was killed. The clock of
#: another machine may be off.
OWN_AGE, OTHERS_AGE = timedelta(hours=1), timedelta(days=1)


def sweep(patient: Patient) -> None:
    """Remove what a doctor that was killed left: of this machine at once, of others after a day."""
    client = patient.client
    listings = (
        (client.list_objects_v2, "Contents", "LastModified"),
        (client.list_multipart_uploads, "Uploads", "Initiated"),
    )
    for listing, items, since in listings:
        # A key without these rights: later checks say so. Not every store lists uploads.
        with contextlib.suppress(Exception):  # the edge to botocore
            listed = listing(Bucket=patient.settings.bucket_name, Prefix=patient.probes)
            for item in listed.get(items, []):
                if _is_dead(item["Key"], patient, datetime.now(UTC) - item[since]):
                    _remove(patient, item["Key"], item.get("UploadId"))


def clean(patient: Patient) -> None:
    """Remove what this run put into the bucket, whatever else happened."""
    for key, upload in sorted(patient.written.items()):
        if upload:
            _remove(patient, key, upload)
        _remove(patient, key)


def _remove(patient: Patient, key: str, upload: str | None = None) -> None:
    """Remove an object, or an upload that is not finished, if this key may."""
    place = {"Bucket": patient.settings.bucket_name, "Key": key}
    with contextlib.suppress(Exception):  # the edge to botocore
        if upload:
            patient.client.abort_multipart_upload(UploadId=upload, **place)
        else:
            patient.client.delete_object(**place)


def _is_dead(key: str, patient: Patient, age: timedelta) -> bool:
    """Whether the run that put `key` has ended, as its name tells: machine, process, a number."""
    run = key.removeprefix(patient.probes).partition("/")[0]
    machine, _, process = run.rpartition("-")[0].partition("-")
    if run == patient.run:
        return False
    if machine == MACHINE and process.isdigit():
        is_gone = int(process) == os.getpid() or not psutil.pid_exists(int(process))
        return is_gone or age > OWN_AGE  # its number can be another program's by now
    return age > OTHERS_AGE


def probe(patient: Patient, name: str) -> dict[str, str]:
    """Bucket and key of a probe object, which is noted so that it is removed."""
    key = f"{patient.probes}{patient.run}/{name}"
    patient.written.setdefault(key)
    return {"Bucket": patient.settings.bucket_name, "Key": key}


def probe_bytes(patient: Patient, size: int) -> bytes:
    """Bytes that no other run has, the same each time within this one."""
    return random.Random(patient.run).randbytes(size)  # noqa: S311 (no secret)
