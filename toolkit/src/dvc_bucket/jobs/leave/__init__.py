"""`bucket leave`: what a project needs to go on with plain DVC, in two files.

Nothing else changes. Data, cache, `dvc.lock` and the remote are DVC's own: they stay as they are.
"""

from dataclasses import dataclass
from pathlib import Path

from dvc_bucket.base import project_settings
from dvc_bucket.base.errors import ProjectError
from dvc_bucket.base.files import write_whole
from dvc_bucket.base.paths import Project
from dvc_bucket.connection import dvc_config
from dvc_bucket.connection.settings import trust
from dvc_bucket.dvc.lock.driver import DRIVER
from dvc_bucket.dvc.snapshot import Snapshot
from dvc_bucket.git.contents import Repository
from dvc_bucket.git.hooks import configuration
from dvc_bucket.git.hooks.install import MARK
from dvc_bucket.jobs.leave.packages import PlainLock
from dvc_bucket.jobs.leave.uses import Use, uses, uses_by_stage

__all__ = ["LOCK", "PAGE", "Leaving", "plan", "write"]

#: The two files, in the project's root.
PAGE, LOCK = "LEAVING.md", "requirements-plain.lock"

#: The host of the embedded store. Nobody else reaches it.
LOOPBACK = "http://127.0.0.1"


@dataclass(frozen=True)
class Leaving:
    """What a project has of the toolkit.

    Attributes:
        remote: name of DVC's default remote.
        url: where its objects are.
        endpoint: of its store; empty for AWS.
        lock_file: name of the lock file with all packages.
        packages: the lock file without the toolkit.
        has_versions: there is a packages.yaml.
        stages: by name, the lines of code with which a stage imports the toolkit.
        files: the other tracked files that name the toolkit or call `bucket`.
        hooks: the toolkit's git hooks in this clone.
        merge_driver: section of git's configuration with the merge driver of `dvc.lock`; empty if
            this clone has none.
    """

    remote: str
    url: str
    endpoint: str
    lock_file: str
    packages: PlainLock
    has_versions: bool
    stages: dict[str, list[Use]]
    files: list[Use]
    hooks: list[str]
    merge_driver: str

    @property
    def is_embedded(self) -> bool:
        """Whether the data is on the embedded store of one machine."""
        return self.endpoint.startswith(LOOPBACK)

    @property
    def page(self) -> str:
        """The text of `LEAVING.md`."""
        from jinja2 import Environment, StrictUndefined

        from dvc_bucket.connection.masking import masked

        template = Path(__file__).with_name("page.md.j2").read_text(encoding="utf-8")
        environment = Environment(  # noqa: S701 (Markdown, for people who own the project)
            undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True
        )
        return masked(environment.from_string(template).render(leaving=self, lock=LOCK))


def plan(project: Project) -> Leaving:
    """Find out what `project` has of the toolkit.

    Raises:
        ProjectError: `.dvc/config` names no remote, a file cannot be read, or the project is in no
            git repository.
        TrustError: another user could have written what DVC would read.
    """
    trust.check(project)
    settings, remote = project_settings.of(project), dvc_config.default_remote(project)
    project_uses = uses(project)
    stages = uses_by_stage(Snapshot.at(project).stages, project_uses)
    of_stages = {use.file for stage_uses in stages.values() for use in stage_uses}
    driver = f"merge.{DRIVER}"
    return Leaving(
        remote=dvc_config.read(project.dvc_config)["core"]["remote"],
        url=str(remote.get("url", "")),
        endpoint=str(remote.get("endpointurl", "")),
        lock_file=settings.lock_file,
        packages=PlainLock.of(project, settings.lock_file),
        has_versions=project.packages.is_file(),
        stages=stages,
        files=[use for use in project_uses if use.file not in of_stages],
        hooks=_hooks(project),
        merge_driver=driver if configuration.get(project.root, f"{driver}.driver") else "",
    )


def write(project: Project, leaving: Leaving) -> list[str]:
    """Write the two files; return the names of those that are new.

    Raises:
        ProjectError: one of them is there with another content.
    """
    texts = {LOCK: leaving.packages.text, PAGE: leaving.page}
    missing = {}
    for name, text in texts.items():
        path = project.root / name
        if not path.exists():
            missing[name] = text
        elif path.read_text(encoding="utf-8", errors="replace") != text:
            raise ProjectError(
                f"{name} exists with different content. Move it away, then run `bucket leave` "
                "again."
            )
    for name, text in missing.items():
        write_whole(project.root / name, text)
    return list(missing)


def _hooks(project: Project) -> list[str]:
    """Paths of the toolkit's hooks, as commands of the project's folder name them."""
    folder = Repository.of(project).hooks
    files = sorted(path for path in folder.glob("*") if path.is_file()) if folder.is_dir() else []
    return [
        str(path.relative_to(project.root)) if path.is_relative_to(project.root) else str(path)
        for path in files
        if MARK.encode() in path.read_bytes()
    ]
