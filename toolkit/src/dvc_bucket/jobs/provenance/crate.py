"""The crate of a commit: title, authors and licence; its papers; then the run.

The run is the workflow, its steps, their scripts, and the actions that made the data. The terms are
those of the Provenance Run Crate profile: https://w3id.org/ro/wfrun/provenance/0.5
"""

import json
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from dvc_bucket.base.packages import FILE
from dvc_bucket.base.paths import CONFIG
from dvc_bucket.dvc.lock import entries
from dvc_bucket.dvc.snapshot import StageRun
from dvc_bucket.dvc.snapshot.records import named_values
from dvc_bucket.jobs.provenance.facts import Facts
from dvc_bucket.jobs.provenance.graph import Graph, local_id, path_id
from dvc_bucket.jobs.provenance.papers import LOCK_FILES, PIP, README, Author

if TYPE_CHECKING:
    from rocrate.model import Entity

DVC = "https://dvc.org"
PYTHON = "https://www.python.org"

#: Name and address of a script's language, by the end of its name in lower case.
LANGUAGES = {
    ".py": ("Python", PYTHON),
    ".ipynb": ("Python", PYTHON),
    ".r": ("R", "https://www.r-project.org"),
    ".sh": ("Shell", "https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html"),
    ".bash": ("Bash", "https://www.gnu.org/software/bash"),
}

#: The file that declares stages.
FLOW = "dvc.yaml"

#: The profile's types of parameters; any other value is Text.
TYPES = {bool: "Boolean", int: "Integer", float: "Float"}


def graph_of(facts: Facts) -> Graph:
    """The crate of a commit; the same for the same facts."""
    graph = Graph(facts)
    _describe_root(graph)
    for path in facts.papers.pages:
        graph.file(path)
    if README in facts.papers.pages:
        graph.file(README, about=graph.root)
    _add_run(graph)
    return graph


def _describe_root(graph: Graph) -> None:
    papers, revision = graph.facts.papers, graph.facts.commit.revision
    commit = revision.commit
    authors = [_author(graph, author, number) for number, author in enumerate(papers.authors, 1)]
    code = graph.context(
        papers.commit_page(commit) or local_id("commit", commit),
        "SoftwareSourceCode",
        name=f"The git commit {commit[:12]}",
        version=commit,
        # https://docs.softwareheritage.org/devel/swh-model/persistent-identifiers.html
        identifier=f"swh:1:rev:{commit}" if len(commit) == 40 else None,
        codeRepository=papers.repository,
        dateModified=revision.date,
        license=graph.licence(papers.licence),
        author=authors,
    )
    graph.describe(
        graph.root,
        name=papers.title,
        description=(
            f"{papers.description.rstrip('.')}. The run of its stages that the git commit "
            f"{commit} records, with the code; data that is not included is identified by its "
            "hash."
        )
        if papers.description
        else f"The run of the stages that the git commit {commit} records, with the code.",
        license=graph.licence(papers.licence),
        author=authors,
        isBasedOn=code,
        version=commit,
    )


def _author(graph: Graph, author: Author, number: int) -> "Entity":
    is_group = not author.family_name and not author.given_name
    return graph.context(
        author.address or local_id("author", str(number)),
        "Organization" if is_group else "Person",
        name=author.name,
        familyName=author.family_name,
        givenName=author.given_name,
        url=author.address if is_group else None,
        affiliation=graph.context(
            local_id("organization", author.affiliation), "Organization", name=author.affiliation
        )
        if author.affiliation
        else None,
    )


def _add_run(graph: Graph) -> None:
    """Add the workflow, an action for each stage, one for the whole run, and DVC's own part."""
    runs = graph.facts.runs
    workflow = _workflow(graph)
    tools = [_tool(graph, run) for run in runs]
    steps = [
        graph.context(
            f"{path_id(run.flow)}{local_id(run.name)}",
            "HowToStep",
            name=run.name,
            description=run.description,
            position=str(position),
            workExample=tool,
        )
        for position, (run, tool) in enumerate(zip(runs, tools, strict=True), 1)
    ]
    actions = [_action(graph, run, tool) for run, tool in zip(runs, tools, strict=True)]
    graph.describe(workflow, step=steps, hasPart=tools)
    whole = _whole(graph, workflow)
    engine = _engine(graph, steps, actions, whole)
    graph.describe(graph.root, mainEntity=workflow, mentions=[engine, whole, *actions])


def _workflow(graph: Graph) -> "Entity":
    """The dvc.yaml in the root, or the first one."""
    facts = graph.facts
    flows = [run.flow for run in facts.runs]
    path = FLOW if FLOW in flows else flows[0]
    return graph.file(
        path,
        *("SoftwareSourceCode", "ComputationalWorkflow", "HowTo"),
        programmingLanguage=graph.context(
            f"{DVC}/doc/user-guide/project-structure/dvcyaml-files",
            "ComputerLanguage",
            name="DVC pipelines (dvc.yaml)",
            url=DVC,
        ),
        url=facts.link(path),
        version=facts.commit.commit,
        buildInstructions=[_environment(graph, file) for file in facts.papers.lock_files],
        runtimePlatform=facts.papers.platform,
    )


