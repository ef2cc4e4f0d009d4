"""Add a stage: its script, its test, its parameters and its entry in dvc.yaml, all or none."""

import keyword
import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from dvc_bucket.base import safe_paths
from dvc_bucket.base.errors import NewError
from dvc_bucket.base.files import all_written
from dvc_bucket.base.paths import Project
from dvc_bucket.dvc.patched import yaml
from dvc_bucket.dvc.snapshot import Snapshot, overlap
from dvc_bucket.jobs.new import named, yaml_text
from dvc_bucket.jobs.new.layout import Kind, layout
from dvc_bucket.jobs.new.texts import PARAMS, PROFILE, PROGRAMS, StageTexts
from dvc_bucket.stages.declared import runners

FLOW = "dvc.yaml"

#: What a name has to be: that of a stage, a file, a module and a test.
NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class StageRequest:
    """The stage that is wanted.

    Attributes:
        name: of the stage, its script and its section of parameters.
        deps: paths of its inputs, from the project's root.
        outs: paths of its outputs, from the project's root.
        params: `KEY=VALUE` for a parameter of its own, `SECTION.KEY` for one that is there.
        kind: of its script.
        tools: Debian packages or programs whose versions it depends on.
    """

    name: str
    deps: Sequence[str]
    outs: Sequence[str]
    params: Sequence[str] = ()
    kind: Kind = "python"
    tools: Sequence[str] = ()


@dataclass(frozen=True)
class NewStage:
    """A stage that was added.

    Attributes:
        name: of the stage.
        script: path of its script.
        test: path of its test.
        changed: paths of the files with a new part.
    """

    name: str
    script: str
    test: str
    changed: Sequence[str] = field(default=())


def new_stage(project: Project, request: StageRequest) -> NewStage:
    """Add a stage that copies its first input to its outputs until somebody writes it.

    Args:
        project: the clone.
        request: the stage.

    Raises:
        NewError: a name is taken, an input is not there, or DVC refuses the stage. Nothing is
            written then.
        ProjectError: DVC cannot read the project.
    """
    snapshot = Snapshot.at(project)
    if snapshot.graph_error:
        raise NewError(f"DVC cannot read the stages: {snapshot.graph_error} Fix this first.")
    _check_name(request, snapshot)
    for path in request.deps:
        _check_input(project, snapshot, path)
    for path in request.outs:
        _check_output(project, snapshot, request, path)
    params = _read(project, PARAMS)
    values, others = _parameters(request, yaml_text.mapping(params, PARAMS))
    place = layout(project, snapshot, request.name, request.kind)
    models = place.models if values else ""
    packages = named.of_new(project, request.kind, request.tools, models)
    texts = StageTexts(
        *(request.name, request.kind, place, request.deps, request.outs, values, others),
        packages=packages.names,
        tools=request.tools,
        profile=(project.root / PROFILE).is_file(),
    )
    new = {place.script: texts.script(), place.test: texts.test()}
    _check_free(project, new)
    changed = {**packages.files, **_changed(project, request, texts, params)}
    with all_written({project.root / path: text for path, text in (new | changed).items()}):
        if fault := Snapshot.at(project).graph_error:
            raise NewError(f"DVC refuses the stage {request.name}: {fault} Nothing was written.")
    return NewStage(request.name, place.script, place.test, list(changed))


def _changed(
    project: Project, request: StageRequest, texts: StageTexts, params: str
) -> dict[str, str]:
    """The new texts of files that are there: parameters, their models, and dvc.yaml as the last."""
    place, changed = texts.layout, {}
    if texts.values:
        section = "".join(f"  {key}: {text}\n" for key, text in _texts(request).items())
        changed[PARAMS] = yaml_text.with_entry(params, PARAMS, None, f"{request.name}:\n{section}")
        if place.models:
            model = f"\n\nclass {texts.model_name}(Params):\n{texts.model}\n"
            changed[place.models] = _read(project, place.models).rstrip("\n") + "\n" + model
    changed[FLOW] = yaml_text.with_entry(_read(project, FLOW), FLOW, "stages", texts.entry())
    return changed


