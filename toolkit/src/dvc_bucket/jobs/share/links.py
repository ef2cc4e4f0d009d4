"""Links to the files that DVC tracks, and a page of them.

A link is a GET request that is signed in advance (AWS Signature Version 4, query parameters). It
holds no secret key, but opens one object to everybody who has it. So it goes to the caller alone,
never into a log or an error.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from urllib.parse import quote

import jinja2

from dvc_bucket.base.errors import OutputError, SettingsError
from dvc_bucket.base.files import readable_size, write_private
from dvc_bucket.base.ports import is_this_machine
from dvc_bucket.connection import by_botocore, clients
from dvc_bucket.dvc.remote import ids
from dvc_bucket.read import tree
from dvc_bucket.read.tracked import TrackedData, TrackedFile
from dvc_bucket.transfer.errors import naming_failures

#: The longest that a signature lasts. Source: Amazon S3 API Reference, "Authenticating Requests:
#: Using Query Parameters (AWS Signature Version 4)", X-Amz-Expires.
MAX_LIFE = timedelta(days=7)

#: What of a name every browser takes in the plain parameter `filename`.
NOT_PLAIN = re.compile(r"[^A-Za-z0-9 ._()-]")


@dataclass(frozen=True)
class Link:
    """A file that can be read by a link.

    Attributes:
        path: from the project's root.
        md5: of the file, as DVC recorded it.
        size: in bytes.
        url: the link.
    """

    path: str
    md5: str
    size: int
    url: str


@dataclass(frozen=True)
class Shared:
    """Links to the files of some data.

    Attributes:
        data: that was asked for.
        links: one a file, in order of the paths.
        ends: when the links end, at the latest.
        notes: sentences that whoever makes them should know.
    """

    data: TrackedData
    links: Sequence[Link]
    ends: datetime
    notes: Sequence[str]


def find(path: str, rev: str | None = None, remote: str | None = None) -> TrackedData:
    """The data at a path, on a remote that others reach.

    Args:
        path: from the project's root.
        rev: branch, tag or commit; None for the workspace.
        remote: DVC's name of the remote; None for the default one.

    Raises:
        SettingsError: the store is the embedded one, or the connection is not set up.
        BucketError: as `tree.find`.
    """
    tracked = tree.Tree.at(rev, remote)
    settings = tracked.remote.settings
    if settings.is_embedded:
        raise SettingsError(
            f"{settings.endpoint_url} is the embedded store of this machine, which nobody else can "
            "reach, so links to it are useless. Move the project to a bucket with `bucket init`."
        )
    return tracked.data(path)


def share(data: TrackedData, life: timedelta) -> Shared:
    """Make a link to each file, which has to be on the remote.

    Args:
        data: the files.
        life: of the links, up to `MAX_LIFE`.

    Raises:
        NotPushedError: a file is not on the remote.
        SettingsError: there are no credentials: a link without a signature would never end.
        TransferError: the store refused or could not be reached.
    """
    settings, sizes = data.remote.settings, data.sizes()
    notes = []
    if clients.credentials(settings).token:
        notes.append("These credentials are temporary; the links expire with them at the latest.")
    if is_this_machine(settings.host):
        notes.append(f"The links name {settings.host}, which only this machine can reach.")
    ends = datetime.now(UTC) + life
    with naming_failures(f"sign links to {data.path}", settings), by_botocore.as_obstore_raises():
        links = [
            Link(file.path, ids.md5(file.name), sizes[file.path], signed(data, file, life))
            for file in data.files
        ]
    if not all("X-Amz-Signature=" in link.url for link in links):
        raise SettingsError(
            f"Links to {data.path} are signed with a key, but this connection uses none. Set "
            "OS_ACCESS_KEY_ID and OS_SECRET_ACCESS_KEY."
        )
    return Shared(data, links, ends, notes)


def signed(data: TrackedData, file: TrackedFile, life: timedelta) -> str:
    """A link to one of the files."""
    settings = data.remote.settings
    where = {
        "Bucket": settings.bucket_name,
        "Key": data.key(file),
        "ResponseContentDisposition": disposition(PurePosixPath(file.path).name),
    }
    url: str = by_botocore.client(settings).generate_presigned_url(
        "get_object", Params=where, ExpiresIn=int(life.total_seconds())
    )
    return url


def disposition(name: str) -> str:
    """A header that has a browser save a file under its name, whatever characters that has.

    Source: RFC 6266, section 5.
    """
    encoded = quote(name.encode("utf-8", "surrogateescape"), safe="")
    return f"attachment; filename=\"{NOT_PLAIN.sub('_', name)}\"; filename*=UTF-8''{encoded}"


def write_index(shared: Shared, path: Path) -> None:
    """Write a page of the links, which this user alone can read.

    Raises:
        OutputError: a file is there, or the folder is not.
    """
    template = Path(__file__).with_name("index.html.j2").read_text(encoding="utf-8")
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    environment.filters["size"] = readable_size
    page = environment.from_string(template).render(shared=shared, data=shared.data)
    if path.exists():
        raise OutputError(f"{path} exists and is not replaced. Name another file, or remove it.")
    try:
        write_private(path, page)
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written: {error.strerror}. Name another file."
        ) from None
