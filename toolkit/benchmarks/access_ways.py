"""One read, one way, in a process of its own: `access.py` starts it, and it prints what it took.

Every way gets the same question (which table, which columns, which rows) and gives the whole answer
in memory, as the kind of table that its users have. The clock starts when everything is imported.
"""

import importlib
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from access_answers import Reader, by_arrow, by_pandas, unpacked
from access_questions import Question

from dvc_bucket import Settings
from dvc_bucket.connection import clients


def bucket(question: Question, _: Path) -> Reader:
    """`open_dataset`, or `iter_samples`, of what DVC tracks."""
    _import_early()
    from dvc_bucket import iter_samples, open_dataset

    if question.is_packed or question.name == "images":
        return lambda: unpacked(question, (sample.data for sample in iter_samples(question.name)))
    rows = question.expression()
    return lambda: open_dataset(question.name, columns=question.columns, filter=rows).to_table()


def bucket_scan(question: Question, _: Path) -> Reader:
    """`open_dataset(...).scan()`, with the columns and rows in the words of polars."""
    _import_early()
    import polars as pl

    from dvc_bucket import open_dataset

    def run() -> Any:
        table = open_dataset(question.name).scan()
        for name, sign, value in question.filters() or ():
            column = pl.col(name)
            table = table.filter(column >= value if sign == ">=" else column < value)
        return (table.select(question.columns) if question.columns else table).collect()

    return run


def bucket_duckdb(question: Question, _: Path) -> Reader:
    """`open_dataset(...).to_duckdb()`, with the columns and rows in the words of SQL."""
    _import_early()
    import duckdb as _database  # noqa: F401

    from dvc_bucket import open_dataset

    def run() -> Any:
        table = open_dataset(question.name).to_duckdb()
        for name, sign, value in question.filters() or ():
            table = table.filter(f"{name} {sign} {value}")
        return (table.select(*question.columns) if question.columns else table).to_arrow_table()

    return run


def bucket_found(question: Question, _: Path) -> Reader:
    """What of `bucket` is not reading: which objects are meant, and whether they are the ones."""
    _import_early()
    from dvc_bucket.read.sources import locate

    return lambda: locate(question.name).files


def bucket_pandas(question: Question, scratch: Path) -> Reader:
    """The same, to pandas; images stay what they are."""
    read = bucket(question, scratch)
    return read if question.name.startswith("images") else lambda: read().to_pandas()


def bucket_cp(question: Question, scratch: Path) -> Reader:
    """`bucket cp` to a local disk, and a read there."""
    read, fetch = by_arrow(question, scratch / question.name), copied(question, scratch)
    return lambda: fetch() and read()


def copied(question: Question, scratch: Path) -> Reader:
    """`bucket cp` alone."""
    _import_early()
    from dvc_bucket import copy_to

    return lambda: [copy_to([question.name], scratch, parents=True)]


def local(question: Question, scratch: Path) -> Reader:
    """The same read of what is on the local disk already."""
    return by_arrow(question, scratch / question.name)


def s5cmd(question: Question, scratch: Path) -> Reader:
    """Copied to a local disk, and read there."""
    place = f"s3://{question.prefix(Settings.load())}"
    source = f"{place}/*" if question.is_folder else place
    target = scratch / question.name
    read = by_arrow(question, target, is_plain=True)

    def run() -> Any:
        command = ["s5cmd", "--log", "error", "cp", source]
        subprocess.run([*command, f"{target}/" if question.is_folder else str(target)], check=True)
        return read()

    return run


def boto3_pandas(question: Question, scratch: Path) -> Reader:
    """boto3's `download_file`, one after the other, then pandas."""
    settings = Settings.load()
    client = clients.boto3(settings)
    key = question.prefix(settings).partition("/")[2]
    read = by_pandas(question, str(scratch / question.name))

    def run() -> Any:
        pages = client.get_paginator("list_objects_v2").paginate(
            Bucket=settings.bucket_name, Prefix=f"{key}/" if question.is_folder else key
        )
        for found in (one["Key"] for page in pages for one in page["Contents"]):
            target = scratch / question.name / found.removeprefix(f"{key}/")
            target = target if question.is_folder else scratch / question.name
            target.parent.mkdir(parents=True, exist_ok=True)
            client.download_file(settings.bucket_name, found, str(target))
        return read()

    return run


def s3fs_pandas(question: Question, _: Path) -> Reader:
    """Pandas with `s3://`, as it is mostly documented; plain files one by one."""
    import s3fs

    settings = Settings.load()
    options = clients.storage_options(settings)
    if question.name == "images":
        files = s3fs.S3FileSystem(**options)
        place = question.prefix(settings)
        return lambda: [files.cat_file(path) for path in files.ls(place)]
    return by_pandas(question, f"s3://{question.prefix(settings)}", options)


