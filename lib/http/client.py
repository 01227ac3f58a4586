"""Calls to other services over HTTP: with a deadline and the request id, their errors as ours."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import aiohttp
import msgspec

from lib import context
from lib.errors import AppError, Code, FieldError
from lib.http.middleware.request_id import HEADER
from lib.http.status import code_for

T = TypeVar("T")


class _Answer(msgspec.Struct, frozen=True):
    data: msgspec.Raw = msgspec.Raw(b"null")


class _Refusal(msgspec.Struct, frozen=True):
    code: str
    message: str
    details: tuple[FieldError, ...] = ()


class _Refused(msgspec.Struct, frozen=True):
    error: _Refusal


class HttpClient:
    """Talks to one service. Errors in its envelope are raised as the `AppError` they were there."""

    def __init__(self, session: aiohttp.ClientSession, service: str, seconds: float) -> None:
        self._session = session
        self._service = service
        self._seconds = seconds

    async def call(
        self,
        method: str,
        path: str,
        returns: type[T],
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> T:
        """Return the `data` of the answer as `returns`.

        The call takes no longer than the client's limit, nor than what is left of the request it
        serves.

        Raises:
            AppError: the service's own; SERVICE_UNAVAILABLE where it cannot be reached or makes no
                sense; DEADLINE_EXCEEDED where it does not answer in time.
        """
        sent = {HEADER: context.request_id.get(), **(headers or {})}
        if body is not None:
            sent["Content-Type"] = "application/json"
        try:
            async with asyncio.timeout(context.remaining(self._seconds)):
                async with self._session.request(
                    method,
                    path,
                    params=query,
                    data=None if body is None else msgspec.json.encode(body),
                    headers=sent,
                ) as response:
                    status, raw = response.status, await response.read()
        except TimeoutError as error:
            message = f"the {self._service} service did not answer in time"
            raise AppError(Code.DEADLINE_EXCEEDED, message) from error
        except aiohttp.ClientError as error:
            raise self._unavailable() from error
        return self._decode(status, raw, returns)

    def _decode(self, status: int, raw: bytes, returns: type[T]) -> T:
        try:
            if status < 400:
                answer = msgspec.json.decode(raw or b"{}", type=_Answer)
                return msgspec.json.decode(answer.data, type=returns)
            refusal = msgspec.json.decode(raw, type=_Refused).error
        except msgspec.MsgspecError as error:
            raise self._unavailable() from error
        known = refusal.code in Code.__members__
        code = Code(refusal.code) if known else code_for(status)
        raise AppError(code, refusal.message, details=refusal.details)

    def _unavailable(self) -> AppError:
        return AppError(Code.SERVICE_UNAVAILABLE, f"the {self._service} service is not available")


@asynccontextmanager
async def open_client(
    service: str, base_url: str, *, seconds: float = 2.0, connections: int = 100
) -> AsyncIterator[HttpClient]:
    """Open a client of `service` with a bounded pool of connections, and close it at the end."""
    connector = aiohttp.TCPConnector(limit=connections)
    # The limit on each call is ours, so that it can be shorter for a request that is running late.
    no_limit = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(base_url, connector=connector, timeout=no_limit) as session:
        yield HttpClient(session, service, seconds)
