"""A client of another service that survives its failures: budget, bulkhead, retry and breaker."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeVar

from lib import trace
from lib.http.client import HttpClient
from lib.resilience import Upstream
from lib.resilience.deadline import write_header

T = TypeVar("T")

_IDEMPOTENT: Final = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})

# Headers of every call, such as `ServiceTokens.headers`.
Headers = Callable[[], Awaitable[Mapping[str, str]]]


class ResilientClient:
    """Calls one upstream; deadline and trace context go along, and what `headers` adds."""

    def __init__(
        self,
        client: HttpClient,
        upstream: Upstream,
        *,
        seconds: float = 2.0,
        headers: Headers | None = None,
    ) -> None:
        self.upstream = upstream
        self._client = client
        self._seconds = seconds
        self._headers = headers

    async def call(
        self,
        method: str,
        path: str,
        returns: type[T],
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        idempotency_key: str | None = None,
    ) -> T:
        """Return the `data` of the answer as `returns`, within `seconds` for all attempts together.

        A POST or PATCH is repeated only with an `idempotency_key`.

        Raises:
            AppError: the service's own, SERVICE_UNAVAILABLE, DEADLINE_EXCEEDED or CIRCUIT_OPEN.
        """

        async def attempt() -> T:
            sent = dict(await self._headers()) if self._headers is not None else {}
            if idempotency_key is not None:
                sent["Idempotency-Key"] = idempotency_key
            write_header(sent, self._seconds)
            with trace.span(f"{method} {self.upstream.breaker.name}", trace.Kind.CLIENT):
                trace.inject(sent)
                return await self._client.call(
                    method, path, returns, query=query, body=body, headers=sent
                )

        repeatable = method in _IDEMPOTENT or idempotency_key is not None
        return await self.upstream.call(attempt, seconds=self._seconds, idempotent=repeatable)
