"""The run: the workflow and its steps, the scripts, the actions that made the data.

As the Provenance Run Crate profile has it: https://w3id.org/ro/wfrun/provenance/0.5
"""

import json
from typing import TYPE_CHECKING, Any

from dvc_bucket.base.paths import CONFIG
from dvc_bucket.dvc.commit.run import FLOW
from dvc_bucket.dvc.lock import entries
from dvc_bucket.dvc.snapshot import PathRecord, StageRun
from dvc_bucket.jobs.provenance.data import Data
from dvc_bucket.jobs.provenance.facts import Facts
from dvc_bucket.jobs.provenance.graph import Graph, local_id, path_id
from dvc_bucket.jobs.provenance.papers import LOCK_FILES, PIP

if TYPE_CHECKING:
    from rocrate.model import Entity

DVC = "https://dvc.org"
PYTHON = "https://www.python.org"

#: What a value is, as the profile names the types of formal parameters.
KINDS = {bool: "Boolean", int: "Integer", float: "Float", str: "Text"}


def add(made: Graph, facts: Facts, data: Data) -> None:
    """Add the workflow of a run and all that it did."""
    _Actions(made, facts, data).add()


class _Actions:
    def __init__(self, made: Graph, facts: Facts, data: Data) -> None:
        self._made, self._facts, self._data = made, facts, data
        self._run, self._papers = facts.run, facts.papers
        self._revision = facts.revision

    def add(self) -> None:
        made, run = self._made, self._run
        flow = self._workflow()
        tools = [self._tool(stage) for stage in run.stages]
        both = list(zip(run.stages, tools, strict=True))
        steps = [self._step(number, *one) for number, one in enumerate(both, 1)]
        actions = [self._action(*one) for one in both]
        made.say(flow, step=steps, hasPart=tools)
        whole = self._whole(flow)
        controls = [
            made.context(
                local_id("control", stage.name),
                "ControlAction",
                name=f"DVC ran the stage {stage.name}",
                instrument=step,
                object=action,
            )
            for stage, step, action in zip(run.stages, steps, actions, strict=True)
        ]
        engine = made.context(
            local_id("dvc"),
            "OrganizeAction",
            name="DVC ran what was stale",
            instrument=self._engine(),
            object=controls,
            result=whole,
        )
        for path in (CONFIG, *self._revision.named(entries.NAME)):
            if path in self._revision.files:
                self._data.text(path, about=engine)
        made.say(made.root, mainEntity=flow, mentions=[engine, whole, *actions])

    def _workflow(self) -> "Entity":
        """The dvc.yaml in the root, or the first one."""
        flows = [stage.flow for stage in self._run.stages]
        path = FLOW if FLOW in flows else flows[0]
        return self._data.text(
            path,
            *("SoftwareSourceCode", "ComputationalWorkflow", "HowTo"),
            programmingLanguage=self._made.context(
                f"{DVC}/doc/user-guide/project-structure/dvcyaml-files",
                "ComputerLanguage",
                name="DVC pipelines (dvc.yaml)",
                url=DVC,
            ),
            url=self._facts.link(path),
            version=self._revision.commit,
            buildInstructions=[self._environment(file) for file in self._papers.lock_files],
            runtimePlatform=self._python(),
        )

    def _environment(self, path: str) -> "Entity":
        """A file that pins the environment."""
        tool, form = LOCK_FILES.get(path, PIP)
        kind = self._made.context(form, "CreativeWork", name=f"What {tool} reads", url=form)
        return self._data.text(path, description=f"The environment, for {tool}.", conformsTo=kind)

    def _step(self, number: int, stage: StageRun, tool: "Entity") -> "Entity":
        return self._made.context(
            f"{path_id(stage.flow)}{local_id(stage.name)}",
            "HowToStep",
            name=stage.name,
            description=stage.description,
            position=str(number),
            workExample=tool,
        )

    def _tool(self, stage: StageRun) -> "Entity":
        """The script of a stage; where its command names none, the command."""
        script = self._facts.script(stage)
        parameters = [self._formal(stage, name, value) for name, value in stage.values]
        if script is None:
            words = stage.command.split()
            return self._made.context(
                f"{path_id(stage.flow)}{local_id(stage.name, 'command')}",
                "SoftwareApplication",
                name=words[0] if words else stage.name,
                input=parameters,
            )
        entity = self._data.of(script)
        entity.properties()["@type"] = ["File", "SoftwareSourceCode"]
        # One script can be the tool of several stages.
        before = entity.get("input") or []
        before = before if isinstance(before, list) else [before]
        self._made.say(entity, input=[*before, *parameters], **self._language(script))
        if self._facts.is_here(script):
            url = self._facts.link(script.path)
            self._made.say(entity, version=self._revision.commit, url=url)
        return entity

    def _language(self, script: PathRecord) -> dict[str, Any]:
        if not script.path.endswith(".py"):
            return {}
        python = self._made.context(PYTHON, "ComputerLanguage", name="Python", url=PYTHON)
        return {"programmingLanguage": python, "runtimePlatform": self._python()}

    def _action(self, stage: StageRun, tool: "Entity") -> "Entity":
        values = [self._value(stage, name, value) for name, value in stage.values]
        return self._made.context(
            local_id("run", stage.name),
            "CreateAction",
            name=f"Stage {stage.name}" + (f": {stage.description}" if stage.description else ""),
            description=stage.command,
            instrument=tool,
            object=[*(self._data.of(item) for item in stage.reads), *values],
            result=[self._data.of(item) for item in stage.writes],
        )

    def _whole(self, flow: "Entity") -> "Entity":
        """The run of all stages, from what none of them makes to what none of them reads."""
        run = self._run
        read = {item.path for stage in run.stages for item in stage.reads}
        made = {item.path for stage in run.stages for item in stage.writes}
        inputs = [item for stage in run.stages for item in stage.reads if item.path not in made]
        outputs = [item for stage in run.stages for item in stage.writes if item.path not in read]
        params = sorted({file for stage in run.stages for file in stage.params})
        return self._made.context(
            local_id("run"),
            "CreateAction",
            name=f"Run of {flow.id}",
            description="Each stage as dvc.lock notes its last run; when, where and by whom, it "
            "does not note.",
            instrument=flow,
            object=[*self._texts(*params), *map(self._data.of, inputs)],
            result=list(map(self._data.of, outputs)),
        )

    def _engine(self) -> "Entity":
        return self._made.context(
            DVC,
            "SoftwareApplication",
            name="DVC",
            url=DVC,
            softwareVersion=self._papers.dvc,
        )

    def _formal(self, stage: StageRun, name: str, value: object) -> "Entity":
        return self._made.context(
            f"{path_id(stage.flow)}{local_id(stage.name, name)}",
            "FormalParameter",
            name=name,
            additionalType=KINDS.get(type(value), "Text"),
        )

    def _value(self, stage: StageRun, name: str, value: object) -> "Entity":
        return self._made.context(
            local_id("parameter", stage.name, name),
            "PropertyValue",
            name=name,
            value=value if isinstance(value, str) else json.dumps(value, default=str),
            exampleOfWork=self._formal(stage, name, value),
        )

    def _texts(self, *paths: str) -> "list[Entity]":
        return [self._data.text(path) for path in paths if path in self._revision.files]

    def _python(self) -> str:
        return f"Python {self._papers.python}" if self._papers.python else ""
