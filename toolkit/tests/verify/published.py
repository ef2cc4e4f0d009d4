"""A project whose data was pushed by the real DVC, and what tests do to it."""

import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from hashlib import md5
from pathlib import Path
from typing import Any

import obstore
import pytest

from dvc_bucket import Project, Settings
from dvc_bucket.base.files import write_private
from dvc_bucket.dvc import connected
from dvc_bucket.dvc.audit import AuditReport, Selection, VerifyOptions, verify
from dvc_bucket.dvc.audit.findings import AuditFinding
from tests.clones import TOOLS, Clone
from tests.stores.access import StoreAccess
from tests.stores.fixtures import STORES, access

IGNORED = "/.env\n/.venv\n/.dvc/config.local\n/.dvc/tmp\n/.dvc/cache\n"

#: What is in the project: a directory, a file, and a file of the same content in a folder.
FILES = {f"images/{number:02}.bin": os.urandom(1000 + number) for number in range(8)}
FILES |= {"table.csv": b"flight,delay\n1,2\n", "deep/er/same.csv": b"flight,delay\n1,2\n"}
TRACKED = ("images", "table.csv", "deep/er/same.csv")

#: Objects of it: the contents, one of which is there twice, and the list of the directory.
OBJECTS = len(FILES) - 1 + 1


@dataclass(frozen=True)
class Published:
    """The project and its remote, which is a prefix of its own.

    Attributes:
        root: of the work tree.
        store: where the remote is.
        prefix: of the remote's keys.
    """

    root: Path
    store: StoreAccess
    prefix: str

    @property
    def project(self) -> Project:
        return Project(self.root)

    @property
    def settings(self) -> Settings:
        return Settings.load(self.project)

    @property
    def clone(self) -> Clone:
        """For commands in the folder, with an environment that says nothing of a store."""
        foreign = ("OS_", "AWS_", "DVC_", "GIT_")
        inherited = {name: os.environ[name] for name in os.environ if not name.startswith(foreign)}
        own = {
            "PATH": os.pathsep.join([str(TOOLS), os.environ["PATH"]]),
            "HOME": str(self.root.parent),  # nobody's AWS files, nobody's git configuration
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        for role in ("AUTHOR", "COMMITTER"):
            own |= {f"GIT_{role}_NAME": "Test", f"GIT_{role}_EMAIL": "test@example.org"}
        return Clone(self.root, inherited | own)

    def git(self, *arguments: str) -> str:
        return self.clone.run("git", *arguments).stdout.strip()

    def dvc(self, *arguments: str) -> None:
        """Run plain `dvc`, which owes nothing to the code under test."""
        variables = connected.environment(self.project, self.settings)
        replace(self.clone, environment=self.clone.environment | variables).run("dvc", *arguments)

    def commit(self, message: str = "A change") -> str:
        self.git("add", "--all")
        self.git("commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD")

    def verify(self, *revs: str, **options: Any) -> AuditReport:
        """`bucket verify`, in this process."""
        asked = {name: options.pop(name) for name in list(options) if name.startswith("all_")}
        chosen = VerifyOptions(selection=Selection(revs, **asked), **options)
        return verify(self.project, self.settings, chosen)

    def object(self, path: str) -> str:
        """Path of the object of a tracked file, below the prefix and below the cache."""
        oid = md5(FILES[path]).hexdigest()
        return f"files/md5/{oid[:2]}/{oid[2:]}"

    @property
    def keys(self) -> list[str]:
        """Paths of all objects below the prefix."""
        root = f"{self.prefix}/"
        found = s3(self.store).list_objects_v2(Bucket=self.store.bucket, Prefix=root)
        return [entry["Key"].removeprefix(root) for entry in found.get("Contents", [])]

    @property
    def list_of_images(self) -> str:
        [path] = [path for path in self.keys if path.endswith(".dir")]
        return path

    def cached(self, path: str) -> Path:
        return self.root / ".dvc" / "cache" / path

    def key(self, path: str) -> dict[str, str]:
        return {"Bucket": self.store.bucket, "Key": f"{self.prefix}/{path}"}

    def delete(self, path: str) -> None:
        s3(self.store).delete_object(**self.key(path))

    def put(self, path: str, content: bytes, **options: Any) -> None:
        s3(self.store).put_object(**self.key(path), Body=content, **options)

    def put_with_plausible_tag(self, path: str, content: bytes) -> None:
        """Replace an object so that its ETag says nothing, as that of an object in parts does."""
        client, where = s3(self.store), self.key(path)
        upload = {**where, "UploadId": client.create_multipart_upload(**where)["UploadId"]}
        part = client.upload_part(**upload, PartNumber=1, Body=content)
        parts = [{"PartNumber": 1, "ETag": part["ETag"]}]
        client.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})

    def get(self, path: str) -> bytes:
        return bytes(s3(self.store).get_object(**self.key(path))["Body"].read())

    def track(self, path: str, content: bytes, extra: str = "", *, legacy: bool = False) -> str:
        """Have DVC track a file, as `dvc add` does; return the path of its object."""
        unix = content.replace(b"\r\n", b"\n") if legacy else content
        oid = md5(unix).hexdigest()
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        kind = "" if legacy else "  hash: md5\n"
        text = f"outs:\n- md5: {oid}\n  size: {len(content)}\n{kind}  path: {file.name}\n{extra}"
        file.with_name(f"{file.name}.dvc").write_text(text)
        with (self.root / ".gitignore").open("a") as ignored:
            ignored.write(f"/{path}\n")
        found = f"{'' if legacy else 'files/md5/'}{oid[:2]}/{oid[2:]}"
        self.cached(found).parent.mkdir(parents=True, exist_ok=True)
        self.cached(found).write_bytes(content)
        return found

    def forget_locally(self, *paths: str) -> None:
        """Lose tracked files: from the work tree and from the cache."""
        for path in paths:
            (self.root / path).unlink(missing_ok=True)
            self.cached(self.object(path)).unlink(missing_ok=True)

    def copy(self, root: Path) -> "Published":
        """The same project and remote once more, at a prefix of its own."""
        copied = Published(root, self.store, f"verify-{secrets.token_hex(4)}")
        shutil.copytree(self.root, root, symlinks=True)
        # Not in git: a check-out must not lead to the original's remote.
        write_private(
            root / ".dvc" / "config.local",
            f"['remote \"storage\"']\n    url = s3://{self.store.bucket}/{copied.prefix}\n",
        )
        target = copied.settings.obstore()
        keys = [copied.key(path)["Key"] for path in objects(self)]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(partial(obstore.put, target), keys, objects(self).values()))
        return copied


