"""Tokens that a service obtains for its own calls to other services.

A token is reused until shortly before it expires.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from lib.auth.tokens import Issued
from lib.clock import Clock, utc_now
from lib.errors import AppError, Code
from lib.log import get_logger

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RenewalPolicy:
    """The times when a token is renewed or dropped.

    A token is renewed `before_end` before it expires, or `after_failure` after a failed renewal. A
    refused token is dropped only if it is older than `after_refusal`.
    """

    before_end: timedelta = timedelta(minutes=5)
    after_failure: timedelta = timedelta(seconds=5)
    after_refusal: timedelta = timedelta(seconds=10)


class ServiceTokens:
    """Hold the current token, and renew the token in the background before it expires.

    Callers wait for a renewal only if there is no valid token, and all callers share one renewal. A
    failed renewal is not an error while the present token is valid. A token that an upstream
    refused is dropped. A very new token is not dropped, because the next token would be refused as
    well.
    """

    def __init__(
        self,
        obtain: Callable[[], Awaitable[Issued]],
        policy: RenewalPolicy = RenewalPolicy(),
        *,
        clock: Clock = utc_now,
    ) -> None:
        self._obtain = obtain
        self._policy = policy
        self._clock = clock
        self._issued: Issued | None = None
        self._obtained_at = self._tried_at = datetime.min.replace(tzinfo=UTC)
        self._renewal: asyncio.Task[Issued] | None = None
        self._failures = 0

    async def token(self) -> str:
        """Return a valid token. Raises the exceptions of the function `obtain`."""
        if (issued := self._valid()) is not None:
            return issued.token
        # Shielded: a caller that leaves must not take the token from the others.
        return (await asyncio.shield(self._renewing())).token

    async def headers(self) -> dict[str, str]:
        """Return the Authorization header with a valid token. Raises the exceptions of `obtain`."""
        return {"Authorization": f"Bearer {await self.token()}"}

    def ready(self) -> dict[str, str] | None:
        """Return the Authorization header, or None if there is no valid token now."""
        issued = self._valid()
        return None if issued is None else {"Authorization": f"Bearer {issued.token}"}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep a valid token ready while the block runs, so that no call waits for one.

        The block starts without waiting for a token. While the issuer is unavailable, a token is
        requested every `after_failure`. Calls work again without a restart when the issuer is
        available.
        """
        keeping = asyncio.create_task(self._keep(), name="service-tokens")
        try:
            yield
        finally:
            tasks = [keeping] if self._renewal is None else [keeping, self._renewal]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def ping(self) -> None:
        """Check that there is a valid token, without requesting a token.

        Raises:
            AppError: SERVICE_UNAVAILABLE if there is no valid token.
        """
        if self._is_over():
            raise AppError(Code.SERVICE_UNAVAILABLE, "the issuer has not returned a token")

    def refused(self, token: str) -> None:
        """Drop `token`, which a service refused with UNAUTHORIZED, unless the token is very new.

        A refusal is possible if the issuer has new keys.
        """
        issued = self._issued
        if issued is None or issued.token != token:
            return
        if self._clock() - self._obtained_at > self._policy.after_refusal:
            self._issued = None

    async def _keep(self) -> None:
        while True:
            # The failure is in the log; a caller meets it only where there is no good token.
            with suppress(Exception):
                await self.token()
            await asyncio.sleep(self._policy.after_failure.total_seconds())

    def _valid(self) -> Issued | None:
        """Return the token if it is valid, and start its renewal if the renewal is due."""
        issued, now = self._issued, self._clock()
        if issued is None or issued.expires_at <= now:
            return None
        if self._is_due(issued, now):
            self._renewing()
        return issued

    def _is_over(self) -> bool:
        return self._issued is None or self._issued.expires_at <= self._clock()

    def _is_due(self, issued: Issued, now: datetime) -> bool:
        # A token shorter than the margin is used for half its life, not renewed at each call.
        lifetime = issued.expires_at - self._obtained_at
        margin = min(self._policy.before_end, lifetime / 2)
        failed_just_now = now - self._tried_at < self._policy.after_failure
        return issued.expires_at - margin <= now and not failed_just_now

    def _renewing(self) -> asyncio.Task[Issued]:
        if self._renewal is None:
            # The task has its own context, without the deadline and the trace of the first caller.
            self._renewal = asyncio.create_task(
                self._renew(), name="service-token", context=contextvars.Context()
            )
            self._renewal.add_done_callback(self._ended)
        return self._renewal

    async def _renew(self) -> Issued:
        self._tried_at = self._clock()
        issued = await self._obtain()
        self._issued, self._obtained_at = issued, self._clock()
        return issued

    def _ended(self, renewal: asyncio.Task[Issued]) -> None:
        self._renewal = None
        error = None if renewal.cancelled() else renewal.exception()
        if error is not None:
            # The first failure in a row is repaired by the next try, or by the issuer's start.
            report = log.warning if self._failures else log.info
            report("service_token_not_renewed", error=error)
        self._failures = 0 if error is None else self._failures + 1
