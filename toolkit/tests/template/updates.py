"""Two releases of the template, a project of the first, and a registry of what it asks for."""

import importlib.metadata
import os
import re
import shutil
import zipfile
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import copier

from tests.clones import TOOLS, Clone
from tests.end_to_end.clones import environment
from tests.template.packages import SmallProject
from tests.template.projects import IDENTITY, clone_of_template, release

#: The two versions, newer than any.
FIRST, SECOND = "900.0.0", "900.1.0"

#: Where the projects say that they come from; nobody answers there.
URL = "https://template.invalid/lab/template.git"

#: What the second release asks of a project.
ASKED = "### What to do\n\n- Run `make reproduce`.\n"

#: The locks of a project.
LOCKS = ("requirements.lock", "requirements-dev.lock")

#: The package whose pin the second release changes, and its versions then.
PINNED, PIN = "tzdata", "9999.1"

#: A text of a file, and what takes its place where it stands first.
Edit = tuple[str, str]

#: What the second release changes, by path in a project.
OF_TEMPLATE: Mapping[str, Edit] = {
    ".pre-commit-config.yaml": ("repos:", "# Of the template\nrepos:"),
    "Makefile": ("lint: setup", "# Of the template\nlint: setup"),
    "data/README.md": ("# The data", "# The data of the template"),
    "dvc.lock": ("schema:", "# Of the template\nschema:"),
    "dvc.yaml": ("desc: The mean of each site", "desc: Of the template, the mean of each site"),
    "params.yaml": ("clean:", "# Of the template\nclean:"),
    "pyproject.toml": ("[tool.ruff]", "# Of the template\n[tool.ruff]"),
    "reports/summary.json": ("{", "{ "),
    "src/pipeline/page.py": ('"""', '"""Of the template. '),
    "tests/test_clean.py": ("def ", "# Of the template\ndef "),
}

#: Where a path of a project is in the template.
SOURCES = ("template/skeleton/", "template/project/", "")

#: Names that DVC would take for its own stand in the template as others.
RENAMED = {"dvc.yaml": "pipeline.yaml"}


def edit(root: Path, path: str, change: Edit) -> None:
    """Change a text where it stands first."""
    text = (root / path).read_text()
    assert change[0] in text, path
    (root / path).write_text(text.replace(*change, 1))


def two_releases(folder: Path, registry: Path) -> Clone:
    """A clone of the template that released twice; what its locks pin is in the registry."""
    clone = clone_of_template(folder / "template")
    publish_pins(registry, clone.root / "template/skeleton")
    release(clone, FIRST)
    publish(registry, PINNED, PIN)
    for lock in LOCKS:
        pin(clone.root / "template/skeleton" / lock, PINNED, PIN)
    second_release(clone)
    return clone


def second_release(clone: Clone) -> None:
    """Change the template and release it again."""
    for path, change in OF_TEMPLATE.items():
        found = [clone.root / folder / RENAMED.get(path, path) for folder in SOURCES]
        [source, *_] = [one for one in found if one.is_file() and not one.is_symlink()]
        edit(clone.root, source.relative_to(clone.root).as_posix(), change)
    project = clone.root / "template/project"
    (project / ".editorconfig").unlink()
    (project / "NEWS.md").write_text("Of the template\n")
    (project / "README.md.jinja").write_text("Of the template\n")
    edit(clone.root, "toolkit/CHANGELOG.md", ("## Unreleased\n", f"## Unreleased\n\n{ASKED}\n"))
    clone.run("git", "add", "--all")
    clone.run("git", "commit", "--quiet", "--message", "After the first release")
    release(clone, SECOND)


def pin(lock: Path, name: str, version: str) -> None:
    """Change a pin of a lock file, as a resolver would."""
    text, count = re.subn(
        rf"^{name}==\S+( ;[^\\]*)? \\\n(?:    --hash=[^\n]*\n)+",
        rf"{name}=={version}\1 \\\n    --hash=sha256:{'0' * 64}\n",
        lock.read_text(),
        flags=re.MULTILINE,
    )
    assert count == 1
    lock.write_text(text)


def publish_pins(registry: Path, locks: Path) -> None:
    """Publish each pinned package: the metadata of the installed one, and no code."""
    pins: dict[str, str] = {}
    for lock in LOCKS:
        text = (locks / lock).read_text()
        pins |= dict(re.findall(r"^([\w.-]+)==([^\s;\\]+)", text, re.MULTILINE))
    for name, version in pins.items():
        try:
            found = importlib.metadata.distribution(name)
            metadata = found.read_text("METADATA") if found.version == version else None
        except PackageNotFoundError:  # of another system
            metadata = None
        publish(registry, name, version, metadata)


def publish(registry: Path, name: str, version: str, metadata: str | None = None) -> None:
    """Put a wheel into the registry."""
    folder, info = registry / name, f"{name.replace('-', '_')}-{version}.dist-info"
    folder.mkdir(parents=True, exist_ok=True)
    minimal = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    wheel = folder / info.replace(".dist-info", "-py3-none-any.whl")
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(f"{info}/METADATA", metadata or minimal)
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    links = (f'<a href="{path.name}">{path.name}</a>' for path in sorted(folder.glob("*.whl")))
    (folder / "index.html").write_text("\n".join(links))


def project_of(template: Clone, root: Path, registry: Path) -> SmallProject:
    """A skeleton of the first release, committed, whose packages come from the registry."""
    answers = {"template_url": URL, "project_name": "river-atlas"}
    reference = f"v{FIRST}"
    copier.run_copy(
        str(template.root), root, data=answers, defaults=True, quiet=True, vcs_ref=reference
    )
    return committed(root, registry)


def committed(root: Path, registry: Path) -> SmallProject:
    """The project in a folder, with a history of one commit."""
    foreign = ("UV_", "PIP_")
    env = {name: value for name, value in environment(root).items() if not name.startswith(foreign)}
    env |= IDENTITY | {
        "PATH": os.pathsep.join([str(TOOLS), os.environ["PATH"]]),
        "PYTHONPATH": str(root / "src"),
        "UV_CACHE_DIR": str(registry.parent / "cache"),
        "UV_OFFLINE": "1",
        "UV_DEFAULT_INDEX": registry.as_uri(),
    }
    project = SmallProject(Clone(root, env), registry)
    project.clone.run("git", "init", "--quiet", "--initial-branch", "main")
    commit(project, "A project")
    return project


def commit(project: SmallProject, message: str) -> None:
    """Commit everything that git does not ignore."""
    project.clone.run("git", "add", "--all")
    project.clone.run("git", "commit", "--quiet", "--message", message)


def copy_of(project: SmallProject, root: Path) -> SmallProject:
    """Another project with the same files and history."""
    shutil.copytree(project.root, root, symlinks=True)
    changes = {"PYTHONPATH": str(root / "src")}
    changes["DVC_SITE_CACHE_DIR"] = str(root / ".dvc/tmp/site")
    return SmallProject(Clone(root, project.clone.environment | changes), project.registry)


def files_of(project: SmallProject) -> dict[str, bytes]:
    """The content of each file that git does not ignore, by path."""
    words = ("ls-files", "-z", "--cached", "--others", "--exclude-standard")
    names = project.clone.run("git", *words).stdout.split("\0")
    paths = {name: project.root / name for name in names if name}
    return {name: path.read_bytes() for name, path in paths.items() if path.is_file()}
