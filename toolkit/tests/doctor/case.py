"""A broken set-up: a project in a folder of its own, a real store, and one thing that is wrong."""

import os
import re
import shutil
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self, TypeVar

from dvc_bucket import Project, Settings
from dvc_bucket.base.files import write_private
from dvc_bucket.connection import cache_links, clients, env_file
from dvc_bucket.connection import named_files as places
from dvc_bucket.dvc.lock import driver
from dvc_bucket.git.hooks import commit
from tests import forking
from tests.doctor.weed import Weed
from tests.projects import NAMES, copy_files, lock_file
from tests.stores.swift import Swift
from tests.stores.tls import Authority, Front

TOOLS = Path(sys.executable).parent

#: What a project has that names it or that a check reads.
FILES = (
    ".dvc/config",
    ".env.example",
    ".gitattributes",
    ".gitignore",
    "CITATION.cff",
    "LICENSE",
    "README.md",
    "data/README.md",
    "pyproject.toml",
)

#: The file that DVC versions in each project.
DATA = "numbers.csv"

Entered = TypeVar("Entered")


class World:
    """The real things that set-ups are made of, started once."""

    def __init__(self, folder: Path, swift: Swift, weed: Weed, authority: Authority) -> None:
        self.folder, self.swift, self.weed, self.authority = folder, swift, weed, authority
        self.good = authority.good()
        self._stack, self._cases = ExitStack(), 0
        self.template = folder / "template"

    def __enter__(self) -> Self:
        self.weed_tls = self._stack.enter_context(Front(self.weed.port, self.good)).url
        self.swift_tls = self._stack.enter_context(Front(self.swift.port, self.good)).url
        copy_files(self.template, FILES)
        (self.template / "requirements.lock").write_text(lock_file())
        run(self.template, "git", "init", "--quiet", "--initial-branch=main")
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def add_data(self) -> None:
        """Have DVC version a file, so that there is something to push."""
        (self.template / DATA).write_text("".join(f"{n},{n * n}\n" for n in range(10_000)))
        run(self.template, str(TOOLS / "dvc"), "add", "--quiet", DATA)

    def commit(self) -> None:
        run(self.template, "git", "add", ".")
        run(self.template, "git", "commit", "--quiet", "--message", "A project")
        commit.install(Project(self.template))
        driver.install(Project(self.template))

    def case(self) -> "Case":
        """A project in which all is well, at SeaweedFS behind TLS."""
        self._cases += 1
        root = self.folder / f"case-{self._cases}"
        shutil.copytree(self.template, root, symlinks=True)
        case = Case(self, Project(root))
        case.connect(self.weed.settings(), self.weed_tls)
        return case


