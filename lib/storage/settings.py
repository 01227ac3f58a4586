"""Settings of the storage and its links."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from lib.config import Seconds, in_production
from lib.public_url import LOCAL_GATEWAY, PublicSettings, below_public_url
from lib.storage.cloudfront import CloudFrontLinks
from lib.storage.invalidation import BehindCloudFront, CloudFrontOptions, open_cloudfront
from lib.storage.local import LocalStorage
from lib.storage.port import Links, Storage
from lib.storage.s3 import S3Options, S3Storage, open_s3

# A distribution's id alone names it; CloudFront's links need all of these.
_TOGETHER = ("cloudfront_url", "cloudfront_key_pair_id", "cloudfront_private_key")

_FOLDER: Final = Path(".run/files")
_URL: Final = f"{LOCAL_GATEWAY}/api/users/v1/files"


@dataclass(frozen=True, slots=True)
class Files:
    """A file storage, and the object that makes links to its files.

    `local` is set if the service serves the links itself.
    """

    storage: Storage
    links: Links
    local: LocalStorage | None = None
    s3: S3Storage | None = None


class StorageSettings(PublicSettings):
    """Settings. If `S3_BUCKET` is empty, `FILES_FOLDER` has the files and links use `FILES_URL`.

    Production requires `S3_BUCKET` or `FILES_FOLDER`, because a folder in a container may be lost
    with the container.
    """

    # The folder for uploaded files if `S3_BUCKET` is not set.
    files_folder: Path = Field(default=_FOLDER, validation_alias="FILES_FOLDER")
    # The beginning of links to these files. If `PUBLIC_URL` is set, the default is below it.
    files_url: str = Field(default=_URL, validation_alias="FILES_URL")
    # The bucket for uploaded files. If it is empty, files are in `FILES_FOLDER`.
    s3_bucket: str = Field(default="", validation_alias="S3_BUCKET")
    # The region of the bucket.
    s3_region: str = Field(default="us-east-1", validation_alias="S3_REGION")
    # The URL of the S3 server if it is not AWS, such as http://storage:9000.
    s3_endpoint_url: str | None = Field(default=None, validation_alias="S3_ENDPOINT_URL")
    # If neither key is set, the SDK uses the role of the ECS task, the pod or the machine.
    s3_access_key: str = Field(default="", validation_alias="S3_ACCESS_KEY")
    # Set both keys, or neither.
    s3_secret_key: SecretStr | None = Field(default=None, validation_alias="S3_SECRET_KEY")
    # Time limit for a response of S3 or CloudFront.
    s3_seconds: Seconds = Field(default=5.0, validation_alias="S3_SECONDS")
    # The CloudFront distribution of the bucket. If this and the next two settings are set, links
    # lead to CloudFront.
    cloudfront_url: str = Field(default="", validation_alias="CLOUDFRONT_URL")
    # The ID of the key at CloudFront.
    cloudfront_key_pair_id: str = Field(default="", validation_alias="CLOUDFRONT_KEY_PAIR_ID")
    # The key that signs links: PEM, or the path of a PEM file.
    cloudfront_private_key: SecretStr | None = Field(
        default=None, validation_alias="CLOUDFRONT_PRIVATE_KEY"
    )
    # If set, a process that may write to the bucket invalidates removed objects in CloudFront.
    cloudfront_distribution_id: str = Field(
        default="", validation_alias="CLOUDFRONT_DISTRIBUTION_ID"
    )
    # The endpoint of the CloudFront API, if it is not at AWS.
    cloudfront_endpoint_url: str | None = Field(
        default=None, validation_alias="CLOUDFRONT_ENDPOINT_URL"
    )

    @field_validator("files_url")
    @classmethod
    def _links_lead_to_us(cls, value: str, info: ValidationInfo) -> str:
        return below_public_url(value, info, default=_URL)

    @field_validator("s3_bucket")
    @classmethod
    def _production_says_where(cls, value: str, info: ValidationInfo) -> str:
        if in_production(info) and not value and info.data.get("files_folder") == _FOLDER:
            raise ValueError("in production, set S3_BUCKET or a permanent FILES_FOLDER")
        return value

    @field_validator("s3_secret_key")
    @classmethod
    def _keys_come_in_pairs(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if bool(value) != bool(info.data.get("s3_access_key")):
            raise ValueError("set both S3_ACCESS_KEY and S3_SECRET_KEY, or neither")
        return value

    @field_validator("cloudfront_private_key")
    @classmethod
    def _belongs_together(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        given = {**info.data, "cloudfront_private_key": value}
        are_given = [bool(given.get(name)) for name in _TOGETHER]
        if any(are_given) and not all(are_given):
            raise ValueError(f"set all or none of {', '.join(_TOGETHER).upper()}")
        if value is not None:
            CloudFrontLinks("https://x", key_pair_id="x", private_key_pem=_pem(value))
        return value

    @field_validator("cloudfront_distribution_id")
    @classmethod
    def _a_distribution_has_a_bucket(cls, value: str, info: ValidationInfo) -> str:
        if value and not info.data.get("s3_bucket"):
            raise ValueError("needs S3_BUCKET: CloudFront serves files from a bucket")
        return value

    @asynccontextmanager
    async def open_files(self, secret: bytes) -> AsyncIterator[Files]:
        """Open the storage. `secret` signs the links of local files."""
        cloudfront = self._cloudfront() if self.cloudfront_url else None
        if not self.s3_bucket:
            key = hmac.new(secret, b"links to files", hashlib.sha256).digest()
            local = LocalStorage(self.files_folder, base_url=self.files_url, secret=key)
            yield Files(local, cloudfront or local, local=local)
            return
        async with AsyncExitStack() as stack:
            s3 = await stack.enter_async_context(open_s3(self._s3()))
            storage: Storage = s3
            if self.cloudfront_distribution_id:
                copies = await stack.enter_async_context(open_cloudfront(self._distribution()))
                storage = BehindCloudFront(s3, copies)
            yield Files(storage, cloudfront or s3, s3=s3)

    def _s3(self) -> S3Options:
        return S3Options(
            bucket=self.s3_bucket,
            region=self.s3_region,
            access_key=self.s3_access_key or None,
            secret_key=self._s3_secret(),
            endpoint_url=self.s3_endpoint_url,
            read_seconds=self.s3_seconds,
        )

    def _distribution(self) -> CloudFrontOptions:
        return CloudFrontOptions(
            self.cloudfront_distribution_id,
            access_key=self.s3_access_key or None,
            secret_key=self._s3_secret(),
            endpoint_url=self.cloudfront_endpoint_url,
            seconds=self.s3_seconds,
        )

    def _s3_secret(self) -> str | None:
        return self.s3_secret_key.get_secret_value() or None if self.s3_secret_key else None

    def _cloudfront(self) -> CloudFrontLinks:
        return CloudFrontLinks(
            self.cloudfront_url,
            key_pair_id=self.cloudfront_key_pair_id,
            private_key_pem=_pem(self.cloudfront_private_key),
        )


def _pem(given: SecretStr | None) -> bytes:
    text = "" if given is None else given.get_secret_value()
    if "-----BEGIN" in text:
        return text.encode()
    try:
        return Path(text).read_bytes()
    except (OSError, ValueError):
        raise ValueError("is neither a PEM nor the path of a readable file") from None
