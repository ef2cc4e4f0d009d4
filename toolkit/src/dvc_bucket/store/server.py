"""The embedded object store: start, wait until ready, stop, status."""

import dataclasses
import json
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, Literal

import psutil

from dvc_bucket.base import extras, ports
from dvc_bucket.base.errors import ServerError, SettingsError
from dvc_bucket.base.files import size_on_disk, write_private
from dvc_bucket.base.paths import Project
from dvc_bucket.connection import dvc_config
from dvc_bucket.connection.env_file import create_env, set_endpoint
from dvc_bucket.connection.overrides import point_dvc_at
from dvc_bucket.connection.settings import REQUIRED, Settings, is_embedded
from dvc_bucket.connection.settings.sources import Found, Sources
from dvc_bucket.store import neighbours, seaweed
from dvc_bucket.store.security import Guard
from dvc_bucket.store.text import Status

#: A start takes about 1 s; a loaded CI machine is given many times that.
READY_SECONDS = 40.0

#: Between two looks whether it is ready: short against the start, long against the look.
POLL_SECONDS = 0.05

#: For the other command that is just starting or stopping the store.
LOCK_SECONDS = READY_SECONDS + 20.0

#: A port can be taken between the look and the start; three times in a row is no coincidence.
ATTEMPTS = 3

#: A small project's data and results several times over.
FREE_BYTES = 512 * 1024**2

#: `weed` itself stops accepting writes when less than this part of the disk is free.
RESERVED_PART = 0.01


