"""`bucket new`."""

import json
import shlex
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from dvc_bucket.base.command_word import Group, add
from dvc_bucket.base.options import JsonOption
from dvc_bucket.jobs.new.layout import Kind

if TYPE_CHECKING:
    from dvc_bucket.jobs.new.data import NewData
    from dvc_bucket.jobs.new.stage import NewStage

app = typer.Typer(
    name="new",
    cls=Group,
    help="Add a stage or a dataset to the project.",
    epilog=(
        "\b\nExamples:\n"
        "  bucket new stage smooth --deps data/raw/levels.csv --outs data/interim/smooth.csv\n"
        "  bucket new data data/raw/levels.csv --licence CC0-1.0 --origin 'Our own gauges'"
    ),
    no_args_is_help=True,
)

#: What follows a new stage.
NEXT = """\
It copies its input until you write it. Next:
  edit {script} and {test}
  bucket repro {name}
  git add {files}
"""


NameArgument = Annotated[
    str, typer.Argument(help="Name of the stage, its script and its section of params.yaml.")
]
DepsOption = Annotated[
    list[str],
    typer.Option("--deps", help="Inputs, separated by commas; paths from the project's root."),
]
OutsOption = Annotated[
    list[str],
    typer.Option("--outs", help="Outputs, separated by commas; paths from the project's root."),
]
ParamsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--params",
        help="New parameter KEY=VALUE, or existing one SECTION.KEY; repeatable.",
    ),
]
KindOption = Annotated[Kind, typer.Option(help="Type of the script.")]
ToolsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--tools", help="Debian packages or programs that the stage runs, separated by commas."
    ),
]


def stage(
    name: NameArgument,
    deps: DepsOption,
    outs: OutsOption,
    params: ParamsOption = None,
    kind: KindOption = "python",
    tools: ToolsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add a stage: a script, its section of params.yaml, its entry in dvc.yaml and a test.

    The stage runs at once and copies its input to its output until you write it. Nothing is
    written if the stage, a file or the section of params.yaml is there already. Of a notebook, an
    output that ends in .ipynb is the executed notebook.

    Examples:
      bucket new stage smooth --deps data/raw/levels.csv --outs data/interim/smooth.csv
      bucket new stage peaks --deps data/raw --outs reports/peaks.json --kind shell --tools jq
    """
    from dvc_bucket.base.paths import Project
    from dvc_bucket.jobs.new import stage as job

    if not job.NAME.fullmatch(name):
        raise typer.BadParameter(
            f"{name!r}: start with a lower-case letter and use only lower-case letters, digits "
            "and _",
            param_hint="NAME",
        )
    request = job.StageRequest(
        name, _split(deps), _split(outs), params or (), kind, _split(tools or [])
    )
    if not (request.deps and request.outs):
        raise typer.BadParameter("a stage needs at least one input and one output")
    done = job.new_stage(Project.find(), request)
    if as_json:
        print(json.dumps(asdict(done), ensure_ascii=False))
    else:
        _show_stage(name, done)


def _show_stage(name: str, done: "NewStage") -> None:
    """Say which files are new or changed, and what to do next."""
    for path in (done.script, done.test):
        print(f"new      {path}")
    for path in done.changed:
        print(f"changed  {path}")
    files = " ".join([done.script, done.test, *done.changed, "dvc.lock"])
    print(NEXT.format(name=name, script=done.script, test=done.test, files=files), end="")


def _split(options: list[str]) -> list[str]:
    """Paths of options, each with one or several."""
    return list(dict.fromkeys(path for text in options for path in text.split(",") if path))


PathArgument = Annotated[str, typer.Argument(help="Path of the data, from the project's root.")]
LicenceOption = Annotated[
    str, typer.Option("--licence", "--license", help="SPDX expression, such as CC-BY-4.0.")
]
OriginOption = Annotated[str, typer.Option("--origin", help="Where the data comes from, in words.")]
SourceOption = Annotated[
    str,
    typer.Option("--from", metavar="URL", help="Fetch it from this address: https://, s3:// ..."),
]
InGitOption = Annotated[
    bool, typer.Option("--in-git", help="Keep the data in git: raw data of up to 1 MB.")
]


def data(
    path: PathArgument,
    licence: LicenceOption,
    origin: OriginOption,
    source: SourceOption = "",
    in_git: InGitOption = False,
    as_json: JsonOption = False,
) -> None:
    """Track data with DVC or git, and add its row to the page about the data.

    Existing data is tracked by `dvc add`, fetched data by `dvc import-url`.

    Examples:
      bucket new data data/raw/levels.csv --licence CC0-1.0 --origin "Our own gauges"
      bucket new data data/raw/sites.csv --in-git --licence CC-BY-4.0 --origin "Survey of 2024"
    """
    from dvc_bucket.base.paths import Project
    from dvc_bucket.connection.settings import Settings
    from dvc_bucket.jobs.new import data as job

    name = _spdx(licence)
    if not origin.strip():
        raise typer.BadParameter("say where the data comes from", param_hint="--origin")
    if source and "://" not in source:
        raise typer.BadParameter(
            "give an address such as https://... or s3://...; copy data of this machine to its "
            "path and leave --from out",
            param_hint="--from",
        )
    project = Project.find()
    request = job.DataRequest(path.rstrip("/"), name, origin, source, in_git)
    done = job.new_data(project, request, lambda: Settings.load(project), quiet=as_json)
    if as_json:
        print(json.dumps(asdict(done), ensure_ascii=False))
    else:
        _show(done)


def _spdx(licence: str) -> str:
    """The SPDX expression as SPDX writes it."""
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    try:
        return str(canonicalize_license_expression(licence))
    except InvalidLicenseExpression:
        raise typer.BadParameter(
            f"{licence!r} is not an SPDX expression. https://spdx.org/licenses/ lists the names; "
            "use LicenseRef-NAME for any other licence",
            param_hint="--licence",
        ) from None


def _show(done: "NewData") -> None:
    """Say what was added, and what to type next."""
    print(f"{done.path} is tracked by {done.tracked_by}. Next:")
    if done.files:
        print(f"  git add {' '.join(map(shlex.quote, done.files))}")
    if done.tracked_by == "dvc":
        print("  bucket push")  # before the commit that names it
    if done.files:
        print(f"  git commit -m {shlex.quote(f'Add {done.path}')}")


for word in (stage, data):
    add(app, word, "Commands")
