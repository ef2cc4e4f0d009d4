"""A stage that is run alone and again, under conditions that are chosen one by one.

Its commands run without DVC, in the clone of the first run, whose files they find as DVC left them.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

from dvc_bucket.base.paths import Project
from dvc_bucket.base.words import listed
from dvc_bucket.dvc.snapshot import Stage
from dvc_bucket.jobs.check import environment, preload, processes, variations
from dvc_bucket.jobs.check.clone import Clones
from dvc_bucket.jobs.check.environment import VENV
from dvc_bucket.jobs.check.outputs import clear, object_names
from dvc_bucket.jobs.check.runs import Bench, CloneRun
from dvc_bucket.jobs.check.variations import CONDITIONS, FIRST, Condition, Variation

#: Of each output of a stage the contents of its files.
Contents = list[dict[str, bytes]]

#: A command that hangs as its clock stands is ended after so many times of what it took first, and
#: so many seconds more.
TIMES_LONGER = 10
SECONDS_LONGER = 60.0

#: Starts a command without a network, where a person may make name spaces.
CUT_OFF = ("unshare", "--map-root-user", "--net")

#: Folders of the project that are no input of a stage.
NOT_COPIED = (".git", ".dvc", VENV)


@dataclass(frozen=True)
class Lab:
    """Runs stages of a first run again.

    Attributes:
        bench: environment of the stages.
        clones: makes another folder.
        run: in which the stages ran first.
        preloads: libfaketime, where it is installed.
    """

    bench: Bench
    clones: Clones
    run: CloneRun
    preloads: bool = True

    def make(self, stage: Stage, variation: Variation) -> Contents | None:
        """What the stage makes under conditions; None if it fails, or does not end.

        Args:
            stage: one that succeeded in the first run.
            variation: the conditions.

        Raises:
            CheckError: an output is outside the clone.
            NotCheckedError: another clone cannot be made here.
        """
        self.bench.say(f"looking for the cause in {stage.name}: {variation.title}")
        clone = self.run.clone
        if variation.folder != FIRST.folder:
            clone = self._elsewhere
            for path in self._inputs(stage):
                _copy(self.run.clone.root / path, clone.root / path)
        clear(clone, [stage])
        folder = Path(tempfile.mkdtemp(prefix="experiment-", dir=self.bench.folder))
        limit = self.run.seconds[stage.name] * TIMES_LONGER + SECONDS_LONGER
        try:
            status = processes.run(
                [*_first_words(variation), "/bin/sh", "-e", "-c", stage.command],
                cwd=clone.root / stage.folder,
                env=self._environment(stage, clone, variation, folder),
                log=folder / "output.log",
                seconds=limit,
                one_cpu=variation.one_cpu,
            )
        except subprocess.TimeoutExpired:
            return None
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        made = [object_names(clone.root / out.path) for out in stage.outs]
        return made if status == 0 and all(made) else None

    def _environment(
        self, stage: Stage, clone: Project, variation: Variation, folder: Path
    ) -> Mapping[str, str]:
        bench = self.bench
        env = environment.variables(
            bench.project, clone, bench.packages, bench.settings, folder, variation.changes
        )
        env |= {"DVC_ROOT": str(clone.root), "DVC_STAGE": stage.name}
        without = {} if self.preloads or not variation.inside else {preload.WITHOUT: "1"}
        return env | environment.of_commands(variation.inside | without, env)

    def _inputs(self, stage: Stage) -> Iterator[str]:
        """What the stage depends on, and what else of the clone it read."""
        yield from (dep.path for dep in stage.deps if "://" not in dep.path)
        trace, root = self.run.executions[stage.name].trace, f"{self.run.clone.root}/"
        for path in sorted(trace.read if trace else ()):
            inside = path.removeprefix(root)
            if inside != path and inside.split("/")[0] not in NOT_COPIED:
                yield inside

    @cached_property
    def _elsewhere(self) -> Project:
        """A clone in another folder."""
        clone = self.clones.make("a clone, é")
        if venv := self.bench.packages.venv:
            (clone.root / VENV).symlink_to(venv)
        return clone


@dataclass
class Experiment:
    """Runs of one stage.

    Attributes:
        lab: that makes them.
        stage: the one.
        conditions: that are fixed or varied.
        made: by the stage with all of them fixed; None if it fails.
        failed: names of conditions with which it fails, as one is changed.
        was_other: it made other bytes, or failed, as they were changed together.
    """

    lab: Lab
    stage: Stage
    conditions: Sequence[Condition]
    made: Contents | None
    failed: list[str] = field(default_factory=list)
    was_other: bool = False

    @property
    def all(self) -> str:
        """All conditions, in words."""
        return listed([condition.title for condition in self.conditions])

    @property
    def fixed(self) -> Variation:
        """All conditions fixed."""
        return variations.held(self.conditions)

    @property
    def not_found(self) -> str:
        """That no condition is the cause, and how far each was looked at."""
        if self.failed:
            titles = listed([self.title(one) for one in self.failed])
            how = (
                f"fails as {titles} alone is changed, which could not be looked at; with each of "
                "the others changed alone it makes the same bytes"
            )
        elif self.was_other:
            how = (
                "makes other bytes, or fails, as all conditions change together, and the same "
                "bytes as each changes alone"
            )
        else:
            how = f"makes the same bytes whatever is varied of {self.all}"
        return f"Cause not found: {self.stage.name} {how}."

    @property
    def limits(self) -> list[str]:
        """What was not fixed, and why, in sentences."""
        if not any(condition.is_inside for condition in self.conditions):
            titles = listed([one.title for one in CONDITIONS.values() if one.is_inside])
            return [f"With {titles} fixed {self.stage.name} fails, so they were not looked at."]
        if not preload.library():
            return [preload.LACKING]
        fails = f"With libfaketime {self.stage.name} fails: the clock was changed in Python alone."
        return [] if self.lab.preloads else [fails]

    def again(self) -> Contents | None:
        """What the stage makes with all conditions fixed, another time."""
        return self.lab.make(self.stage, self.fixed)

    def title(self, name: str) -> str:
        """A condition in words."""
        return next(condition.title for condition in self.conditions if condition.name == name)

    def guilty(self) -> list[str]:
        """Names of the conditions that change the bytes, each by itself."""
        rest, causes = [condition.name for condition in self.conditions], list[str]()
        self.was_other = self._differs(rest)
        if not self.was_other:
            return []
        for name in [*rest]:
            if self._is_guilty(name):
                causes.append(name)
                rest.remove(name)
                if not rest or not self._differs(rest):
                    break
        return causes

    def _is_guilty(self, name: str) -> bool:
        """Whether the bytes are others as one condition is, and the same as it is fixed again."""
        is_other = self._differs([name], with_failure=False)
        return is_other and self.again() == self.made

    def _differs(self, names: Sequence[str], *, with_failure: bool = True) -> bool:
        """Whether the bytes are others as conditions are; a failure may count as that."""
        turns = max(len(one.others) for one in self.conditions if one.name in names)
        for turn in range(turns):
            varied = variations.held(self.conditions, names, turn)
            made = self.lab.make(self.stage, varied)
            if made is None and not with_failure:
                self.failed += names
                break
            if made != self.made:
                return True
        return False


def _first_words(variation: Variation) -> Sequence[str]:
    """The words before a command: they cut a program in any language off from the network."""
    return CUT_OFF if preload.NO_NETWORK in variation.inside and can_cut_off() else ()


@cache
def can_cut_off() -> bool:
    """Whether the network can be cut off here but in Python."""
    try:
        return subprocess.run([*CUT_OFF, "true"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _copy(source: Path, target: Path) -> None:
    """Copy a file or folder, with its times: no other ones are to be seen."""
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    elif source.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        shutil.copy2(source, target)
