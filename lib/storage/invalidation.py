"""Invalidate removed files in CloudFront, so that no copies outlive the original."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from lib.storage.port import Storage, StoredObject, check_key
from lib.storage.s3 import client_config, translated

# CloudFront is one service for all regions; this one is where its API lives.
_REGION: Final = "us-east-1"


@dataclass(frozen=True, slots=True)
class CloudFrontOptions:
    """The CloudFront distribution and its credentials. `endpoint_url` is for tests without AWS.

    Without keys, the SDK finds its own credentials, as for S3.
    """

    distribution_id: str
    access_key: str | None = None
    secret_key: str | None = field(default=None, repr=False)
    endpoint_url: str | None = None
    seconds: float = 5.0


class CloudFront:
    """One distribution's copies."""

    def __init__(self, client: Any, distribution_id: str) -> None:
        self._client = client
        self._distribution_id = distribution_id

    async def forget(self, key: str) -> None:
        """Invalidate every copy of an object. A repeated call has no effect.

        Raises:
            AppError: SERVICE_UNAVAILABLE if CloudFront does not respond or refuses the request.
        """
        batch = {
            "Paths": {"Quantity": 1, "Items": [f"/{check_key(key)}"]},
            # Keys are never used twice: the same reference is the same request, made again.
            "CallerReference": key,
        }
        with translated():
            await self._client.create_invalidation(
                DistributionId=self._distribution_id, InvalidationBatch=batch
            )


class BehindCloudFront:
    """A `Storage` whose files CloudFront caches."""

    def __init__(self, storage: Storage, cloudfront: CloudFront) -> None:
        self._storage = storage
        self._cloudfront = cloudfront

    async def put(self, key: str, data: bytes, *, content_type: str) -> None:
        """See `Storage`."""
        await self._storage.put(key, data, content_type=content_type)

    async def get(self, key: str) -> StoredObject:
        """See `Storage`."""
        return await self._storage.get(key)

    async def delete(self, key: str) -> None:
        """Delete the object, then invalidate its copies.

        In the other order, a new copy could be made between the two steps.
        """
        await self._storage.delete(key)
        await self._cloudfront.forget(key)


@asynccontextmanager
async def open_cloudfront(options: CloudFrontOptions) -> AsyncIterator[CloudFront]:
    """Open a client and close it at the end. The client connects at first use."""
    from aiobotocore.session import get_session  # here, for the reason that `open_s3` gives

    async with get_session().create_client(
        "cloudfront",
        region_name=_REGION,
        endpoint_url=options.endpoint_url,
        aws_access_key_id=options.access_key,
        aws_secret_access_key=options.secret_key,
        config=client_config(connect=options.seconds, read=options.seconds, attempts=3),
    ) as client:
        yield CloudFront(client, options.distribution_id)