@dataclass
class Case:
    """One project, to be broken.

    Attributes:
        world: the stores.
        project: the clone.
        environment: what the person has set.
        secrets: what no output may show.
    """

    world: World
    project: Project
    environment: dict[str, str] = field(default_factory=dict)
    secrets: set[str] = field(default_factory=set)
    _stack: ExitStack = field(default_factory=ExitStack)

    @property
    def prefix(self) -> str:
        """Of this project's keys; no other case has it."""
        return self.project.root.name

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def enter(self, thing: AbstractContextManager[Entered]) -> Entered:
        """Start a server that lives as long as the case."""
        return self._stack.enter_context(thing)

    def connect(self, settings: Settings, url: str | None = None, *, trust: bool = True) -> None:
        """Write it all as `bucket init` and a careful person would.

        Args:
            settings: bucket and credentials.
            url: where the store is, if not where the settings say.
            trust: name the authority of the tests, where the URL is https.
        """
        url = url or settings.endpoint_url
        self.note(settings)
        names = replace(NAMES, endpoint=url, bucket=settings.bucket_name, prefix=self.prefix)
        for path, (_, after) in places.rewritten(self.project, names).items():
            path.write_text(after)
        values = {
            "OS_ENDPOINT_URL": url,
            "OS_BUCKET_NAME": settings.bucket_name,
            "OS_ACCESS_KEY_ID": settings.access_key_id or "",
            "OS_SECRET_ACCESS_KEY": clients.aws_environment(settings)["AWS_SECRET_ACCESS_KEY"],
        }
        text = env_file.with_values(env_file.example(self.project), values, ".env.example")
        if trust and url.startswith("https"):
            text = _switched_on(text, "CACERT", "AWS_CA_BUNDLE", str(self.world.authority.bundle))
        if settings.session_token:
            token = settings.session_token.get_secret_value()
            text = _switched_on(text, "SESSION_TOKEN", "AWS_SESSION_TOKEN", token)
        write_private(self.project.env_file, text)
        cache_links.protect_cache(self.project)

    def note(self, settings: Settings) -> None:
        """Remember what must not be shown."""
        for secret in (settings.secret_access_key, settings.session_token):
            if secret:
                self.secrets.add(secret.get_secret_value())

    def read(self, path: str) -> str:
        return (self.project.root / path).read_text()

    def write(self, path: str, text: str) -> None:
        """Write a file, with the permissions that it has."""
        (self.project.root / path).write_text(text)

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace `old`, a regular expression that must be there."""
        text, found = re.subn(old, lambda _: new, self.read(path), flags=re.MULTILINE)
        assert found, f"{path} has no {old}"
        self.write(path, text)

    def env(self, **values: str) -> None:
        """Set names in `.env`, each where it stands, or stands as a comment."""
        lines = self.read(".env").splitlines()
        for name, value in values.items():
            at = [n for n, line in enumerate(lines) if re.match(rf"#?{name}=", line)]
            assert at, f".env has no line for {name}"
            lines[at[0]] = f"{name}={value}"
        self.write(".env", "\n".join([*lines, ""]))

    def git(self, *arguments: str) -> None:
        """Run git as somebody who goes past the hooks."""
        run(self.project.root, "git", "-c", "core.hooksPath=/dev/null", *arguments)


@dataclass(frozen=True)
class SetUp:
    """What is wrong, how it is made so, and what the doctor must say.

    Attributes:
        name: what is wrong, for a person.
        make: breaks a case.
        fails: the checks that must fail, and no others.
        warns: the checks that must warn, and no others.
        says: of the finding of the first of them.
    """

    name: str
    make: Callable[[Case], object]
    fails: tuple[str, ...]
    warns: tuple[str, ...]
    says: str


class SetUps(list[SetUp]):
    """A list that functions are added to by decorating them."""

    def add(
        self, name: str, *fails: str, says: str, warns: tuple[str, ...] = ()
    ) -> Callable[[Callable[[Case], object]], Callable[[Case], object]]:
        def take(make: Callable[[Case], object]) -> Callable[[Case], object]:
            self.append(SetUp(name, make, fails, warns, says))
            return make

        return take


def person(case: Case | None = None) -> dict[str, str]:
    """The environment of somebody with nothing of their own, but for what a case has set."""
    drop = ("OS_", "AWS_", "GIT_", "DVC_")
    mine = {name: value for name, value in os.environ.items() if not name.startswith(drop)}
    for name in [name for name in mine if name.lower().endswith("_proxy")]:
        del mine[name]
    git = {
        f"GIT_{who}_{what}": "test@example.org"
        for who in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    git |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    own = {"HOME": str(case.world.folder)} | case.environment if case else {}
    return mine | git | {"LC_ALL": "C.UTF-8"} | own


def run(folder: Path, *command: str) -> None:
    done = forking.run(
        command, cwd=folder, env=person(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def _switched_on(text: str, ours: str, aws: str, value: str) -> str:
    """`.env` with an optional setting, whose lines are comments in the pattern."""
    text = re.sub(rf"^#OS_{ours}=.*$", lambda _: f"OS_{ours}={value}", text, flags=re.MULTILINE)
    return text.replace(f"#{aws}=", f"{aws}=")
