"""Which installed packages the code of a stage imports, and what it declares of them.

A stage depends on the packages that its script and its modules import themselves, but for those
that only talk to a person or to the bucket. What a package needs in its turn comes with its
version, as the lock file has it; a package of that kind that computes can be named by hand (scipy
under scikit-learn).

A stage in R depends on R and on the R packages that its scripts use, any stage on the tools that
its `meta` declares, and a notebook may name its kernel.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata
from pathlib import Path, PurePosixPath

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from dvc_bucket.base import foreign_packages, packages
from dvc_bucket.base.errors import ProjectError
from dvc_bucket.base.paths import Project
from dvc_bucket.base.words import listed
from dvc_bucket.dvc.snapshot import Stage
from dvc_bucket.stages.declared import r_code
from dvc_bucket.stages.declared.code import of_stage
from dvc_bucket.stages.declared.imports import Code
from dvc_bucket.stages.declared.programs import NOTEBOOK, Programs
from dvc_bucket.stages.declared.runners import KERNEL

#: Packages that results do not depend on: command line, progress, settings, and the toolkit, whose
#: writers keep their bytes from version to version. A stage may name them all the same.
IGNORED = {"click", "dvc-bucket", "python-dotenv", "rich", "tqdm", "typer", KERNEL}


@dataclass(frozen=True)
class Environment:
    """The packages of a Python.

    Attributes:
        path: folders with packages; None for those of the running Python.
    """

    path: tuple[str, ...] | None = None

    @property
    def _folders(self) -> Sequence[str]:
        return sys.path if self.path is None else self.path

    @cached_property
    def distributions(self) -> Mapping[str, metadata.Distribution]:
        """By name (PEP 503)."""
        installed = metadata.distributions(path=[*self._folders])
        named = ((one, one.metadata["Name"]) for one in installed)
        # The first on the path is the one that is imported.
        return dict(reversed([(canonicalize_name(name), one) for one, name in named if name]))

    @cached_property
    def _owners(self) -> Mapping[str, set[str]]:
        """Names of packages by the folders and modules that they install, as paths."""
        owners: dict[str, set[str]] = {}
        for name, one in self.distributions.items():
            for file in one.files or ():
                if file.suffix in {".py", ".so", ".pyd", ".pyi"} and ".." not in file.parts:
                    stem = (*file.parts[:-1], file.name.partition(".")[0])
                    for end in range(1, len(stem) + 1):
                        owners.setdefault("/".join(stem[:end]), set()).add(name)
        return owners

    def package_of(self, module: str) -> str | None:
        """The package that has a module; None for Python's own, and for one of no package."""
        parts = module.split(".")
        if parts[0] in sys.stdlib_module_names:
            return None
        for end in range(len(parts), 0, -1):
            if len(names := self._owners.get("/".join(parts[:end]), ())) == 1:
                return next(iter(names))
        return None

    def packages_of(self, files: Iterable[str]) -> set[str]:
        """The packages that Python files and libraries belong to, by absolute path."""
        folders = [f"{Path(one).resolve()}/" for one in self._folders]
        inside = (
            PurePosixPath(file.removeprefix(folder))
            for file in files
            for folder in folders
            if file.startswith(folder)
        )
        stems = {(one.parent / one.name.partition(".")[0]).as_posix() for one in inside}
        return {name for stem in stems for name in self._owners.get(stem, ())}

    def needed_by(self, names: Iterable[str]) -> dict[str, str]:
        """What packages ask for, with all their extras and directly or not, each with who does."""
        found: dict[str, str] = {}
        pending = list(names)
        while pending:
            name = pending.pop()
            one = self.distributions.get(name)
            for line in (one.requires if one else None) or ():
                needed = canonicalize_name(Requirement(line).name)
                if needed not in found:
                    found[needed] = name
                    pending.append(needed)
        return found


HERE = Environment()


