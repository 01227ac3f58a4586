"""Calls to other services over HTTP: their envelope becomes a value or the same error again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

import aiohttp
import msgspec

from lib import context, trace
from lib.errors import AppError, Code, FieldError
from lib.http.status import code_for
from lib.resilience import Upstream
from lib.resilience.deadline import write_header

T = TypeVar("T")

_IDEMPOTENT: Final = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})
_KEY: Final = "Idempotency-Key"
_MAX_ANSWER_BYTES: Final = 8 * 1024 * 1024
# Of an upstream's error, what is meant for whoever asked.
_PASSED_ON: Final = ("Retry-After",)
_encode: Final = msgspec.json.Encoder(decimal_format="string").encode

Headers = Callable[[], Awaitable[Mapping[str, str]]]


class _Error(msgspec.Struct):
    code: str
    message: str
    details: list[FieldError] = []


class _Envelope(msgspec.Struct):
    data: msgspec.Raw = msgspec.Raw(b"null")
    error: _Error | None = None


@asynccontextmanager
async def open_session(*, size: int = 100) -> AsyncIterator[aiohttp.ClientSession]:
    """Open connections for any number of clients: no cookies, no proxies, at most `size` at a time.

    Time-outs are those of each call's budget.
    """
    connector = aiohttp.TCPConnector(limit=size, ttl_dns_cache=30)
    async with aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=2.0),
    ) as session:
        yield session


class HttpClient:
    """Calls one upstream inside its budget, bulkhead, retry and breaker.

    Request id, deadline and trace context go along; `headers` adds others, such as a service token.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        base_url: str,
        upstream: Upstream,
        *,
        seconds: float = 2.0,
        headers: Headers | None = None,
    ) -> None:
        self._session = session
        self._base_url = base_url.rstrip("/")
        self._upstream = upstream
        self._seconds = seconds
        self._headers = headers

    async def get(
        self, path: str, returns: type[T], *, query: Mapping[str, str] | None = None
    ) -> T:
        """GET `path` and return the envelope's data as `returns`; raises as `request` does."""
        return msgspec.json.decode(await self.request("GET", path, query=query), type=returns)

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
        seconds: float | None = None,
    ) -> bytes:
        """Send a request and return the JSON of the envelope's data.

        A POST or PATCH is repeated only with an `idempotency_key`.

        Raises:
            AppError: what the upstream answered, or CIRCUIT_OPEN, DEADLINE_EXCEEDED and
                SERVICE_UNAVAILABLE where it did not.
        """
        limit = self._seconds if seconds is None else seconds
        extra = {} if idempotency_key is None else {_KEY: idempotency_key}

        async def attempt() -> bytes:
            headers = {**await self._standard_headers(limit), **extra}
            return await self._send(method, path, body, query, headers)

        return await self._upstream.call(
            attempt,
            seconds=limit,
            idempotent=method in _IDEMPOTENT or idempotency_key is not None,
        )

    async def _standard_headers(self, limit: float) -> dict[str, str]:
        headers = dict(await self._headers()) if self._headers is not None else {}
        if request_id := context.request_id.get():
            headers["X-Request-ID"] = request_id
        write_header(headers, limit)
        trace.inject(headers)
        return headers

    async def _send(
        self,
        method: str,
        path: str,
        body: Any,
        query: Mapping[str, str] | None,
        headers: dict[str, str],
    ) -> bytes:
        data = None
        if body is not None:
            data, headers["Content-Type"] = _encode(body), "application/json"
        name = self._upstream.breaker.name
        with trace.span(f"{method} {name}", trace.Kind.CLIENT):
            try:
                async with self._session.request(
                    method,
                    self._base_url + path,
                    params=query,
                    data=data,
                    headers=headers,
                    allow_redirects=False,
                ) as answer:
                    return _data_of(answer, await _read(answer), name)
            except (aiohttp.ClientError, OSError) as error:
                text = f"{name} cannot be reached"
                raise AppError(Code.SERVICE_UNAVAILABLE, text) from error


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    raw = await answer.content.read(_MAX_ANSWER_BYTES)
    while not answer.content.at_eof() and len(raw) < _MAX_ANSWER_BYTES:
        raw += await answer.content.read(_MAX_ANSWER_BYTES - len(raw))
    return raw


def _data_of(answer: aiohttp.ClientResponse, raw: bytes, upstream: str) -> bytes:
    if answer.status == 204:
        return b"null"
    try:
        envelope = msgspec.json.decode(raw, type=_Envelope)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        if 400 <= answer.status < 600:  # a proxy in between has no envelope
            raise _failure(answer, code_for(answer.status), f"{upstream} failed") from error
        text = f"{upstream} sent an answer that cannot be read"
        raise AppError(Code.SERVICE_UNAVAILABLE, text) from error
    if envelope.error is None and answer.status < 300:
        return bytes(envelope.data)
    if envelope.error is None:
        raise _failure(answer, code_for(answer.status), f"{upstream} failed")
    known = envelope.error.code in Code.__members__
    code = Code(envelope.error.code) if known else code_for(answer.status)
    raise _failure(answer, code, envelope.error.message, tuple(envelope.error.details))


def _failure(
    answer: aiohttp.ClientResponse,
    code: Code,
    message: str,
    details: tuple[FieldError, ...] = (),
) -> AppError:
    headers = {name: answer.headers[name] for name in _PASSED_ON if name in answer.headers}
    return AppError(code, message, details=details, headers=headers)