def _environment(graph: Graph, path: str) -> "Entity":
    """A file that pins the environment."""
    tool, form = LOCK_FILES.get(path, PIP)
    kind = graph.context(form, "CreativeWork", name=f"What {tool} reads", url=form)
    return graph.file(path, description=f"The environment, for {tool}.", conformsTo=kind)


def _tool(graph: Graph, run: StageRun) -> "Entity":
    """The script of a stage; its command if that names no script."""
    facts = graph.facts
    script = facts.script(run)
    parameters = [_parameter(graph, run, name, value) for name, value in _values(run)]
    if script is None:
        words = run.command.split()
        return graph.context(
            f"{path_id(run.flow)}{local_id(run.name, 'command')}",
            "SoftwareApplication",
            name=words[0] if words else run.name,
            input=parameters,
            softwareRequirements=_packages(graph, run),
        )
    entity = graph.recorded(script)
    entity.properties()["@type"] = ["File", "SoftwareSourceCode"]
    graph.add_to(entity, "input", parameters)  # beside those of another stage with the same script
    graph.add_to(entity, "softwareRequirements", _packages(graph, run))
    if language := LANGUAGES.get(PurePosixPath(script.path).suffix.lower()):
        name, url = language
        kind = graph.context(url, "ComputerLanguage", name=name, url=url)
        platform = facts.papers.platform if url == PYTHON else ""
        graph.describe(entity, programmingLanguage=kind, runtimePlatform=platform)
    if facts.is_here(script):
        graph.describe(entity, version=facts.commit.commit, url=facts.link(script.path))
    return entity


def _values(run: StageRun) -> list[tuple[str, object]]:
    """The parameters of a stage; its packages are none."""
    params = {file: values for file, values in run.params.items() if file != FILE}
    return list(named_values(params).items())


def _packages(graph: Graph, run: StageRun) -> "list[Entity]":
    """The packages that the code of a stage imports, in the versions that it ran with."""
    return [
        graph.context(
            local_id("package", name, str(version)),
            "SoftwareApplication",
            name=name,
            softwareVersion=str(version),
        )
        for name, version in sorted(run.params.get(FILE, {}).items())
    ]


def _action(graph: Graph, run: StageRun, tool: "Entity") -> "Entity":
    """The last run of a stage."""
    values = [
        graph.context(
            local_id("parameter", run.name, name),
            "PropertyValue",
            name=name,
            value=value if isinstance(value, str) else json.dumps(value, default=str),
            exampleOfWork=_parameter(graph, run, name, value),
        )
        for name, value in _values(run)
    ]
    return graph.context(
        local_id("run", run.name),
        "CreateAction",
        name=f"Stage {run.name}" + (f": {run.description}" if run.description else ""),
        description=run.command,
        instrument=tool,
        object=[*map(graph.recorded, run.reads), *values],
        result=list(map(graph.recorded, run.writes)),
    )


def _parameter(graph: Graph, run: StageRun, name: str, value: object) -> "Entity":
    return graph.context(
        f"{path_id(run.flow)}{local_id(run.name, name)}",
        "FormalParameter",
        name=name,
        additionalType=TYPES.get(type(value), "Text"),
    )


def _whole(graph: Graph, workflow: "Entity") -> "Entity":
    """The run of all stages, from the inputs that none writes to the outputs that none reads."""
    runs, files = graph.facts.runs, graph.facts.commit.revision.files
    read = {record.path for run in runs for record in run.reads}
    makers = graph.facts.commit.makers
    inputs = [record for run in runs for record in run.reads if record.path not in makers]
    outputs = [record for run in runs for record in run.writes if record.path not in read]
    params = sorted({path for run in runs for path in run.params if path in files})
    return graph.context(
        local_id("run"),
        "CreateAction",
        name=f"Run of {workflow.id}",
        description=(
            "Each stage as dvc.lock records its last run; it does not record time, place or person."
        ),
        instrument=workflow,
        object=[*map(graph.file, params), *map(graph.recorded, inputs)],
        result=list(map(graph.recorded, outputs)),
    )


def _engine(
    graph: Graph, steps: "list[Entity]", actions: "list[Entity]", whole: "Entity"
) -> "Entity":
    """DVC at work: it ran the stages whose record was out of date."""
    facts = graph.facts
    controls = [
        graph.context(
            local_id("control", run.name),
            "ControlAction",
            name=f"DVC ran the stage {run.name}",
            instrument=step,
            object=action,
        )
        for run, step, action in zip(facts.runs, steps, actions, strict=True)
    ]
    dvc = graph.context(
        DVC, "SoftwareApplication", name="DVC", url=DVC, softwareVersion=facts.papers.dvc
    )
    engine = graph.context(
        local_id("dvc"),
        "OrganizeAction",
        name="DVC ran the stale stages",
        instrument=dvc,
        object=controls,
        result=whole,
    )
    revision = facts.commit.revision
    for path in (CONFIG, *revision.named(entries.NAME)):
        if path in revision.files:
            graph.file(path, about=engine)
    return engine
