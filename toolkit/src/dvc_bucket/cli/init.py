"""`bucket init`."""

from typing import Annotated

import typer

from dvc_bucket.cli.serve import serve
from dvc_bucket.cli.set_up import doctor

NameOption = Annotated[str | None, typer.Option(help="Name of the project.")]
EndpointOption = Annotated[str | None, typer.Option(help="URL of the S3 API, or aws.")]
RegionOption = Annotated[str | None, typer.Option(help="Region for signing requests.")]
BucketOption = Annotated[str | None, typer.Option(help="Name of the bucket.")]
PrefixOption = Annotated[
    str | None, typer.Option(help="Key prefix in the bucket (default: project name).")
]
CacertOption = Annotated[
    str | None, typer.Option(help="PEM file of a private certificate authority.")
]
YesOption = Annotated[
    bool, typer.Option("--yes", "-y", help="Do not ask; keep settings that are not given.")
]
MoveDataOption = Annotated[
    bool | None,
    typer.Option(
        help="Copy the data of all commits from the embedded store (default: ask; yes with -y)."
    ),
]
NoDoctorOption = Annotated[
    bool,
    typer.Option(
        "--no-doctor",
        help="Do not start the embedded store or run `bucket doctor` at the end.",
    ),
]


def init(
    name: NameOption = None,
    endpoint: EndpointOption = None,
    region: RegionOption = None,
    bucket: BucketOption = None,
    prefix: PrefixOption = None,
    cacert: CacertOption = None,
    yes: YesOption = False,
    move_data: MoveDataOption = None,
    no_doctor: NoDoctorOption = False,
) -> None:
    """Connect the project to a bucket: update every file that names it, and store your keys.

    The keys are stored in .env. The command asks for them without showing them, or takes them from
    OS_ACCESS_KEY_ID and OS_SECRET_ACCESS_KEY in the environment, never from the command line.

    Examples:
      bucket init
      bucket init --endpoint https://s3.example.org --bucket lab-data --prefix my-project --yes
    """
    from dvc_bucket.base.paths import Project
    from dvc_bucket.connection.named_files import Names
    from dvc_bucket.jobs import init as dialogue

    given = Names(project=name, endpoint=endpoint, region=region, bucket=bucket, prefix=prefix)
    project = Project.find()
    dialogue.run(project, given, cacert=cacert, yes=yes, move_data=move_data)
    if not no_doctor:
        serve(if_embedded=True)
        doctor()
