"""What the checks look at: the project, its settings, and answers of the store, each got once."""

import hashlib
import os
import platform
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import urllib3

from dvc_bucket.base.errors import ProjectError, SettingsError
from dvc_bucket.base.paths import Project
from dvc_bucket.connection import clients, wire
from dvc_bucket.connection import dvc_config as config
from dvc_bucket.connection.settings import Settings
from dvc_bucket.connection.settings.sources import Sources
from dvc_bucket.jobs.doctor.answers import STATUSES, AnswerCounts
from dvc_bucket.jobs.doctor.check import Skip

if TYPE_CHECKING:
    from botocore.client import BaseClient

    from dvc_bucket.dvc.patched.types import Output

#: This machine in a key: tells whose a leftover is without telling others the name.
MACHINE = hashlib.sha256(platform.node().encode()).hexdigest()[:8]


#: Tries of a request that is answered "later": they take a few seconds.
ATTEMPTS = 4
RETRIES = urllib3.Retry(
    total=ATTEMPTS - 1,
    connect=0,
    read=0,
    redirect=0,
    other=0,
    status_forcelist=[int(status) for status in STATUSES],
    backoff_factor=0.3,
    backoff_jitter=0.3,
    raise_on_status=False,
    respect_retry_after_header=False,  # that can be minutes, and the doctor has seconds
)


@dataclass
class Patient:
    """One run of the doctor.

    Attributes:
        project: the clone.
        read_only: whether to skip everything that writes to the bucket.
        environment: instead of the process's.
        run: name of this run's objects below `probes`: machine, process, a random number.
        has_written: whether the small probe object exists.
        answers: the answers to the requests of this run.
        written: the probe objects that may be in the bucket, by key, each with its unfinished
            multipart upload or None.
    """

    project: Project
    read_only: bool = False
    environment: Mapping[str, str] | None = None
    run: str = field(default_factory=lambda: f"{MACHINE}-{os.getpid()}-{secrets.token_hex(4)}")
    has_written: bool = False
    answers: AnswerCounts = field(default_factory=AnswerCounts)
    written: dict[str, str | None] = field(default_factory=dict)

    @cached_property
    def sources(self) -> Sources:
        """Where the settings come from."""
        return Sources(self.project, self.environment)

    @cached_property
    def settings(self) -> Settings:
        """The connection; a check that asks for it requires `SettingsValid`."""
        return Settings.load(self.project, self.environment)

    @cached_property
    def prefix(self) -> str:
        """Prefix of this project's keys in the bucket; empty if `.dvc/config` names none."""
        try:
            return config.address(self.project)[1]
        except ProjectError:  # a check of its own says so
            return ""

    @property
    def folder(self) -> str:
        """The same with the slash that keys have after it."""
        return f"{self.prefix}/" if self.prefix else ""

    @property
    def probes(self) -> str:
        """Prefix of the doctor's own objects."""
        return f"{self.folder}.doctor/"

    @cached_property
    def front_door(self) -> wire.Answer:
        """What the endpoint answers to an unsigned `GET /`."""
        return wire.get(self.settings)

    @cached_property
    def listing(self) -> wire.Answer:
        """What the store answers to a signed request for a list of the bucket's objects."""
        return self.list_as(self.settings)

    def list_as(self, settings: Settings) -> wire.Answer:
        """The answer of the store with other settings."""
        query = {"list-type": "2", "max-keys": "1", "prefix": self.folder}
        answer = wire.get(settings, query, retries=RETRIES)
        if answer.code or str(answer.status) not in STATUSES:  # else it may be no store at all
            for status in filter(None, (*answer.before, answer.status)):
                self.answers.note(status, answer.code if status == answer.status else "")
        return answer

    @cached_property
    def dvc_files(self) -> "tuple[dict[str, str], list[tuple[str, Output]]]":
        """Files of DVC that DVC does not see, each with the reason; the outputs of the others.

        Raises:
            Skip: DVC cannot read the project, and says so itself.
        """
        from dvc_bucket.dvc.remote.outputs import opened, outputs
        from dvc_bucket.dvc.remote.unseen import unseen

        try:
            with opened(self.project) as repo:
                return unseen(self.project, repo), outputs(repo)
        except (ProjectError, SettingsError):
            raise Skip("DVC cannot read the project") from None

    @cached_property
    def client(self) -> "BaseClient":
        """The client that DVC is built on, set up as for DVC, but for the time of its retries."""
        return self.new_client()

    def new_client(self, **config: Any) -> "BaseClient":
        """A botocore client whose answers are counted.

        Args:
            config: options of `botocore.config.Config` that override the settings.
        """
        attempts = {"total_max_attempts": ATTEMPTS, "mode": "standard"}
        client = clients.botocore(self.settings, retries=attempts, **config)
        client.meta.events.register("response-received.s3", self.answers.note_botocore)
        return client
