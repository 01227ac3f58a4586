"""A client of another service that survives its failures: budget, bulkhead, retry and breaker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar

from lib import trace
from lib.auth.service_tokens import ServiceTokens
from lib.errors import AppError, Code
from lib.http.client import HttpClient
from lib.log import get_logger
from lib.resilience import Upstream
from lib.resilience.deadline import budget, within, write_header

log = get_logger(__name__)

T = TypeVar("T")

_IDEMPOTENT: Final = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})


class ResilientClient:
    """Calls one upstream; deadline and trace context go along.

    With `tokens` it calls in the service's own name: a token that is refused is given up, and to
    whoever we serve that is SERVICE_UNAVAILABLE, since it was not their token.
    """

    def __init__(
        self,
        client: HttpClient,
        upstream: Upstream,
        *,
        seconds: float = 2.0,
        tokens: ServiceTokens | None = None,
    ) -> None:
        self.upstream = upstream
        self._client = client
        self._seconds = seconds
        self._tokens = tokens

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
            sent = dict(given)
            if idempotency_key is not None:
                sent["Idempotency-Key"] = idempotency_key
            write_header(sent, self._seconds)
            with trace.span(f"{method} {self.upstream.breaker.name}", trace.Kind.CLIENT):
                trace.inject(sent)
                return await self._client.call(
                    method, path, returns, query=query, body=body, headers=sent
                )

        repeatable = method in _IDEMPOTENT or idempotency_key is not None
        with budget(self._seconds):
            # Outside of the breaker: a token that cannot be had says nothing about the upstream.
            given = await self._sign_in()
            try:
                return await self.upstream.call(
                    attempt, seconds=self._seconds, idempotent=repeatable
                )
            except AppError as error:
                if error.code is Code.UNAUTHORIZED and self._tokens is not None:
                    raise self._refused(self._tokens, given) from error
                raise

    async def _sign_in(self) -> Mapping[str, str]:
        if self._tokens is None:
            return {}
        name = self.upstream.breaker.name
        async with within(self._seconds, what=f"signing in to call {name}"):
            return await self._tokens.headers()

    def _refused(self, tokens: ServiceTokens, given: Mapping[str, str]) -> AppError:
        name = self.upstream.breaker.name
        log.warning("service_token_refused", upstream=name)
        tokens.refused(given["Authorization"].removeprefix("Bearer "))
        return AppError(Code.SERVICE_UNAVAILABLE, f"the {name} service is not available")
