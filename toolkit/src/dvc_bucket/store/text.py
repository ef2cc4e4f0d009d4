"""What is known of the embedded store, and the lines that `bucket serve` prints."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Status:
    """What is known of the embedded store.

    Attributes:
        state: `running`; `unready`: it runs and does not answer our signed request; `died`: it
            ended without having been told to; `stopped`.
        endpoint: URL of the S3 API, None if never started.
        bucket: the bucket, None if never started.
        pid: the process, None if there is none of ours.
        folder: data, log and state.
        size_bytes: size of the folder on disk.
        log: the log file.
        last_log_line: where it died, or is not ready: the log's last error or last line.
        started: whether this very call started it.
        moved_from: the port that was wanted and was taken, None if none was.
        port_owner: who has that port.
    """

    state: Literal["running", "unready", "died", "stopped"]
    endpoint: str | None
    bucket: str | None
    pid: int | None
    folder: Path
    size_bytes: int
    log: Path
    last_log_line: str | None = None
    started: bool = False
    moved_from: int | None = None
    port_owner: str | None = None

    def as_json(self) -> str:
        """The status as JSON."""
        return json.dumps(dataclasses.asdict(self), default=str, indent=2)


def started(status: Status) -> str:
    """What a start has led to."""
    if status.pid is None:
        return f"The store of another clone serves bucket {status.bucket} at {status.endpoint}."
    lines = []
    if status.moved_from:
        lines.append(
            f"Port {status.moved_from} is taken by {status.port_owner}, so this clone now uses "
            "another one, as recorded in .env and .dvc/config.local. You need not do anything."
        )
    word = "ready" if status.started else "already running"
    lines.append(
        f"Object store {word} at {status.endpoint}, bucket {status.bucket} "
        f"(data in {status.folder.name}/, stop with `make stop`)."
    )
    return "\n".join(lines)


def stopped(*, ran: bool) -> str:
    """What a stop has led to."""
    if ran:
        return "Object store stopped; its data stays (start it again with `make serve`)."
    return "No object store was running."


def status(status: Status) -> str:
    """How the store is."""
    if status.state == "stopped":
        return "Object store not running (start it with `make serve`)."
    if status.state == "running":
        return (
            f"Object store running at {status.endpoint}, bucket {status.bucket}, pid {status.pid}, "
            f"{status.size_bytes / 1e6:.1f} MB in {status.folder}."
        )
    what = "died" if status.state == "died" else "runs but does not answer a signed request"
    return (
        f"Object store {what} (`make serve` starts it again, the data stays). "
        f"Its log, {status.log}, ends: {status.last_log_line}"
    )
