"""Requests to one identity provider, limited in time and size, without redirects or cookies."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final, TypeVar

import aiohttp
import msgspec

from lib.errors import AppError, Code
from lib.log import get_logger
from lib.resilience import Upstream

log = get_logger(__name__)

T = TypeVar("T")

MAX_BYTES: Final = 256 * 1024


class Transport:
    """Send requests to the endpoints of one provider, and decode the JSON responses."""

    def __init__(self, session: aiohttp.ClientSession, upstream: Upstream, seconds: float) -> None:
        self._session = session
        self._upstream = upstream
        self._seconds = seconds

    async def get(self, url: str, returns: type[T], headers: Mapping[str, str] | None = None) -> T:
        """Return the document at `url`.

        Raises:
            AppError: SERVICE_UNAVAILABLE if the response is not a `returns`; DEADLINE_EXCEEDED;
                CIRCUIT_OPEN.
        """

        async def attempt(_: Mapping[str, str]) -> T:
            status, raw = await self._exchange("GET", url, headers=headers)
            if status != 200:
                raise self.unavailable("status", status=status)
            return self._decode(raw, returns)

        return await self._upstream.call(attempt, seconds=self._seconds, idempotent=True)

    async def post(
        self,
        url: str,
        form: Mapping[str, str],
        returns: type[T],
        *,
        headers: Mapping[str, str],
    ) -> T | str:
        """Send a form in a POST request, without retries.

        Return the response, or the `error` of an error response (RFC 6749 5.2).

        Raises:
            AppError: as `get` does.
        """

        async def attempt(_: Mapping[str, str]) -> T | str:
            status, raw = await self._exchange("POST", url, form=form, headers=headers)
            if status in (400, 401):
                return self._decode(raw, _Refusal).error
            if status != 200:
                raise self.unavailable("status", status=status)
            return self._decode(raw, returns)

        return await self._upstream.call(attempt, seconds=self._seconds, idempotent=False)

    def unavailable(self, reason: str, **details: object) -> AppError:
        """Return the error for a provider that responds incorrectly, and log the reason."""
        log.warning("identity_provider_failed", reason=reason, **self._named(), **details)
        return AppError(
            Code.SERVICE_UNAVAILABLE, "the identity provider is not available; try again later"
        )

    async def _exchange(
        self,
        method: str,
        url: str,
        *,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, bytes]:
        raw = bytearray()
        try:
            async with self._session.request(
                method, url, data=form, headers=headers, allow_redirects=False
            ) as response:
                async for chunk in response.content.iter_any():
                    raw += chunk
                    if len(raw) > MAX_BYTES:
                        raise self.unavailable("too big", limit=MAX_BYTES)
                return response.status, bytes(raw)
        except (aiohttp.ClientError, ValueError) as error:  # an invalid URL
            raise self.unavailable("unreachable", error=repr(error)) from error

    def _decode(self, raw: bytes, returns: type[T]) -> T:
        try:
            return msgspec.json.decode(raw, type=returns)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise self.unavailable("malformed", error=str(error)[:200]) from error

    def _named(self) -> dict[str, str]:
        return {"upstream": self._upstream.name}


class _Refusal(msgspec.Struct, frozen=True):
    error: str


@asynccontextmanager
async def open_session() -> AsyncIterator[aiohttp.ClientSession]:
    """Open the connections to all providers, and close them at the end."""
    async with aiohttp.ClientSession(
        # The upstream of each provider limits its connections: one that hangs takes none of others.
        connector=aiohttp.TCPConnector(limit=0),
        # The upstream limits each call, so that it can be shorter for a request that is late.
        timeout=aiohttp.ClientTimeout(total=None),
        cookie_jar=aiohttp.DummyCookieJar(),
        # What is compressed could be any size: it is neither asked for nor unpacked.
        headers={"Accept-Encoding": "identity", "Accept": "application/json"},
        auto_decompress=False,
    ) as session:
        session._retry_connection = False  # noqa: SLF001 - a code is spent once; there is no public way to say so
        yield session
