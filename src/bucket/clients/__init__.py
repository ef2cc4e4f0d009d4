"""The connection in every client's own words: one function a client, and nowhere else.

import pandas as pd
from bucket import Settings, clients

settings = Settings.load()
pd.read_parquet("s3://bucket/key", storage_options=clients.storage_options(settings))
"""

from bucket.clients.aws import authorities, credentials, region
from bucket.clients.programs import (
    ALIAS,
    aws_environment,
    environment,
    mc_environment,
    rclone_environment,
    s5cmd_environment,
)
from bucket.clients.python import (
    boto3,
    boto3_options,
    botocore,
    obstore,
    pyarrow,
    storage_options,
)
from bucket.clients.redirects import keep_s3fs, leads_away
from bucket.clients.shared import (
    CHECKSUMS,
    RETRIES,
    RETRY_TIME,
    bucket_host,
    bucket_url,
    endpoint,
    proxy,
)

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
