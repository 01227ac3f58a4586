"""Tokens with which a service calls others: obtained once, used until shortly before they end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

from lib.auth.tokens import Issued
from lib.clock import Clock, utc_now


class ServiceTokens:
    """Hands out the present token and renews it in time; those who wait share the renewal.

    A renewal that fails is no error while the present token is still good.
    """

    def __init__(
        self,
        obtain: Callable[[], Awaitable[Issued]],
        *,
        renew_before: timedelta = timedelta(minutes=5),
        clock: Clock = utc_now,
    ) -> None:
        self._obtain = obtain
        self._renew_before = renew_before
        self._clock = clock
        self._issued: Issued | None = None
        self._lifetime = timedelta(0)
        self._lock = asyncio.Lock()

    async def token(self) -> str:
        """Return a token good for a while yet; raises what `obtain` raises where there is none."""
        issued = self._issued
        if issued is not None and not self._is_due(issued):
            return issued.token
        async with self._lock:
            if self._issued is issued:  # nobody renewed it while we waited
                await self._renew()
            if self._issued is None:
                raise AssertionError("a renewal sets the token or raises")
            return self._issued.token

    async def headers(self) -> dict[str, str]:
        """Return the header to send."""
        return {"Authorization": f"Bearer {await self.token()}"}

    async def _renew(self) -> None:
        try:
            renewed = await self._obtain()
        except Exception:
            if self._issued is None or self._issued.expires_at <= self._clock():
                raise
            return
        self._lifetime = renewed.expires_at - self._clock()
        self._issued = renewed

    def _is_due(self, issued: Issued) -> bool:
        # A token shorter than the margin is used for half its life, not renewed at each call.
        margin = min(self._renew_before, self._lifetime / 2)
        return issued.expires_at - margin <= self._clock()
