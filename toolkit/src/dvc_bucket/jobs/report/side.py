"""A commit as it is compared: what ran, what is declared, and which data it has.

What ran is read from git's objects alone. What is declared, DVC itself reads from them, with all
its templates. Used of it: of an index `stages`, `metrics`, `plots`, and `_metrics` and `_plots` for
those that belong to no stage; of a stage `cmd`, `cmd_changed`, `frozen`, `path`; of a file of
parameters `read_params`, `params`.
"""

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dvc_bucket.base.errors import CheckError
from dvc_bucket.dvc.commit import locations as places
from dvc_bucket.dvc.commit import run
from dvc_bucket.dvc.commit.locations import Places
from dvc_bucket.dvc.commit.revision import Revision
from dvc_bucket.dvc.commit.run import Run
from dvc_bucket.dvc.remote.outputs import absence, dataset_of, name_of, outputs

if TYPE_CHECKING:
    from dvc.output import Output
    from dvc.repo import Repo
    from dvc.stage import PipelineStage


@dataclass(frozen=True)
class Declared:
    """A stage of `dvc.yaml`.

    Attributes:
        name: as in `Run`.
        is_frozen: DVC does not run it.
        is_other_command: its command is not the one that ran.
        reads: paths that it declares to read, but for parameters.
        writes: paths that it declares to write.
        keys: names of the parameters that it declares, `FILE:KEY`; `FILE:` for a whole file.
        params: what they are in the commit, to the last branch: `params.yaml:train.seed`.
    """

    name: str
    is_frozen: bool
    is_other_command: bool
    reads: Sequence[str]
    writes: Sequence[str]
    keys: Sequence[str]
    params: Mapping[str, object]


@dataclass(frozen=True)
class Out:
    """A file or directory that DVC tracks.

    Attributes:
        hash: DVC's; empty where none is recorded.
        name: of its object; None where no remote of the project has it.
        is_cached: DVC keeps it; else git does.
        size: in bytes, as DVC noted it.
        files: how many a directory has, as DVC noted it.
    """

    hash: str
    name: bytes | None
    is_cached: bool
    size: int | None
    files: int | None


@dataclass(frozen=True)
class Side:
    """A commit.

    Attributes:
        revision: its files.
        run: what its lock files note.
        places: where its data is.
        is_project: DVC tracks something there.
        declared: its stages.
        outs: what DVC tracks, by path.
        shown: paths of metrics and plots.
    """

    revision: Revision
    run: Run
    places: Places
    is_project: bool
    declared: Sequence[Declared] = ()
    outs: Mapping[str, Out] = field(default_factory=dict)
    shown: Sequence[str] = ()

    @property
    def commit(self) -> str:
        """Full id."""
        return self.revision.commit


def read(repo: "Repo", revision: Revision) -> Side:
    """A commit, by DVC and by git.

    Raises:
        LockError, ProjectError: a file of DVC's is not what it should be.
        CheckError: DVC cannot read it.
    """
    from dvc.exceptions import DvcException, NotDvcRepoError

    ran = run.read(revision)
    where = places.of(revision, ran)
    try:
        with repo.switch(revision.commit):
            return Side(
                revision=revision,
                run=ran,
                places=where,
                is_project=True,
                declared=[_declared(repo, one) for one in repo.index.stages if one.cmd],
                outs={path: _out(out) for path, out in outputs(repo)},
                shown=list(dict.fromkeys(_shown(repo))),
            )
    except NotDvcRepoError:
        return Side(revision, ran, where, is_project=False)
    except DvcException as error:
        said = " ".join(str(error).split())
        raise CheckError(f"DVC cannot read the commit {revision.commit[:12]}: {said}") from None


def _out(out: "Output") -> Out:
    found, meta = out.hash_info, out.meta
    is_here = not absence(out)
    try:
        name = name_of(out) if is_here else None
    except ValueError:  # an ETag, of what is elsewhere
        name = None
    return Out(
        hash=str(found.value) if found and found.value else "",
        name=name,
        is_cached=bool(out.use_cache),
        size=meta.size if meta else None,
        files=meta.nfiles if meta else None,
    )


def _declared(repo: "Repo", stage: "PipelineStage") -> Declared:
    from dvc.dependency.param import ParamsDependency

    keys: list[str] = []
    params: dict[str, object] = {}
    reads = []
    for dep in stage.deps:
        path = dataset_of(repo, dep)
        if not isinstance(dep, ParamsDependency):
            reads.append(path)
            continue
        keys += [f"{path}:{key}" for key in dep.params or [""]]
        params |= {f"{path}:{name}": value for name, value in run.leaves(dep.read_params())}
    folder = posixpath.dirname(str(repo.fs.relpath(stage.path, repo.root_dir)))
    return Declared(
        name=f"{folder}:{stage.name}" if folder else stage.name,
        is_frozen=bool(stage.frozen),
        is_other_command=bool(stage.cmd_changed),
        reads=reads,
        writes=[dataset_of(repo, out) for out in stage.outs],
        keys=keys,
        params=params,
    )


def _shown(repo: "Repo") -> Iterator[str]:
    """Paths of what is declared as metrics and plots, by stages and beside them."""
    from dvc.repo.plots import infer_data_sources

    index: Any = repo.index
    for out in (*index.metrics, *index.plots):
        yield dataset_of(repo, out)
    for file, paths in index._metrics.items():
        yield from (_beside(repo, file, path) for path in paths)
    for file, plots in index._plots.items():
        for plot in plots:
            for name, config in (plot if isinstance(plot, dict) else {plot: None}).items():
                yield from (_beside(repo, file, one) for one in infer_data_sources(name, config))


def _beside(repo: "Repo", file: str, path: str) -> str:
    """From the project's root, a path that a dvc.yaml names."""
    folder = posixpath.dirname(str(repo.fs.relpath(file, repo.root_dir)))
    return posixpath.normpath(posixpath.join(folder, path))
