"""Object storage for files such as pictures: a local folder or S3, with expiring links."""

from lib.storage.cloudfront import CloudFrontLinks
from lib.storage.local import LocalStorage
from lib.storage.port import Links, Storage, StoredObject
from lib.storage.s3 import S3Options, S3Storage, open_s3

__all__ = [
    "CloudFrontLinks",
    "Links",
    "LocalStorage",
    "S3Options",
    "S3Storage",
    "Storage",
    "StoredObject",
    "open_s3",
]
