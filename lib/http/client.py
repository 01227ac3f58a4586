"""Call other services over HTTP: send the request's context, and raise errors as AppErrors."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

import aiohttp
import msgspec

from lib import context, positions, trace
from lib.errors import AppError, Code, FieldError
from lib.http.retry_after import RETRY_AFTER, seconds_of
from lib.http.status import code_for
from lib.log import get_logger
from lib.resilience.deadline import write_header
from lib.resilience.upstream import Upstream

log = get_logger(__name__)

T = TypeVar("T")

MAX_BYTES: Final = 4 * 1024 * 1024
# How long an idle connection is kept. A server that ends answers over it for longer (`serve_app`).
IDLE_SECONDS: Final = 2.0
_IDEMPOTENT: Final = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})


class _Answer(msgspec.Struct, frozen=True):
    data: msgspec.Raw = msgspec.Raw(b"null")


class _Refusal(msgspec.Struct, frozen=True):
    code: str
    message: str
    details: tuple[FieldError, ...] = ()


class _Refused(msgspec.Struct, frozen=True):
    error: _Refusal


class HttpClient:
    """Call one upstream. Errors in the platform's envelope are raised as the original `AppError`.

    The client stores no cookies, follows no redirects, and reads at most `max_bytes` of a response.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        upstream: Upstream,
        seconds: float,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self.upstream = upstream
        self._session = session
        self._seconds = seconds
        self._max_bytes = max_bytes

    async def call(
        self,
        method: str,
        path: str,
        returns: type[T],
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
    ) -> T:
        """Return the `data` of the response, decoded as `returns`.

        All attempts together end within the client's limit and within the time that is left for the
        current request. A POST or PATCH is retried only with an `idempotency_key`.

        Raises:
            AppError: the error of the service, with its `Retry-After`; SERVICE_UNAVAILABLE if the
                service is unreachable or its response is invalid; DEADLINE_EXCEEDED if it does not
                respond in time; CIRCUIT_OPEN if the circuit breaker refuses the call.
        """
        sent = {context.REQUEST_ID_HEADER: context.request_id.get(), **(headers or {})}
        if idempotency_key is not None:
            sent["Idempotency-Key"] = idempotency_key
        if body is not None:
            sent["Content-Type"] = "application/json"
        scope = positions.scope.get()
        if scope is not None and (known := scope.header):
            sent[positions.HEADER] = known
        data = None if body is None else msgspec.json.encode(body)

        async def attempt(signed: Mapping[str, str]) -> T:
            given = {**sent, **signed}
            write_header(given, self._seconds)
            with trace.outgoing(f"{method} {self.upstream.name}", given):
                try:
                    async with self._session.request(
                        method,
                        path,
                        params=query,
                        data=data,
                        headers=given,
                        allow_redirects=False,
                    ) as response:
                        raw = await self._read(response)
                except aiohttp.ClientError as error:
                    raise self._unavailable() from error
            if scope is not None and (known := response.headers.get(positions.HEADER)):
                scope.learn(known)
            return self._decode(response, raw, returns)

        repeatable = method in _IDEMPOTENT or idempotency_key is not None
        return await self.upstream.call(attempt, seconds=self._seconds, idempotent=repeatable)

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        raw = bytearray()
        async for chunk in response.content.iter_any():
            raw += chunk
            if len(raw) > self._max_bytes:
                log.warning("answer_too_big", upstream=self.upstream.name, limit=self._max_bytes)
                raise self._unavailable()
        return bytes(raw)

    def _decode(self, response: aiohttp.ClientResponse, raw: bytes, returns: type[T]) -> T:
        status = response.status
        if 300 <= status < 400:
            log.warning("answer_is_a_redirect", upstream=self.upstream.name, status=status)
            raise self._unavailable()
        try:
            if status < 400:
                answer = msgspec.json.decode(raw or b"{}", type=_Answer)
                return msgspec.json.decode(answer.data, type=returns)
            refusal = msgspec.json.decode(raw, type=_Refused).error
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise self._unavailable(_wait_of(response)) from error
        known = refusal.code in Code.__members__
        code = Code(refusal.code) if known else code_for(status)
        headers = _wait_of(response)
        raise AppError(code, refusal.message, details=refusal.details, headers=headers)

    def _unavailable(self, headers: Mapping[str, str] | None = None) -> AppError:
        message = f"the {self.upstream.name} service is not available"
        return AppError(Code.SERVICE_UNAVAILABLE, message, headers=headers)


def _wait_of(response: aiohttp.ClientResponse) -> Mapping[str, str]:
    """Return the header with the seconds that the service asks its callers to wait, if any."""
    wait = seconds_of(response.headers.get(RETRY_AFTER))
    return {} if wait is None else {RETRY_AFTER: str(wait)}


@asynccontextmanager
async def open_client(
    upstream: Upstream,
    base_url: str,
    *,
    seconds: float = 2.0,
    connections: int = 100,
    max_bytes: int = MAX_BYTES,
) -> AsyncIterator[HttpClient]:
    """Open a client of `upstream` with a bounded connection pool, and close it at the end."""
    connector = aiohttp.TCPConnector(limit=connections, keepalive_timeout=IDLE_SECONDS)
    # The upstream limits each call, so that it can be shorter for a request that is running late.
    no_limit = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(
        base_url,
        connector=connector,
        timeout=no_limit,
        # Cookies of one caller must not be sent for the next caller.
        cookie_jar=aiohttp.DummyCookieJar(),
        # What is compressed could be any size: it is neither asked for nor unpacked.
        headers={"Accept-Encoding": "identity"},
        auto_decompress=False,
    ) as session:
        # Repeating is decided by `Upstream` alone: a second one below would multiply attempts.
        session._retry_connection = False  # noqa: SLF001 - there is no public way to say so
        yield HttpClient(session, upstream, seconds, max_bytes)
