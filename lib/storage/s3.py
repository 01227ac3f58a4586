"""An S3-compatible storage with presigned links."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from lib.storage.port import StoredObject, check_key, missing, unavailable

_ABSENT: Final = frozenset({"NoSuchKey", "404"})


@dataclass(frozen=True, slots=True)
class S3Options:
    """The bucket. `endpoint_url` is for servers other than AWS. Times are in seconds.

    Without keys, the SDK finds and renews its own credentials: a role of the ECS task, the pod or
    the machine.
    """

    bucket: str
    region: str
    access_key: str | None = None
    secret_key: str | None = field(default=None, repr=False)
    endpoint_url: str | None = None
    connect_seconds: float = 2.0
    read_seconds: float = 10.0
    attempts: int = 3


class S3Storage:
    """A private bucket. A link opens one object for a limited time."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    async def put(self, key: str, data: bytes, *, content_type: str) -> None:
        """Store the object with its content type."""
        with translated():
            await self._client.put_object(
                Bucket=self._bucket,
                Key=check_key(key),
                Body=data,
                ContentType=content_type,
                ContentLength=len(data),
            )

    async def get(self, key: str) -> StoredObject:
        """Read the whole object."""
        with translated():
            answer = await self._client.get_object(Bucket=self._bucket, Key=check_key(key))
            async with answer["Body"] as body:
                return StoredObject(await body.read(), answer["ContentType"])

    async def delete(self, key: str) -> None:
        """Remove the object."""
        with translated():
            await self._client.delete_object(Bucket=self._bucket, Key=check_key(key))

    async def link(self, key: str, *, ttl: timedelta) -> str:
        """Return a presigned URL for a GET request."""
        with translated():  # where the keys are a role's, they may have to be fetched
            url: str = await self._client.generate_presigned_url(
                "get_object",
                Params={"Bucket": self._bucket, "Key": check_key(key)},
                ExpiresIn=int(ttl.total_seconds()),
            )
        return url

    async def ping(self) -> None:
        """Check that the bucket exists, for `Health.add("s3", …)`."""
        with translated():
            await self._client.head_bucket(Bucket=self._bucket)


@asynccontextmanager
async def open_s3(options: S3Options) -> AsyncIterator[S3Storage]:
    """Open a client and close it at the end. The client connects at first use."""
    # Here, because the SDK is larger than all else a service imports, and a folder does without.
    from aiobotocore.config import AioConfig
    from aiobotocore.session import get_session

    config = client_config(
        connect=options.connect_seconds, read=options.read_seconds, attempts=options.attempts
    ).merge(AioConfig(signature_version="s3v4"))
    async with get_session().create_client(
        "s3",
        region_name=options.region,
        endpoint_url=options.endpoint_url,
        aws_access_key_id=options.access_key,
        aws_secret_access_key=options.secret_key,
        config=config,
    ) as client:
        yield S3Storage(client, options.bucket)


def client_config(*, connect: float, read: float, attempts: int) -> Any:
    """Return the client's limits: connect and read time-outs in seconds, and attempts."""
    from aiobotocore.config import AioConfig

    return AioConfig(
        connect_timeout=connect,
        read_timeout=read,
        retries={"total_max_attempts": attempts, "mode": "standard"},
    )


@contextmanager
def translated() -> Iterator[None]:
    """Translate the AWS client's errors in the block to `missing()` or `unavailable()`."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in _ABSENT:
            raise missing() from None
        raise unavailable() from error
    except (BotoCoreError, OSError) as error:
        raise unavailable() from error