def polars(question: Question, _: Path) -> Reader:
    """`scan_parquet`."""
    import polars as pl

    settings = Settings.load()
    options = {
        "aws_endpoint_url": settings.endpoint_url,
        "aws_region": settings.region or "us-east-1",
        "aws_allow_http": "true",
    }
    end = "/*.parquet" if question.is_folder else ""
    url = f"s3://{question.prefix(settings)}{end}"

    def run() -> Any:
        table = pl.scan_parquet(url, storage_options=options)
        if question.is_packed:
            return unpacked(question, table.select("data").collect()["data"].to_list())
        for name, sign, value in question.filters() or ():
            column = pl.col(name)
            table = table.filter(column >= value if sign == ">=" else column < value)
        return (table.select(question.columns) if question.columns else table).collect()

    return run


def duckdb(question: Question, _: Path) -> Reader:
    """`read_parquet`, with its own S3 client."""
    import duckdb as database
    import duckdb_extension_httpfs

    settings = Settings.load()
    [extension] = Path(duckdb_extension_httpfs.__file__).parent.rglob("httpfs.duckdb_extension")
    session = database.connect()
    session.execute(f"LOAD '{extension}'")
    session.execute(
        "CREATE SECRET (TYPE s3, KEY_ID $key, SECRET $secret, ENDPOINT $host, REGION $region, "
        "URL_STYLE 'path', USE_SSL false)",
        {
            "key": settings.access_key_id,
            "secret": clients.boto3_options(settings)["aws_secret_access_key"],
            "host": settings.endpoint_url.partition("://")[2],
            "region": settings.region or "us-east-1",
        },
    )
    end = "/*.parquet" if question.is_folder else ""
    columns = ", ".join(question.columns or ("*",)) if not question.is_packed else "data"
    rows = " AND ".join(f"{name} {sign} {value}" for name, sign, value in question.filters() or ())
    query = (
        f"SELECT {columns} FROM read_parquet('s3://{question.prefix(settings)}{end}')"  # noqa: S608
        + (f" WHERE {rows}" if rows and not question.is_packed else "")
    )

    def run() -> Any:
        table = session.sql(query).to_arrow_table()
        return unpacked(question, table["data"].to_pylist()) if question.is_packed else table

    return run


#: What `bucket`, and DVC for it, import when they are first needed.
NEEDED = (
    *(f"dvc.{name}" for name in ("cachemgr", "data_cloud", "dirs", "dvcfile", "lock", "repo")),
    *(f"dvc.repo.{name}" for name in ("artifacts", "datasets", "index", "metrics", "params")),
    *("dvc.repo.plots", "dvc.repo.stage", "dvc.scm", "dvc.utils.strictyaml", "scmrepo.git"),
    *("configobj", "dulwich.worktree", "obstore", "platformdirs", "ruamel.yaml"),
)


def _import_early() -> None:
    for name in NEEDED:
        importlib.import_module(name)


#: By their names in the tables of results.
WAYS: dict[str, Callable[[Question, Path], Reader]] = {
    "bucket": bucket,
    "bucket, to pandas": bucket_pandas,
    "bucket .scan()": bucket_scan,
    "bucket .to_duckdb()": bucket_duckdb,
    "bucket cp, local read": bucket_cp,
    "pandas + s3fs": s3fs_pandas,
    "pandas + boto3 download": boto3_pandas,
    "polars": polars,
    "duckdb": duckdb,
    "s5cmd, local read": s5cmd,
    "bucket, objects found": bucket_found,
    # Not ways of their own, but what advice is held against.
    "copied": copied,
    "local": local,
}


def cpu_seconds() -> float:
    """What this process and its ended children have taken of the CPUs."""
    whose = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(sum(resource.getrusage(who)[:2]) for who in whose)


def main() -> None:
    """`access_ways.py WAY QUESTION SCRATCH`: JSON of times, number of rows, peak memory in MB."""
    way, question, scratch = sys.argv[1], Question(**json.loads(sys.argv[2])), Path(sys.argv[3])
    read = WAYS[way](question, scratch)
    start, cpu_before = time.perf_counter(), cpu_seconds()
    answer = read()
    seconds, cpu = time.perf_counter() - start, cpu_seconds() - cpu_before
    # Not ru_maxrss, which begins with what the parent had.
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    peak = int(status.partition("VmHWM:")[2].split()[0])
    taken = {"seconds": seconds, "cpu_seconds": cpu}
    print(json.dumps(taken | {"rows": len(answer), "peak_mb": peak / 1000}))


if __name__ == "__main__":
    main()
