"""The connection in every client's own words: one function a client, and nowhere else.

import pandas as pd
from dvc_bucket import Settings; from dvc_bucket.connection import clients

settings = Settings.load()
pd.read_parquet("s3://bucket/key", storage_options=clients.storage_options(settings))
"""

from dvc_bucket.connection.clients.aws import authorities, credentials, region
from dvc_bucket.connection.clients.programs import (
    ALIAS,
    aws_environment,
    environment,
    mc_environment,
    rclone_environment,
    s5cmd_environment,
)
from dvc_bucket.connection.clients.python import (
    boto3,
    boto3_options,
    botocore,
    obstore,
    pyarrow,
    storage_options,
)
from dvc_bucket.connection.clients.redirects import keep_s3fs, leads_away
from dvc_bucket.connection.clients.shared import (
    RETRIES,
    RETRY_TIME,
    bucket_host,
    bucket_url,
    endpoint,
    proxy,
)
from dvc_bucket.connection.settings.sources import CHECKSUMS

__all__ = [
    "ALIAS",
    "CHECKSUMS",
    "RETRIES",
    "RETRY_TIME",
    "authorities",
    "aws_environment",
    "boto3",
    "boto3_options",
    "botocore",
    "bucket_host",
    "bucket_url",
    "credentials",
    "endpoint",
    "environment",
    "keep_s3fs",
    "leads_away",
    "mc_environment",
    "obstore",
    "proxy",
    "pyarrow",
    "rclone_environment",
    "region",
    "s5cmd_environment",
    "storage_options",
]
