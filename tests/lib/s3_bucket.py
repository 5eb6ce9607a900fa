"""Buckets of a server on this machine that speaks S3."""

import itertools

import boto3

__all__ = ["make_bucket", "settings_of"]

NUMBERS = itertools.count(1)


def settings_of(endpoint: str) -> dict[str, str]:
    """What the environment says of a server."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
    }


def make_bucket(endpoint: str, name: str = "") -> str:
    """The URL of a new bucket."""
    name = name or f"bucket-{next(NUMBERS)}"
    client = boto3.client(
        "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
    )
    client.create_bucket(Bucket=name)
    return f"s3://{name}"
