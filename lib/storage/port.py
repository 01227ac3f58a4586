"""What a service asks of a storage: put, get, delete; and of links to it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final, Protocol

import msgspec

from lib.errors import AppError, Code

_KEY: Final = re.compile(r"[A-Za-z0-9_-]+(?:[./][A-Za-z0-9_-]+)*")
_MAX_KEY: Final = 500


class StoredObject(msgspec.Struct, frozen=True):
    """What was put, as it was put."""

    data: bytes
    content_type: str


class Storage(Protocol):
    """Keeps objects by key. Keys are made by us: never the name of an uploaded file."""

    async def put(self, key: str, data: bytes, *, content_type: str) -> None:
        """Store an object, replacing one of that key; readers see the old one or the new one.

        Raises:
            AppError: SERVICE_UNAVAILABLE where the storage does not answer; as do the others.
        """
        ...

    async def get(self, key: str) -> StoredObject:
        """Return the object; raises AppError NOT_FOUND where there is none."""
        ...

    async def delete(self, key: str) -> None:
        """Remove the object; nothing happens where there is none."""
        ...


class Links(Protocol):
    """Makes links that open an object for whoever has them, until they end."""

    async def link(self, key: str, *, ttl: timedelta) -> str:
        """Return a URL that is good for `ttl`."""
        ...


def check_key(key: str) -> str:
    """Return the key; raises ValueError for one that could leave its folder or need quoting."""
    if len(key) > _MAX_KEY or not _KEY.fullmatch(key):
        raise ValueError(f"{key[:50]!r} is not a storage key")
    return key


def unavailable() -> AppError:
    """Return the error for a storage that does not answer."""
    return AppError(Code.SERVICE_UNAVAILABLE, "the file storage is not available")


def missing() -> AppError:
    """Return the error for an object that is not there."""
    return AppError(Code.NOT_FOUND, "file not found")