@dataclass(frozen=True)
class Imported:
    """The packages that the code of a stage imports itself, and the tools that it declares.

    Attributes:
        files: a file that imports each, by name of the package.
        late: those that only functions import.
    """

    files: Mapping[str, Path]
    late: set[str]

    @classmethod
    def of(cls, code: Code, environment: Environment = HERE) -> "Imported":
        """Those of some code."""
        files: dict[str, Path] = {}
        always: set[str] = set()
        for module, file in code.others.items():
            if name := environment.package_of(module):
                files.setdefault(name, file)
                always |= set() if module in code.late else {name}
        return cls(files, files.keys() - always)

    @classmethod
    def of_stage(
        cls, project: Project, stage: Stage, environment: Environment = HERE
    ) -> "Imported":
        """Those of a stage, in any language.

        Raises:
            ProjectError: `pyproject.toml` cannot be read, or `meta: tools:` is no list of names.
        """
        return cls.of_programs(project, stage, *of_stage(project, stage), environment)

    @classmethod
    def of_programs(
        cls,
        project: Project,
        stage: Stage,
        started: Programs,
        code: Code,
        environment: Environment = HERE,
    ) -> "Imported":
        """Those of a stage, of which the programs and the code are known.

        Raises:
            ProjectError: `meta: tools:` is no list of names.
        """
        python = cls.of(code, environment)
        in_r, not_needed = r_code.packages_of(started.files)
        notebooks = [one for one in started.files if one.suffix == NOTEBOOK]
        kernel = {KERNEL: notebooks[0]} if notebooks else {}
        tools = dict.fromkeys(tools_of(stage), project.root / stage.file)
        return cls(
            {**kernel, **python.files, **in_r, **tools},
            python.late | not_needed | (kernel.keys() - python.files.keys()),
        )


def tools_of(stage: Stage) -> list[str]:
    """The tools that `meta: tools:` of a stage declares, as packages.yaml names them.

    Raises:
        ProjectError: it is no list of names.
    """
    tools = stage.meta.get("tools") or []
    is_list = isinstance(tools, list)
    for tool in tools if is_list else [tools]:
        if not is_list or not foreign_packages.TOOL_NAME.fullmatch(str(tool)):
            raise ProjectError(
                f"{stage.file}: stage {stage.title}, meta.tools: {tool!r} is not a list of Debian "
                "packages or programs (letters, digits, +, - and _), such as `tools: [gdal-bin]`."
            )
    return [foreign_packages.TOOL + str(tool) for tool in tools]


def named(stage: Stage) -> Sequence[str]:
    """The packages that a stage names."""
    params = stage.params.get(packages.FILE)
    return params.keys if params else ()


def missing(stage: Stage, imported: Imported) -> list[str]:
    """The packages that a stage imports in any case and does not name."""
    return sorted(imported.files.keys() - imported.late - IGNORED - {*named(stage)})


def faults(stage: Stage, code: Code, imported: Imported) -> Iterator[str]:
    """What a stage does not declare of the packages that it imports, and the reverse: clauses."""
    names = named(stage)
    if packages.FILE in stage.params and not names:
        yield f"has all of {packages.FILE} in its params. Name only its own packages."
        return
    python = [name for name in names if foreign_packages.is_python(name)]
    for name in python:
        if name != canonicalize_name(name):
            yield f"names the package {name}. Write {canonicalize_name(name)}."
    if lacking := missing(stage, imported):
        wanted = ", ".join(sorted({*names, *lacking}))
        verb = "imports" if any(map(foreign_packages.is_python, lacking)) else "depends on"
        yield (
            f"{verb} {listed(lacking)}, which its params do not name. Add to them: "
            f"{packages.FILE}: [{wanted}] (bucket env --declare)."
        )
    for name in sorted({*names} - {*python} - imported.files.keys()):
        if name.startswith(foreign_packages.TOOL):
            tool = name.removeprefix(foreign_packages.TOOL)
            yield f"names {name}, which it does not declare: `meta: {{tools: [{tool}]}}`."
    if code.files and code.is_whole:
        known = {*imported.files, *HERE.needed_by(imported.files)}
        for name in sorted({*map(canonicalize_name, python)} - known):
            yield (
                f"names the package {name}, which neither it nor a package that it imports needs. "
                "Remove it."
            )