def _check_name(request: StageRequest, snapshot: Snapshot) -> None:
    name = request.name
    if any(stage.name.partition("@")[0] == name for stage in snapshot.stages):
        raise NewError(f"{FLOW} already has a stage {name}. Choose another name.")
    if request.kind == "python" and (
        keyword.iskeyword(name) or name in sys.stdlib_module_names or _is_installed(name)
    ):
        raise NewError(
            f"{name} is the name of a Python module or of an installed package, which {name}.py "
            "would hide from the scripts beside it. Choose another name."
        )
    if request.kind == "notebook" and (fault := runners.lacking()):
        raise NewError(fault)
    program = PROGRAMS.get(request.kind)
    if program and not shutil.which(program):
        raise NewError(
            f"A stage of the kind {request.kind} needs {program}, which is not installed. Add it "
            "to the project's packages, then run the command again."
        )


def _is_installed(name: str) -> bool:
    """Whether another module of this name than one of the project's own can be imported."""
    spec = find_spec(name)
    return spec is not None and "site-packages" in str(spec.origin)


def _check_input(project: Project, snapshot: Snapshot, path: str) -> None:
    _check_path("--deps", path)
    if not (project.root / path).exists() and not any(overlap(path, out) for out in snapshot.outs):
        raise NewError(
            f"--deps {path}: the file does not exist, and no stage or .dvc file has it as output. "
            "Paths start at the project's root."
        )


def _check_output(project: Project, snapshot: Snapshot, request: StageRequest, path: str) -> None:
    _check_path("--outs", path)
    for stage in (*snapshot.stages, *snapshot.tracked):
        if taken := next((out.path for out in stage.outs if overlap(path, out.path)), None):
            raise NewError(f"--outs {path}: {stage.title} has the output {taken}. Choose another.")
    if same := next((dep for dep in request.deps if overlap(path, dep)), None):
        raise NewError(
            f"--outs {path} and --deps {same}: one contains the other. Choose another path."
        )
    if os.path.lexists(project.root / path):
        raise NewError(
            f"--outs {path} exists already, and DVC deletes an output before its stage runs. "
            "Choose another path, or move it away."
        )


def _check_path(option: str, path: str) -> None:
    fault = safe_paths.fault(path)
    if not fault and ("${" in path or not path.isprintable()):
        fault = "DVC or a terminal would misread a part of it"
    if fault:
        raise NewError(f"{option} {path!r}: {fault}. Give a path of the project from its root.")


def _parameters(
    request: StageRequest, content: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """The parameters of the stage's own with their values, and the names of others."""
    others = [one for one in request.params if "=" not in one]
    for one in others:
        value: Any = content
        for part in one.split("."):
            if not isinstance(value, Mapping) or part not in value:
                raise NewError(
                    f"--params {one}: {PARAMS} has no {one}. Give KEY=VALUE for a new parameter."
                )
            value = value[part]
    values = {}
    for key, text in _texts(request).items():
        if not NAME.fullmatch(key) or keyword.iskeyword(key):
            raise NewError(f"--params {key}: a name consists of lower-case letters, digits and _.")
        try:
            values[key] = yaml.loaded(text)
        except yaml.NotYamlError:
            raise NewError(f"--params {key}={text}: the value is not YAML.") from None
        if request.kind != "python" and isinstance(values[key], list | Mapping):
            raise NewError(
                f"--params {key}: a stage of the kind {request.kind} gets its parameters on its "
                "command line, where DVC supports single values only."
            )
    own = {one.partition(".")[0] for one in others}
    if request.name in content and (values or request.name not in own):
        raise NewError(f"{PARAMS} already has a section {request.name}. Choose another name.")
    return values, others


def _texts(request: StageRequest) -> dict[str, str]:
    """The values as given, by key."""
    pairs = [one.partition("=") for one in request.params if "=" in one]
    return {key.strip(): text.strip() for key, _, text in pairs}


def _check_free(project: Project, texts: Mapping[str, str]) -> None:
    """Refuse paths that are taken, but by what a run that was killed has left there.

    Raises:
        NewError: a file is there.
    """
    for path, text in texts.items():
        file = project.root / path
        if os.path.lexists(file) and not (file.is_file() and file.read_bytes() == text.encode()):
            raise NewError(f"{path} exists already. Choose another name for the stage.")


def _read(project: Project, path: str) -> str:
    """The text of a file; empty if it is not there.

    Raises:
        NewError: it is not text.
    """
    try:
        return Path(project.root / path).read_bytes().decode("utf-8")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError:
        raise NewError(f"{path} is not UTF-8 text. Fix it first.") from None
