"""File storage in a local folder, for one machine. The service signs and serves its own links."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import ParamSpec, TypeVar
from urllib.parse import urlencode

from lib.clock import Clock, utc_now
from lib.ids import new_id
from lib.storage.port import StoredObject, check_key, missing, unavailable

P = ParamSpec("P")
R = TypeVar("R")


class LocalStorage:
    """Store files in `folder`. A link is `base_url` + key, with an expiry time and a signature.

    The route at `base_url` checks both with `is_valid_link`.
    """

    def __init__(
        self, folder: Path, *, base_url: str, secret: bytes, clock: Clock = utc_now
    ) -> None:
        self._folder = folder
        self._base_url = base_url.rstrip("/")
        self._secret = secret
        self._clock = clock

    async def put(self, key: str, data: bytes, *, content_type: str) -> None:
        """Write the file atomically."""
        await _in_thread(_write, self._path(key), data, content_type)

    async def get(self, key: str) -> StoredObject:
        """Read the file."""
        return await _in_thread(_read, self._path(key))

    async def delete(self, key: str) -> None:
        """Remove the file."""
        await _in_thread(_remove, self._path(key))

    async def link(self, key: str, *, ttl: timedelta) -> str:
        """Return a URL that `is_valid_link` accepts for `ttl`."""
        ends = int((self._clock() + ttl).timestamp())
        query = urlencode({"expires": ends, "signature": self._sign(check_key(key), ends)})
        return f"{self._base_url}/{key}?{query}"

    def is_valid_link(self, key: str, *, expires: str, signature: str) -> bool:
        """Return whether a request for `key` has a valid link that has not expired."""
        if not (expires.isascii() and expires.isdigit() and len(expires) < 12):
            return False
        expected = self._sign(key, int(expires))
        same = signature.isascii() and hmac.compare_digest(signature, expected)
        return same and int(expires) > self._clock().timestamp()

    def _sign(self, key: str, ends: int) -> str:
        return hmac.new(self._secret, f"{ends}\0{key}".encode(), hashlib.sha256).hexdigest()

    def _path(self, key: str) -> Path:
        return self._folder / check_key(key)


async def _in_thread(step: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    try:
        return await asyncio.to_thread(step, *args, **kwargs)
    except FileNotFoundError:
        raise missing() from None
    except OSError as error:
        raise unavailable() from error


def _write(path: Path, data: bytes, content_type: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{new_id()}.part")
    made = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(made, "wb") as file:
            # One file for both, so that they are replaced together.
            file.write(content_type.encode() + b"\n" + data)
        draft.replace(path)
    except BaseException:
        # A disk that is full is not to be filled with beginnings of files.
        draft.unlink(missing_ok=True)
        raise


def _read(path: Path) -> StoredObject:
    content_type, _, data = path.read_bytes().partition(b"\n")
    return StoredObject(data, content_type.decode())


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
