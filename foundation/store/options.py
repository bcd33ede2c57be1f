"""How an object store is reached: what the environment says, as obstore, deltalake and Polars all take it."""

from __future__ import annotations

import os
from collections.abc import Mapping

_FROM_ENVIRONMENT = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AWS_VIRTUAL_HOSTED_STYLE_REQUEST",
)


def storage_options(uri: str, environment: Mapping[str, str] | None = None) -> dict[str, str] | None:
    """The options that lead to a store.

    Args:
        uri: A folder, or a URI such as `s3://bucket/prefix`.
        environment: Where the variables stand; the process's own environment by default.

    Returns:
        None for a folder, and an empty dictionary for object stores whose variables every library reads by itself.
    """
    if "://" not in uri or uri.startswith("file://"):
        return None
    if not uri.startswith(("s3://", "s3a://")):
        return {}
    known = os.environ if environment is None else environment
    options = {name.lower(): known[name] for name in _FROM_ENVIRONMENT if known.get(name)}
    endpoint = options.pop("aws_endpoint_url_s3", None) or options.get("aws_endpoint_url")
    default_region = options.pop("aws_default_region", "us-east-1")
    options.setdefault("aws_region", default_region)
    if endpoint:
        options["aws_endpoint_url"] = endpoint
        if endpoint.startswith("http://"):
            options["aws_allow_http"] = "true"
    # Delta's commits, as everything else here, rest on writes that are refused when another was first.
    options["aws_conditional_put"] = "etag"
    return options
