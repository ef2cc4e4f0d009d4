"""The stages that a stopped check had run: the next check of the same commit takes them from here.

`Stopped.keep` moves their outputs out of the clone, and `Stopped.take` into the next clone. The
runner compares the hashes of the outputs with those of the run, and runs a stage again if they are
others.
"""

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dvc_bucket.base.paths import Project
from dvc_bucket.dvc.snapshot import Stage
from dvc_bucket.jobs.check.executions import Execution
from dvc_bucket.jobs.check.variations import Variation

#: Below `.dvc/tmp`, which git ignores.
FOLDER = "bucket-check"

#: What was seen of a stage, beside its outputs, which have numbers.
SEEN = "seen.json"

#: Of what is kept; another one is left alone.
FORMAT = 2

#: How long the stages of a stopped check are kept, in seconds.
MAX_KEPT_SECONDS = 7 * 86_400

#: How names of folders begin that are not whole.
PARTIAL = "partial-"


@dataclass(frozen=True)
class Stopped:
    """Stages of one commit with one set of packages.

    Attributes:
        folder: that they are kept in.
        commit: full id.
        packages: what the packages are.
    """

    folder: Path
    commit: str
    packages: str

    @classmethod
    def of(cls, project: Project, commit: str, packages: str) -> "Stopped":
        """Those of a project; what is too old is removed."""
        folder = project.dvc_config.parent / "tmp" / FOLDER
        for entry in folder.glob("*"):
            if time.time() - entry.stat().st_mtime > MAX_KEPT_SECONDS:
                shutil.rmtree(entry, ignore_errors=True)
        return cls(folder, commit, packages)

    def keep(
        self,
        variation: Variation,
        clone: Project,
        stages: Sequence[Stage],
        seen: Mapping[str, Execution],
    ) -> int:
        """Take the outputs of stages out of a clone that is to go; how many stages that were.

        Args:
            variation: of the run.
            clone: that it was in.
            stages: of the run.
            seen: of the stages that came so far, by name.
        """
        kept = [
            stage
            for stage in stages
            # A search for causes removes outputs and makes them again.
            if stage.name in seen and seen[stage.name].state == "done"
            if all((clone.root / out.path).exists() for out in stage.outs)
        ]
        for stage in kept:
            self.folder.mkdir(parents=True, exist_ok=True)
            part = Path(tempfile.mkdtemp(prefix=PARTIAL, dir=self.folder))
            for number, out in enumerate(stage.outs):
                shutil.move(clone.root / out.path, part / str(number))
            content = {"root": str(clone.root), "seen": seen[stage.name].plain}
            (part / SEEN).write_text(json.dumps(content), encoding="utf-8")
            place = self._place(variation, stage)
            shutil.rmtree(place, ignore_errors=True)
            part.rename(place)
        return len(kept)

    def take(
        self, variation: Variation, clone: Project, stages: Sequence[Stage]
    ) -> dict[str, Execution]:
        """Put the outputs of kept stages into a clone; what was seen of them, by name.

        A stage whose upstream stages are not kept is run.
        """
        names, taken = {stage.name for stage in stages}, dict[str, Execution]()
        for stage in stages:
            place = self._place(variation, stage)
            if not place.is_dir() or not names.intersection(stage.upstream) <= taken.keys():
                continue
            mine = self.folder / f"{PARTIAL}{os.getpid()}"
            place.rename(mine)
            content = json.loads((mine / SEEN).read_text(encoding="utf-8"))
            for number, out in enumerate(stage.outs):
                (clone.root / out.path).parent.mkdir(parents=True, exist_ok=True)
                shutil.move(mine / str(number), clone.root / out.path)
            shutil.rmtree(mine)
            seen = _moved(content["seen"], content["root"], str(clone.root))
            taken[stage.name] = Execution.of(seen)
        return taken

    def _place(self, variation: Variation, stage: Stage) -> Path:
        of_run = [FORMAT, self.commit, self.packages, asdict(variation), stage.name]
        return self.folder / hashlib.sha256(json.dumps(of_run).encode()).hexdigest()


def _moved(value: Any, old: str, new: str) -> Any:
    """What was seen in one folder as if it had been in another."""
    if isinstance(value, str):
        return new + value.removeprefix(old) if value.startswith(f"{old}/") else value
    if isinstance(value, list):
        return [_moved(item, old, new) for item in value]
    if isinstance(value, dict):
        return {key: _moved(item, old, new) for key, item in value.items()}
    return value
