"""`bucket new`."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from dvc_bucket.base.command_word import Group, add
from dvc_bucket.base.options import JsonOption
from dvc_bucket.jobs.new.layout import Kind

app = typer.Typer(
    name="new",
    cls=Group,
    help="Add a stage or a dataset to the project (docs/grow.md).",
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


def stage(
    name: Annotated[
        str, typer.Argument(help="Name of the stage, its script and its section of params.yaml.")
    ],
    deps: Annotated[
        list[str],
        typer.Option("--deps", help="Inputs, separated by commas; paths from the project's root."),
    ],
    outs: Annotated[
        list[str],
        typer.Option("--outs", help="Outputs, separated by commas; paths from the project's root."),
    ],
    params: Annotated[
        list[str] | None,
        typer.Option(
            "--params", help="KEY=VALUE for a new parameter, SECTION.KEY for another; repeatable."
        ),
    ] = None,
    kind: Annotated[Kind, typer.Option(help="What its script is.")] = "python",
    as_json: JsonOption = False,
) -> None:
    """Add a stage: a script, its section of params.yaml, its entry in dvc.yaml and a test.

    The stage runs at once and copies its input to its output until you write it. Nothing is
    written if the stage, a file or the section of params.yaml is there already.

    Examples:
      bucket new stage smooth --deps data/raw/levels.csv --outs data/interim/smooth.csv
      bucket new stage peaks --deps data/raw --outs reports/peaks.json --params top=3 --kind shell
    """
    from dvc_bucket.base.paths import Project
    from dvc_bucket.jobs.new import stage as job

    if not job.NAME.fullmatch(name):
        raise typer.BadParameter(
            f"{name!r} does not begin with a lower-case letter, or has other characters than "
            "lower-case letters, digits and _",
            param_hint="NAME",
        )
    request = job.StageRequest(name, _split(deps), _split(outs), params or (), kind)
    if not (request.deps and request.outs):
        raise typer.BadParameter("a stage has at least one input and one output")
    done = job.new_stage(Project.find(), request)
    if as_json:
        print(json.dumps(asdict(done), ensure_ascii=False))
        return
    for path in (done.script, done.test):
        print(f"new      {path}")
    for path in done.changed:
        print(f"changed  {path}")
    files = " ".join([done.script, done.test, *done.changed, "dvc.lock"])
    print(NEXT.format(name=name, script=done.script, test=done.test, files=files), end="")


def _split(options: list[str]) -> list[str]:
    """Paths of options, each with one or several."""
    return list(dict.fromkeys(path for text in options for path in text.split(",") if path))


for word in (stage,):
    add(app, word, "Commands")
