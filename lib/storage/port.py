"""Interface of a storage: put, get, delete, and links."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final, Protocol

import msgspec

from lib.errors import AppError, Code

_KEY: Final = re.compile(r"[A-Za-z0-9_-]+(?:[./][A-Za-z0-9_-]+)*")
_MAX_KEY: Final = 500


class StoredObject(msgspec.Struct, frozen=True):
    """A stored object."""

    data: bytes
    content_type: str


class Storage(Protocol):
    """Store objects by key. Keys are generated. A key is never the name of an uploaded file."""

    async def put(self, key: str, data: bytes, *, content_type: str) -> None:
        """Store an object, and replace an object with the same key.

        A reader gets either the old or the new object, never a part.

        Raises:
            AppError: SERVICE_UNAVAILABLE if the storage does not respond; this also holds for the
                other methods.
        """
        ...

    async def get(self, key: str) -> StoredObject:
        """Return the object. Raises AppError NOT_FOUND for a missing object."""
        ...

    async def delete(self, key: str) -> None:
        """Delete the object, if it exists."""
        ...


class Links(Protocol):
    """Make links that open an object until they expire."""

    async def link(self, key: str, *, ttl: timedelta) -> str:
        """Return a URL that is valid for `ttl`."""
        ...


def check_key(key: str) -> str:
    """Return the key.

    Raises ValueError if the key could name a file outside the folder, or needs quoting in a URL.
    """
    if len(key) > _MAX_KEY or not _KEY.fullmatch(key):
        raise ValueError(f"{key[:50]!r} is not a storage key")
    return key


def unavailable() -> AppError:
    """Return the error for an unavailable storage."""
    return AppError(Code.SERVICE_UNAVAILABLE, "the file storage is not available")


def missing() -> AppError:
    """Return the error for a missing object."""
    return AppError(Code.NOT_FOUND, "file not found")
