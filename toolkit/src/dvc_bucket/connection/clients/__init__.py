"""The connection in every client's own words: one function a client, and nowhere else.

import pandas as pd
from dvc_bucket import Settings; from dvc_bucket.connection import clients

settings = Settings.load()
pd.read_parquet("s3://bucket/key", storage_options=clients.storage_options(settings))
"""

from dvc_bucket.connection.clients.aws import authorities as authorities
from dvc_bucket.connection.clients.aws import credentials as credentials
from dvc_bucket.connection.clients.aws import region as region
from dvc_bucket.connection.clients.frames import polars as polars
from dvc_bucket.connection.clients.frames import polars_credentials as polars_credentials
from dvc_bucket.connection.clients.programs import ALIAS as ALIAS
from dvc_bucket.connection.clients.programs import aws_environment as aws_environment
from dvc_bucket.connection.clients.programs import environment as environment
from dvc_bucket.connection.clients.programs import mc_environment as mc_environment
from dvc_bucket.connection.clients.programs import own_names as own_names
from dvc_bucket.connection.clients.programs import rclone_environment as rclone_environment
from dvc_bucket.connection.clients.programs import s5cmd_environment as s5cmd_environment
from dvc_bucket.connection.clients.python import boto3 as boto3
from dvc_bucket.connection.clients.python import boto3_options as boto3_options
from dvc_bucket.connection.clients.python import botocore as botocore
from dvc_bucket.connection.clients.python import obstore as obstore
from dvc_bucket.connection.clients.python import pyarrow as pyarrow
from dvc_bucket.connection.clients.python import storage_options as storage_options
from dvc_bucket.connection.clients.redirects import keep_s3fs as keep_s3fs
from dvc_bucket.connection.clients.redirects import leads_away as leads_away
from dvc_bucket.connection.clients.shared import bucket_host as bucket_host
from dvc_bucket.connection.clients.shared import bucket_url as bucket_url
from dvc_bucket.connection.clients.shared import endpoint as endpoint
from dvc_bucket.connection.clients.shared import proxy as proxy
from dvc_bucket.connection.settings.sources import CHECKSUMS as CHECKSUMS
