"""Every client once: puts an object, and says what it lists beside it and what it gets."""

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import obstore
import s3fs
from boto3.s3.transfer import TransferConfig
from pyarrow.fs import FileSelector

from dvc_bucket import Settings
from dvc_bucket.connection import clients

TOOLS = Path(sys.executable).parent

#: More than S3's smallest part.
BIG = bytes(range(256)) * (6 * 1024**2 // 256)

#: What other stores' credentials leave in an environment; the discard port answers nobody.
FOREIGN = {
    "AWS_SESSION_TOKEN": "foreign-token",  # pragma: allowlist secret
    "AWS_SECURITY_TOKEN": "foreign-token",
    "AWS_CREDENTIAL_EXPIRATION": "2020-01-01T00:00:00Z",
    "AWS_ACCESS_KEY_ID": "foreign",  # pragma: allowlist secret
    "AWS_SECRET_ACCESS_KEY": "foreign",  # pragma: allowlist secret
    "AWS_PROFILE": "no-such-profile",
    "AWS_DEFAULT_PROFILE": "no-such-profile",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
    "AWS_REGION": "foreign-1",
    "AWS_DEFAULT_REGION": "foreign-1",
    "AWS_SKIP_SIGNATURE": "true",
    "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "true",
    "AWS_REQUEST_PAYER": "true",
    "S3_ENDPOINT_URL": "http://127.0.0.1:9",
}

# One function a client: puts `data` as `key`, and returns what it lists beside it and what it gets.

Seen = tuple[list[str], bytes]


def by_botocore(settings: Settings, key: str, data: bytes) -> Seen:
    client, bucket = clients.botocore(settings), settings.bucket_name
    client.put_object(Bucket=bucket, Key=key, Body=data)
    listed = client.list_objects_v2(Bucket=bucket, Prefix=key)["Contents"]
    got = client.get_object(Bucket=bucket, Key=key)["Body"].read()
    return [entry["Key"] for entry in listed], got


def by_boto3(settings: Settings, key: str, data: bytes) -> Seen:
    client, bucket = clients.boto3(settings), settings.bucket_name
    parts = TransferConfig(multipart_threshold=5 * 1024**2, multipart_chunksize=5 * 1024**2)
    client.upload_fileobj(io.BytesIO(data), bucket, key, Config=parts)
    listed = client.list_objects_v2(Bucket=bucket, Prefix=key)["Contents"]
    got = io.BytesIO()
    client.download_fileobj(bucket, key, got)
    return [entry["Key"] for entry in listed], got.getvalue()


def by_s3fs(settings: Settings, key: str, data: bytes) -> Seen:
    # As Dask would send them to another machine.
    options = json.loads(json.dumps(clients.storage_options(settings)))
    files = s3fs.S3FileSystem(**options, skip_instance_cache=True)
    path = f"{settings.bucket_name}/{key}"
    files.pipe(path, data)
    return [files.ls(path)[0].removeprefix(f"{settings.bucket_name}/")], files.cat(path)


def by_pyarrow(settings: Settings, key: str, data: bytes) -> Seen:
    files, path = clients.pyarrow(settings), f"{settings.bucket_name}/{key}"
    with files.open_output_stream(path) as stream:
        stream.write(data)
    listed = files.get_file_info(FileSelector(path.rpartition("/")[0]))
    with files.open_input_stream(path) as stream:
        got = stream.read()
    return [entry.path.removeprefix(f"{settings.bucket_name}/") for entry in listed], got


def by_obstore(settings: Settings, key: str, data: bytes) -> Seen:
    store = clients.obstore(settings)
    obstore.put(store, key, data)
    listed = obstore.list(store, prefix=key.rpartition("/")[0]).collect()
    return [entry["path"] for entry in listed], bytes(obstore.get(store, key).bytes())


def by_rclone(settings: Settings, key: str, data: bytes) -> Seen:
    variables = clients.environment(settings, os.environ) | clients.rclone_environment(settings)
    path = f"{clients.ALIAS}:{settings.bucket_name}/{key}"

    def rclone(*words: str) -> bytes:
        return program("rclone", *words, variables=variables, given=data)

    parts = ("--s3-upload-cutoff=5Mi", "--s3-chunk-size=5Mi", "--streaming-upload-cutoff=5Mi")
    rclone("rcat", *parts, path)
    folder = key.rpartition("/")[0]
    names = rclone("lsf", path.removesuffix(key) + folder).decode().split()
    return [f"{folder}/{name}" for name in names], rclone("cat", path)


def by_s5cmd(settings: Settings, key: str, data: bytes) -> Seen:
    variables = clients.environment(settings, os.environ) | clients.s5cmd_environment(settings)
    path = f"s3://{settings.bucket_name}/{key}"

    def s5cmd(*words: str) -> bytes:
        return program("s5cmd", *words, variables=variables, given=data)

    s5cmd("pipe", "--part-size=5", path)
    # It leaves out objects of the next second, to which Swift rounds up.
    deadline = time.monotonic() + 5
    while not (listed := s5cmd("ls", path).decode().split()[3:]) and time.monotonic() < deadline:
        time.sleep(0.2)
    folder = key.rpartition("/")[0]
    return [f"{folder}/{name.rpartition('/')[2]}" for name in listed], s5cmd("cat", path)


def program(name: str, *words: str, variables: dict[str, str], given: bytes = b"") -> bytes:
    """What a program of this Python environment prints."""
    command = [str(TOOLS / name), *words]
    done = subprocess.run(
        command, env=variables, input=given, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def by_sdk(settings: Settings, key: str, data: bytes) -> Seen:
    """A program that knows of us only what its environment says."""
    code = (
        "import sys; from botocore.session import Session; bucket, key = sys.argv[1:]\n"
        "client = Session().create_client('s3'); body = sys.stdin.buffer.read()\n"
        "client.put_object(Bucket=bucket, Key=key, Body=body)\n"
        "print(client.list_objects_v2(Bucket=bucket, Prefix=key)['Contents'][0]['Key'])\n"
        "print(client.get_object(Bucket=bucket, Key=key)['Body'].read().hex())"
    )
    variables = clients.environment(settings, os.environ)
    words = ("-c", code, settings.bucket_name, key)
    listed, got = program("python", *words, variables=variables, given=data).decode().split()
    return [listed], bytes.fromhex(got)


CLIENTS: dict[str, Callable[[Settings, str, bytes], Seen]] = {
    "botocore": by_botocore,
    "boto3": by_boto3,
    "s3fs": by_s3fs,
    "pyarrow": by_pyarrow,
    "obstore": by_obstore,
    "rclone": by_rclone,
    "s5cmd": by_s5cmd,
    "sdk": by_sdk,
}

#: Those that send more than a few megabytes in parts.
IN_PARTS = ["boto3", "obstore", "rclone", "s5cmd"]