class Server:
    """The embedded object store of one checkout.

    Args:
        project: the clone.
        environment: instead of the process's.
    """

    def __init__(self, project: Project, environment: Mapping[str, str] | None = None) -> None:
        self.project, self._environment = project, environment

    @property
    def is_wanted(self) -> bool:
        """Whether the settings point at a store on this machine."""
        return is_embedded(self._endpoint().value)

    def start(self) -> Status:
        """Start the store unless it runs, and return when our own signed request succeeds.

        Makes `.env` and the bucket where they are not there yet. Where the port is taken by
        something else, takes another and notes it in `.env` and `.dvc/config.local`.

        Raises:
            ServerError: the settings name another store, or it does not start.
            SettingsError: `.env` or the environment lacks a setting or has an impossible one.
        """
        if not self.is_wanted:
            raise ServerError(self._elsewhere())
        self._make_folder()
        with self._locked():
            settings = self._settings()
            changes = self._join(settings)
            if changes is None:
                settings, moved_from = self._launch(settings)
                owner = neighbours.owner_of(moved_from) if moved_from else None
                changes = {"started": True, "moved_from": moved_from, "port_owner": owner}
            point_dvc_at(self.project, settings)
            return dataclasses.replace(self.status(), **changes)

    def stop(self) -> bool:
        """Stop the store and return whether it ran. Never touches a process that is not it.

        Raises:
            ServerError: another command holds the store.
        """
        if not self.project.store.is_dir():
            return False
        with self._locked():
            state, process = self._running()
            process = process or seaweed.find(self.project)
            self._clear(state, process)
            return process is not None

    def status(self) -> Status:
        """What the store is doing now.

        Raises:
            SettingsError: it runs, and the settings to ask it with are not right.
        """
        state, process = self._running()
        kind: Literal["running", "unready", "died", "stopped"] = "died" if state else "stopped"
        if process:
            settings = Settings.load(self.project, self._environment)
            settings = settings.model_copy(update={"endpoint_url": state["endpoint"]})
            kind = "running" if seaweed.signed("HEAD", settings) == HTTPStatus.OK else "unready"
        return Status(
            state=kind,
            endpoint=state.get("endpoint"),
            bucket=state.get("bucket"),
            pid=process.pid if process else None,
            folder=self.project.store,
            size_bytes=size_on_disk(self.project.store),
            log=self.project.store_log,
            last_log_line=seaweed.last_line(self.project.store_log)
            if kind in {"died", "unready"}
            else None,
        )

    def _join(self, settings: Settings) -> dict[str, Any] | None:
        """What to add to the status where a store is in use already; None where one must start.

        What is left of a store that died or hangs, or whose settings changed, is cleared away.
        """
        state, process = self._running()
        same = state.get("endpoint") == settings.endpoint_url
        if process and same and self._is_safe(process) and seaweed.is_ready(settings):
            return {}
        process = process or seaweed.find(self.project)  # perhaps its state file was deleted
        if process is None and neighbours.is_shared(settings):
            neighbours.check(settings)
            there = {"endpoint": settings.endpoint_url, "bucket": settings.bucket_name}
            return {"state": "running", **there}
        self._clear(state, process)
        return None

    def _is_safe(self, process: psutil.Process) -> bool:
        """Whether a store that runs lets nobody in; one of an earlier version of ours does."""
        try:
            return Guard(process, self.project.store).is_complete()
        except ServerError:
            return False

    def _endpoint(self) -> Found:
        """The endpoint as it is set, or as `start` would set it."""
        endpoint = Sources(self.project, self._environment).find("OS_ENDPOINT_URL")
        is_open = endpoint.value.startswith("<") or not (endpoint or self.project.env_file.exists())
        if not is_open:
            return endpoint
        remote = dvc_config.default_remote(self.project)
        return Found("endpointurl", str(remote.get("endpointurl", "")), ".dvc/config")

    def _elsewhere(self) -> str:
        place = self._endpoint()
        back = "Unset it" if place.in_environment else "Set it to a free port in .env"
        return (
            f"{place!r} is {place.value or 'not set'}, which is not the embedded store, so there "
            f"is nothing to start. To return to the embedded store: {back}, such as "
            f"OS_ENDPOINT_URL=http://{ports.ADDRESS}:8333."
        )

    def _make_folder(self) -> None:
        """The store's folder, for its owner alone, with room for data."""
        self.project.store.mkdir(mode=0o700, exist_ok=True)
        self.project.store.chmod(0o700)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One command at a time starts or stops; the kernel frees the lock of a dead one."""
        with extras.needed("store"):
            from filelock import FileLock, Timeout
        lock = FileLock(self.project.store_lock, timeout=LOCK_SECONDS, mode=0o600)
        try:
            lock.acquire()
        except Timeout:
            raise ServerError(
                f"Another `bucket serve` has held {self.project.store_lock} for {LOCK_SECONDS:.0f} "
                "s. Wait until it ends, or end it, and try again."
            ) from None
        try:
            yield
        finally:
            lock.release()

    def _settings(self) -> Settings:
        """The settings, from a new `.env` if there is none and the environment lacks one."""
        try:
            sources = Sources(self.project, self._environment)
            if not self.project.env_file.exists() and not all(
                sources.find(name).in_environment for name in REQUIRED
            ):
                create_env(self.project)
            settings = Settings.load(self.project, self._environment)
            settings.check_may_write("`bucket serve`")
        except SettingsError as error:
            raise SettingsError(
                f"{error} For the embedded store: delete .env and run `make serve`, "
                "which writes one with new keys; the data stays."
            ) from None
        return settings

    def _running(self) -> tuple[dict[str, Any], psutil.Process | None]:
        """What was noted at the start, and the process if it still is our store."""
        try:
            state: dict[str, Any] = json.loads(self.project.store_state.read_text())
            return state, seaweed.find(self.project, int(state["pid"]))
        except (OSError, ValueError, KeyError):
            return {}, None

    def _clear(self, state: dict[str, Any], process: psutil.Process | None) -> None:
        """Leave nothing of a store behind but its data and its log."""
        if process:
            seaweed.end(process)
        seaweed.remove_sockets(state.get("sockets", []))
        self.project.store_state.unlink(missing_ok=True)

    def _launch(self, settings: Settings) -> tuple[Settings, int | None]:
        """Start the process until it is ready; with the settings that it then answers to."""
        self._check_room()
        moved_from = None
        for _ in range(ATTEMPTS):
            if not ports.is_free(settings.port):
                moved_from = moved_from or settings.port
                settings = self._move(settings)
            process = seaweed.launch(self.project, settings)
            state = self._note(process, settings)
            try:
                if self._wait(process, settings):
                    return settings, moved_from
            except BaseException:  # Ctrl-C too: nothing half started stays behind
                self._clear(state, process)
                raise
            self._clear(state, process)  # waits: its last thread may still be ending
        raise ServerError(self._failure("exited immediately"))

    def _wait(self, process: psutil.Process, settings: Settings) -> bool:
        """Whether the store became ready; False if its process ended.

        Each port is tried as soon as it opens, and all before the store is ready.
        """
        guard = Guard(process, self.project.store)
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if seaweed.find(self.project, process.pid) is None:
                return False
            try:
                is_closed = guard.is_complete()
            except ServerError:
                process.kill()  # an orderly end would leave it open for seconds
                raise
            if is_closed and seaweed.is_ready(settings):
                return True
            time.sleep(POLL_SECONDS)
        raise ServerError(self._failure(f"was not ready after {READY_SECONDS:.0f} s"))

    def _failure(self, what: str) -> str:
        line = seaweed.last_line(self.project.store_log)
        return f"The embedded object store {what}. Its log, {self.project.store_log}, says: {line}"

    def _note(self, process: psutil.Process, settings: Settings) -> dict[str, Any]:
        """Write down which process it is, so that a later command knows it."""
        state = {
            "pid": process.pid,
            "endpoint": settings.endpoint_url,
            "bucket": settings.bucket_name,
            "sockets": seaweed.sockets(process),
        }
        write_private(self.project.store_state, json.dumps(state))
        return state

    def _move(self, settings: Settings) -> Settings:
        """Settings with a free port instead of one that is taken, noted in `.env`."""
        if self._endpoint().in_environment:
            raise ServerError(
                f"Port {settings.port} of OS_ENDPOINT_URL (environment) is taken by "
                f"{neighbours.owner_of(settings.port)}. Unset OS_ENDPOINT_URL, or set it to a free "
                "port."
            )
        port = ports.free_ports(1)[0]
        set_endpoint(self.project, f"http://{ports.ADDRESS}:{port}")
        return Settings.load(self.project, self._environment)

    def _check_room(self) -> None:
        disk = shutil.disk_usage(self.project.store)
        needed = max(FREE_BYTES, int(disk.total * RESERVED_PART) + seaweed.VOLUME_MB * 1024**2)
        if disk.free < needed:
            raise ServerError(
                f"{self.project.store} is on a disk with {disk.free // 1024**2} MB free; the "
                f"embedded store needs {needed // 1024**2} MB. Free some space, or move the "
                "project to a larger disk."
            )
