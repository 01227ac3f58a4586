"""A call to another service with time limit, retries and circuit breaker, for HTTP and gRPC."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from prometheus_client import CollectorRegistry

from lib.auth.service_tokens import ServiceTokens
from lib.errors import AppError, Code
from lib.log import get_logger
from lib.resilience.breaker import BreakerPolicy, CircuitBreaker, gauge_in
from lib.resilience.bulkhead import Bulkhead
from lib.resilience.deadline import budget, within
from lib.resilience.retry import RetryPolicy, repeat
from lib.work import calls_to_upstreams

log = get_logger(__name__)

T = TypeVar("T")


class Upstream:
    """An upstream. A call runs: budget → token → bulkhead → retry → breaker → deadline → attempt.

    The bulkhead is outside the retries: a call keeps its slot while it waits for its next attempt,
    so retries do not increase the load. The breaker is inside the retries: it counts each attempt.
    With `tokens`, the upstream is called with the service's own token. If the upstream refuses this
    token, the token is dropped and the caller gets SERVICE_UNAVAILABLE, because it was not the
    caller's token. With a `registry`, the calls and the state of the circuit are measured.
    """

    def __init__(
        self,
        name: str,
        policy: BreakerPolicy | None = None,
        *,
        bulkhead: Bulkhead | None = None,
        retry: RetryPolicy | None = None,
        tokens: ServiceTokens | None = None,
        registry: CollectorRegistry | None = None,
    ) -> None:
        self.name = name
        on_change = None if registry is None else gauge_in(registry).of(name)
        self.breaker = CircuitBreaker(name, policy or BreakerPolicy(), on_change=on_change)
        self._bulkhead = bulkhead or Bulkhead(name)
        self._retry = retry or RetryPolicy()
        self._tokens = tokens
        self._work = None if registry is None else calls_to_upstreams(registry)

    async def call(
        self,
        attempt: Callable[[Mapping[str, str]], Awaitable[T]],
        *,
        seconds: float,
        idempotent: bool,
    ) -> T:
        """Run `attempt` within `seconds`, including waits. Retry only if `idempotent`.

        `attempt` receives the headers with the service's token, or no headers without `tokens`.

        Raises:
            AppError: CIRCUIT_OPEN, SERVICE_UNAVAILABLE (no free slot), DEADLINE_EXCEEDED, or the
                exception of `attempt`.
        """
        if self._work is None:
            return await self._call(attempt, seconds, idempotent)
        with self._work.measuring(self.name):
            return await self._call(attempt, seconds, idempotent)

    async def _call(
        self, attempt: Callable[[Mapping[str, str]], Awaitable[T]], seconds: float, idempotent: bool
    ) -> T:
        async def guarded() -> T:
            # The time-out is inside the breaker: an upstream that hangs is one that fails.
            with self.breaker.guard(seconds):
                async with within(seconds, what=self.name):
                    return await attempt(signed)

        with budget(seconds):
            # Outside of the breaker: a failure to get a token is not a failure of the upstream.
            signed = {} if self._tokens is None else await self._sign_in(self._tokens, seconds)
            async with self._bulkhead.slot():
                try:
                    try:
                        return await guarded()
                    except Exception as failure:
                        if not idempotent:
                            raise
                        return await repeat(guarded, failure, policy=self._retry, seconds=seconds)
                except AppError as error:
                    if error.code is Code.UNAUTHORIZED and self._tokens is not None:
                        raise self._refused(self._tokens, signed) from error
                    raise

    async def _sign_in(self, tokens: ServiceTokens, seconds: float) -> Mapping[str, str]:
        if (ready := tokens.ready()) is not None:
            return ready
        async with within(seconds, what=f"getting a token to call {self.name}"):
            return await tokens.headers()

    def _refused(self, tokens: ServiceTokens, signed: Mapping[str, str]) -> AppError:
        log.warning("service_token_refused", upstream=self.name)
        tokens.refused(signed["Authorization"].removeprefix("Bearer "))
        return AppError(Code.SERVICE_UNAVAILABLE, f"the {self.name} service is not available")