@lru_cache
def objects(published: Published) -> dict[str, bytes]:
    """All that is on the remote of a project that nobody changes."""
    return {path: published.get(path) for path in published.keys}


def s3(store: StoreAccess) -> Any:
    """A client of the store."""
    return store.client()


def on_each_store(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    publish: Callable[[Published], None],
) -> dict[str, Published]:
    """An empty project a store, filled by `publish` at the same time: it is mostly programs."""
    stores = [access(request, name) for name in STORES]
    made = [empty(tmp_path_factory.mktemp(store.name) / "project", store) for store in stores]
    with ThreadPoolExecutor() as pool:
        list(pool.map(publish, made))
    return dict(zip(STORES, made, strict=True))


def empty(root: Path, store: StoreAccess) -> Published:
    """A project without data: configured, in git, nothing committed."""
    made = Published(root, store, f"published-{secrets.token_hex(4)}")
    (root / ".dvc").mkdir(parents=True)
    made.project.dvc_config.write_text(
        "[core]\n    remote = storage\n    analytics = false\n    check_update = false\n"
        f"['remote \"storage\"']\n    url = s3://{store.bucket}/{made.prefix}\n"
        f"    endpointurl = {store.endpoint_url}\n"
    )
    (root / ".gitignore").write_text(IGNORED)
    (root / ".venv").symlink_to(TOOLS.parent)
    text = "".join(f"{name}={value}\n" for name, value in store.env.items())
    write_private(made.project.env_file, text)
    made.git("init", "-q", "-b", "main")
    return made


def publish(made: Published) -> None:
    """Fill the project, commit it and push its data."""
    for path, content in FILES.items():
        (made.root / path).parent.mkdir(parents=True, exist_ok=True)
        (made.root / path).write_bytes(content)
    made.dvc("add", *TRACKED)
    made.commit("Data")
    made.dvc("push")


def named(findings: Iterable[AuditFinding]) -> Sequence[tuple[str, str]]:
    """Fault and path of each."""
    return [(one.fault.kind, one.path) for one in findings]


def flip_on_disk(folder: Path, content: bytes) -> None:
    """Change a bit of an object in the files of the store itself."""
    for path in folder.rglob("*"):
        if path.is_file() and (at := path.read_bytes().find(content)) >= 0:
            with path.open("r+b") as file:
                file.seek(at + len(content) // 2)
                file.write(bytes([content[len(content) // 2] ^ 1]))
            return
    raise AssertionError("the store has the content nowhere")
