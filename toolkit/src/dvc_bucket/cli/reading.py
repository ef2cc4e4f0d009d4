"""Words that read and copy what DVC tracks."""

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
        bool, typer.Option("--long", "-l", help="Print sizes, which the store is asked for.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """List the files that DVC tracks at or below a path, present or not; or objects of a bucket.

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
    found = bucket_objects.find(url)
    _say_left_out(found.left_out)
    root = f"s3://{found.settings.bucket_name}/"
    return [{"path": root + item["path"], "size": item["size"]} for item in found.versions]


def cat(path: DataArgument, rev: RevOption = None, remote: RemoteOption = None) -> None:
    """Write a file that DVC tracks, or an object of a bucket, to stdout.

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
    """The name of an object says where it is, and has no revisions."""
    if rev or remote:
        hint = "--rev" if rev else "--remote"
        raise typer.BadParameter("goes with paths that DVC tracks only", param_hint=hint)


def _say_left_out(left_out: Sequence[str]) -> None:
    if left_out:
        from dvc_bucket.transfer import keys

        print(keys.said_of(left_out), file=sys.stderr)


PathsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="PATH DEST",
        help="Paths that DVC tracks, local paths (uploads) or s3://bucket/key; wildcards "
        "too. DEST: a local path or s3://bucket/prefix/.",
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
    bool, typer.Option("--force", help="Replace files or objects that have other content.")
]


def cp(
    paths: PathsArgument = None,
    scratch: ScratchOption = False,
    parents: ParentsOption = False,
    rev: RevOption = None,
    remote: RemoteOption = None,
    force: ForceOption = False,
) -> None:
    """Copy data between the bucket and this machine: only what is missing or different.

    As with `cp -r`, the last part of each PATH is kept below DEST; a single file takes the name
    DEST unless DEST is a folder or ends with a slash. A file is replaced only if `bucket cp` wrote
    it, an object never, except with --force. Files that git or DVC tracks, and DVC's objects in
    the bucket, are never replaced. The destination is printed on stdout.

    Without arguments, it fetches the objects that the JSON file in $OS_CONFIG_FILE names.

    Examples:
      bucket cp data/raw --rev v1.0 /scratch/me
      cd "$(bucket cp --scratch data/raw data/processed)"
      bucket cp 's3://lab-data/images/*.png' images
      bucket cp reports/report.html s3://lab-data/published/
    """
    from dvc_bucket.base.progress import bar
    from dvc_bucket.read import configured, copying

    if not paths and not (scratch or parents or rev or remote):
        for copy in configured.fetch_configured(force=force):
            print(copy)
        return
    sources = list(paths or ())
    if len(sources) < (1 if scratch else 2):
        raise typer.BadParameter("name PATH and DEST, or PATH and --scratch", param_hint="DEST")
    to = None if scratch else sources.pop()
    with bar() as progress:
        done = copying.copy_to(
            [path if _is_url(path) else Path.cwd() / path for path in sources],
            to,
            rev=rev,
            remote=remote,
            parents=parents,
            force=force,
            progress=progress,
        )
    print(
        f"{done.files:,} files, {done.copied:,} of them copied ({done.size:,} bytes).",
        file=sys.stderr,
    )
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
        Path | None, typer.Option(help="CSV or Parquet file with a row for each file name.")
    ] = None,
) -> None:
    """Pack many small files into a few large shards; the same files give the same bytes.

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
        typer.Option(help="Condition on rows, as 'delay > 60'; can be given more than once."),
    ] = None,
    rev: RevOption = None,
    remote: RemoteOption = None,
    to: Annotated[
        Path | None, typer.Option(help="Local folder (default: $SCRATCH, $TMPDIR or /tmp).")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure for some seconds whether copying data or streaming it is faster, and recommend one.

    Shows both times and the number of reads at which copying becomes faster.

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
