"""The lines that `bucket serve` prints."""

from bucket.server import Status


def started(status: Status) -> str:
    """What a start has led to."""
    if status.pid is None:
        return (
            f"A store that is not this clone's serves bucket {status.bucket} at {status.endpoint}."
        )
    lines = []
    if status.moved_from:
        lines.append(
            f"Port {status.moved_from} is taken by another program: this project now uses another "
            "one, noted in .env and .dvc/config.local."
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
    what = "died" if status.state == "died" else "runs and does not answer our signed request"
    return (
        f"Object store {what} (`make serve` starts it again, the data stays). "
        f"Its log, {status.log}, ends: {status.last_log_line}"
    )
