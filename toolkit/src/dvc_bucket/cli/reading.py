"""Commands that read and copy tracked data."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from dvc_bucket.base.options import (
    DataArgument,
    JsonOption,
    PathArgument,
    RemoteOption,
    RevOption,
)


def ls(
    path: DataArgument = ".",
    rev: RevOption = None,
    remote: RemoteOption = None,
    long: Annotated[
        bool, typer.Option("--long", "-l", help="Print sizes, too; asks the store.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """List tracked files at or below a path, or the objects of any bucket.

    Files that are not in the work tree are listed, too.

    Examples:
      bucket ls data/processed --rev v1.0 --long
      bucket ls 's3://lab-data/images/*.png'
    """
    files = _objects(path, rev, remote) if _is_url(path) else _tracked(path, rev, remote, long=long)
    if as_json:
        print(json.dumps(files))
        return
    for file in files:
        print(f"{file['size']:>14,}  {file['path']}" if long else file["path"])


def _tracked(path: str, rev: str | None, remote: str | None, *, long: bool) -> list[dict[str, Any]]:
    from dvc_bucket.dvc.remote import ids
    from dvc_bucket.read import tracked, tree

    data = tree.find(tracked.from_here(path), rev, remote)
    sizes = data.sizes() if long else {}
    return [
        {"path": file.path, "md5": ids.md5(file.name), "size": sizes.get(file.path, file.size)}
        for file in data.files
    ]


def _objects(url: str, rev: str | None, remote: str | None) -> list[dict[str, Any]]:
    from dvc_bucket.read import bucket_objects

    _refuse_options(rev, remote)
    listing = bucket_objects.find(url)
    _say_left_out(listing.left_out)
    root = f"s3://{listing.settings.bucket_name}/"
    return [{"path": root + item["path"], "size": item["size"]} for item in listing.versions]


def cat(path: DataArgument, rev: RevOption = None, remote: RemoteOption = None) -> None:
    """Write a tracked file, or an object of any bucket, to stdout.

    Examples:
      bucket cat data/raw/table.csv --rev v1.0 | head
      bucket cat s3://lab-data/notes.txt
    """
    from dvc_bucket.read import bucket_objects, content, tracked

    if _is_url(path):
        _refuse_options(rev, remote)
        pieces = bucket_objects.pieces(path)
    else:
        pieces = content.recorded(tracked.from_here(path), rev, remote)
    for piece in pieces:
        sys.stdout.buffer.write(piece)


def _is_url(path: str) -> bool:
    return path.startswith("s3://")


def _refuse_options(rev: str | None, remote: str | None) -> None:
    """Refuse --rev and --remote for an s3:// address, which has neither."""
    if rev or remote:
        hint = "--rev" if rev else "--remote"
        raise typer.BadParameter(
            "applies to tracked paths only, not to s3:// addresses", param_hint=hint
        )


def _say_left_out(left_out: Sequence[str]) -> None:
    if left_out:
        from dvc_bucket.transfer import keys

        print(keys.said_of(left_out), file=sys.stderr)


PathsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="PATH DEST",
        help="Tracked paths, local paths to upload, or s3://bucket/key with or without "
        "wildcards. DEST: a local path or s3://bucket/prefix/.",
    ),
]
ScratchOption = Annotated[
    bool,
    typer.Option(
        "--scratch",
        help="Copy to a private folder in $SCRATCH or $TMPDIR instead of DEST, with --parents.",
    ),
]
ParentsOption = Annotated[
    bool, typer.Option("--parents", help="Keep full paths below DEST, as `cp --parents` does.")
]
ForceOption = Annotated[
    bool, typer.Option("--force", help="Replace files or objects whose content differs.")
]


