"""CloudFront invalidates removed objects: its own API on a server of that protocol."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from aiobotocore.session import get_session

from devstack.testing.serving import amazon
from lib.config import ConfigError, load
from lib.errors import AppError, Code
from lib.storage.invalidation import (
    BehindCloudFront,
    CloudFront,
    CloudFrontOptions,
    open_cloudfront,
)
from lib.storage.local import LocalStorage
from lib.storage.settings import StorageSettings
from tests.lib.storage.distribution import forgotten, new_distribution

KEY = "pfp/0f3a"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with amazon() as address:
        yield address


@pytest.fixture
async def aws(endpoint: str) -> AsyncIterator[Any]:
    """A client that reads the distributions directly."""
    async with get_session().create_client(
        "cloudfront",
        region_name="us-east-1",
        endpoint_url=endpoint,
        aws_access_key_id="k",
        aws_secret_access_key="s",
    ) as client:
        yield client


@pytest.fixture
async def distribution(aws: Any) -> str:
    return await new_distribution(aws)


@pytest.fixture
async def cloudfront(endpoint: str, distribution: str) -> AsyncIterator[CloudFront]:
    options = CloudFrontOptions(distribution, "k", "s", endpoint_url=endpoint)
    async with open_cloudfront(options) as opened:
        yield opened


@pytest.fixture
def storage(tmp_path) -> LocalStorage:
    return LocalStorage(tmp_path, base_url="http://localhost/files", secret=b"s" * 32)


async def test_what_is_removed_is_forgotten_and_nothing_else(
    aws: Any, cloudfront: CloudFront, distribution: str, storage: LocalStorage
) -> None:
    behind = BehindCloudFront(storage, cloudfront)
    await behind.put(KEY, b"picture", content_type="image/png")
    assert (await behind.get(KEY)).data == b"picture"
    assert await forgotten(aws, distribution) == []
    await behind.delete(KEY)
    with pytest.raises(AppError) as gone:
        await behind.get(KEY)
    assert gone.value.code is Code.NOT_FOUND
    # The reference is the key, so that asking again is the same request to CloudFront.
    assert await forgotten(aws, distribution) == [
        {"Paths": {"Quantity": 1, "Items": [f"/{KEY}"]}, "CallerReference": KEY}
    ]


@pytest.mark.parametrize(
    ("changes", "id_"),
    [({}, "ENOSUCH"), ({"endpoint_url": "http://127.0.0.1:1"}, None)],
    ids=["there is no such distribution", "it is away"],
)
async def test_where_cloudfront_cannot_be_told_the_removal_is_to_be_tried_again(
    endpoint: str,
    distribution: str,
    storage: LocalStorage,
    changes: dict[str, str],
    id_: str | None,
) -> None:
    given = {"endpoint_url": endpoint, "seconds": 1.0} | changes
    await storage.put(KEY, b"picture", content_type="image/png")
    options = CloudFrontOptions(id_ or distribution, "k", "s", **given)
    async with open_cloudfront(options) as cloudfront:
        with pytest.raises(AppError) as failed:
            await BehindCloudFront(storage, cloudfront).delete(KEY)
    assert failed.value.code is Code.SERVICE_UNAVAILABLE


async def test_a_key_that_is_no_key_is_never_sent(cloudfront: CloudFront) -> None:
    with pytest.raises(ValueError, match="not a storage key"):
        await cloudfront.forget("*")


def test_a_distribution_without_a_bucket_is_refused(monkeypatch, tmp_path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLOUDFRONT_DISTRIBUTION_ID", "E1")
    with pytest.raises(ConfigError, match="CLOUDFRONT_DISTRIBUTION_ID: needs S3_BUCKET"):
        load(StorageSettings)
