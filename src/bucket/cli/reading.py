"""Words that read what DVC tracks."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from bucket.cli.app import PathArgument, RemoteOption, RevOption, app


@app.command(epilog="Example: `bucket ls data/processed --rev v1.0 --long`.")
def ls(
    path: Annotated[str, typer.Argument(help="A path that DVC tracks.")] = ".",
    rev: RevOption = None,
    remote: RemoteOption = None,
    long: Annotated[bool, typer.Option("--long", "-l", help="Sizes, asked of the store.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For a program.")] = False,
) -> None:
    """List the files that DVC tracks at or below a path, whether they are here or not."""
    from bucket import reading

    found = reading.ls(reading.from_here(path), rev, remote, with_sizes=long)
    if as_json:
        print(json.dumps(found))
        return
    for file in found:
        print(f"{file['size']:>14,}  {file['path']}" if long else file["path"])


@app.command(epilog="Example: `bucket cat data/raw/table.csv --rev v1.0 | head`.")
def cat(path: PathArgument, rev: RevOption = None, remote: RemoteOption = None) -> None:
    """Write a file that DVC tracks to standard output, from the cache or the bucket."""
    from bucket import reading

    reading.cat(reading.from_here(path), rev, remote, sys.stdout.buffer)


@app.command(
    epilog="Example: `cd $(bucket stage data/raw)`, `bucket stage data/raw --to /scratch/me`, "
    "`bucket stage 's3://lab-data/images/*.png' --to images`."
)
def stage(
    paths: Annotated[
        list[str] | None,
        typer.Argument(help="Paths that DVC tracks, s3://bucket/prefix, or with wildcards."),
    ] = None,
    to: Annotated[
        Path | None, typer.Option(help="Default: a folder of your own in $SCRATCH or $TMPDIR.")
    ] = None,
    rev: RevOption = None,
    remote: RemoteOption = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace files that `bucket stage` did not put there.")
    ] = False,
) -> None:
    """Bring data to a fast disk: only what is missing or different; print the folder.

    Files that git or DVC tracks are never replaced by other content.

    Without paths: the objects that the JSON file in $OS_CONFIG_FILE names.
    """
    from bucket import reading

    if not paths:
        for path in reading.fetch_configured(force=force):
            print(path)
        return
    done = reading.stage(paths, to, rev, remote, force=force)
    print(
        f"{done.files:,} files, {done.fetched:,} of them fetched ({done.size:,} bytes).",
        file=sys.stderr,
    )
    print(done.folder)


@app.command(
    epilog="Example: `bucket pack data/raw/images data/raw/shards`, then `dvc add data/raw/shards`."
)
def pack(
    folder: Annotated[Path, typer.Argument(help="With many small files.")],
    out: Annotated[
        Path, typer.Argument(help="The folder of shards: new, or written by `bucket pack` before.")
    ],
    tar: Annotated[bool, typer.Option("--tar", help="tar instead of Parquet.")] = False,
    size: Annotated[int, typer.Option(help="MB of files to a shard.")] = 256,
    metadata: Annotated[
        Path | None, typer.Option(help="CSV or Parquet; a row for each file, by its name.")
    ] = None,
) -> None:
    """Put many small files into a few large shards: the same bytes for the same files."""
    from bucket import packing
    from bucket.progress import bar

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


@app.command(
    epilog="Example: `bucket advise data/processed/features --reads 5 --columns station,level "
    "--where 'level > 2'`."
)
def advise(
    path: PathArgument,
    reads: Annotated[int, typer.Option(min=1, help="How often you read it, in all.")] = 1,
    columns: Annotated[str | None, typer.Option(help="Of a table, with commas; else all.")] = None,
    where: Annotated[
        list[str] | None, typer.Option(help="Rows of a table, as 'delay > 60'; may be repeated.")
    ] = None,
    rev: RevOption = None,
    remote: RemoteOption = None,
    to: Annotated[Path | None, typer.Option(help="Else $SCRATCH, $TMPDIR or /tmp.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For a program.")] = False,
) -> None:
    """Stage it or stream it? Measure this bucket from this machine for some seconds, and say."""
    from bucket import reading
    from bucket.advise import advise, report

    names = [name.strip() for name in columns.split(",")] if columns else None
    found = advise(
        *(reading.from_here(path), reads, names, where or ()), rev=rev, remote=remote, folder=to
    )
    print(json.dumps(report.plain(found)) if as_json else report.text(found))