def cp(
    paths: PathsArgument = None,
    scratch: ScratchOption = False,
    parents: ParentsOption = False,
    rev: RevOption = None,
    remote: RemoteOption = None,
    force: ForceOption = False,
) -> None:
    """Copy data between the bucket and this machine; skip files that are identical.

    As with `cp -r`, the last part of each PATH is kept below DEST. A single file gets the name DEST
    unless DEST is a folder or ends with a slash. A local file is replaced only if `bucket cp` wrote
    it, and an object in a bucket is not replaced; --force lifts both limits. Files that git or DVC
    tracks, and DVC's objects in the bucket, are never replaced. The destination is printed on
    stdout.

    Without arguments, the command fetches the objects that the JSON file in $OS_CONFIG_FILE lists.

    Examples:
      bucket cp data/raw --rev v1.0 "$SCRATCH"
      cd "$(bucket cp --scratch data/raw data/processed)"
      bucket cp 's3://lab-data/images/*.png' images
      bucket cp reports/report.html s3://lab-data/published/
    """
    if not paths and not (scratch or parents or rev or remote):
        _fetch_configured(force=force)
        return
    sources = list(paths or ())
    if len(sources) < (1 if scratch else 2):
        raise typer.BadParameter("give PATH and DEST, or PATH and --scratch", param_hint="DEST")
    to = None if scratch else sources.pop()
    _copy(sources, to, rev, remote, parents=parents, force=force)


def _fetch_configured(*, force: bool) -> None:
    from dvc_bucket.read import configured

    for copy in configured.fetch_configured(force=force):
        print(copy)


def _copy(
    paths: Sequence[str],
    to: str | None,
    rev: str | None,
    remote: str | None,
    *,
    parents: bool,
    force: bool,
) -> None:
    """Copy, and say how much and where to; exit with 1 if something was left out."""
    from dvc_bucket.base.progress import bar
    from dvc_bucket.read import copying

    sources = [path if _is_url(path) else Path.cwd() / path for path in paths]
    with bar() as progress:
        done = copying.copy_to(
            sources, to, rev=rev, remote=remote, parents=parents, force=force, progress=progress
        )
    count = f"{done.files:,} files, {done.copied:,} of them copied ({done.size:,} bytes)."
    print(count, file=sys.stderr)
    _say_left_out(done.left_out)
    print(done.destination)
    if done.left_out:
        raise typer.Exit(1)


def pack(
    folder: Annotated[Path, typer.Argument(help="Folder with many small files.")],
    out: Annotated[
        Path,
        typer.Argument(help="Folder of shards: new, or written by an earlier `bucket pack`."),
    ],
    tar: Annotated[bool, typer.Option("--tar", help="Write tar instead of Parquet.")] = False,
    size: Annotated[int, typer.Option(help="Megabytes of files in a shard.")] = 256,
    metadata: Annotated[
        Path | None, typer.Option(help="CSV or Parquet file with one row per file name.")
    ] = None,
) -> None:
    """Pack many small files into a few large shards, with identical bytes for identical files.

    Examples:
      bucket pack data/raw/images data/raw/shards
      bucket pack data/raw/images data/raw/shards --tar --size 512
    """
    from dvc_bucket.base.progress import bar
    from dvc_bucket.read import packing

    with bar() as progress:
        form = "tar" if tar else "parquet"
        done = packing.pack(
            folder,
            out,
            form=form,
            shard_bytes=size * 1024 * 1024,
            metadata=metadata,
            progress=progress,
        )
    print(f"{done.files:,} files in {done.shards:,} shards ({done.size:,} bytes).", file=sys.stderr)
    print(done.folder)


def advise(
    path: PathArgument,
    reads: Annotated[int, typer.Option(min=1, help="Number of reads in total.")] = 1,
    columns: Annotated[
        str | None, typer.Option(help="Columns of a table, separated by commas (default: all).")
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(help="Condition on rows, such as 'delay > 60'; repeatable."),
    ] = None,
    rev: RevOption = None,
    remote: RemoteOption = None,
    to: Annotated[
        Path | None, typer.Option(help="Local folder (default: $SCRATCH, $TMPDIR or /tmp).")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure whether copying or streaming data is faster, and recommend one.

    The measurement takes some seconds. The output shows both times and the number of reads at which
    copying becomes faster.

    Examples:
      bucket advise data/raw --reads 3
      bucket advise data/processed/features --columns carrier,late --where 'late == 1'
    """
    from dvc_bucket.read import tracked
    from dvc_bucket.read.advise import advise, report

    names = [name.strip() for name in columns.split(",")] if columns else None
    advice = advise(
        *(tracked.from_here(path), reads, names, where or ()), rev=rev, remote=remote, folder=to
    )
    print(json.dumps(report.plain(advice)) if as_json else report.text(advice))
