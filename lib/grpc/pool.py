"""A bounded pool of channels: reused, waited for with a deadline, closed without surprises."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any, Final

import grpc
import grpc.aio

from lib.errors import AppError, Code
from lib.grpc.methods import Method
from lib.grpc.tls import ClientTls

_CLOSED: Final = object()
# A repeat must be cheap to give up: three tries, and none once one call in ten or so has failed.
_RETRY: Final = {
    "maxAttempts": 3,
    "initialBackoff": "0.05s",
    "maxBackoff": "0.5s",
    "backoffMultiplier": 3,
    "retryableStatusCodes": ["UNAVAILABLE"],
}
_BUDGET: Final = {"maxTokens": 10, "tokenRatio": 0.1}


class ChannelPool:
    """Up to `size` channels to one address, each used by one call at a time.

    A channel is opened when one is needed and none is idle; the last one returned is used first, so
    that a quiet service keeps one connection. Channels reconnect by themselves. A caller that waits
    for a channel longer than it may gets DEADLINE_EXCEEDED, on a closed pool SERVICE_UNAVAILABLE.
    """

    def __init__(
        self,
        address: str,
        *,
        size: int,
        methods: Iterable[Method[Any, Any]] = (),
        tls: ClientTls | None = None,
    ) -> None:
        """Raises StartError where `tls` names files that cannot be read."""
        self.address = address
        self._credentials = None if tls is None else tls.credentials()
        self.size = size
        self._options = channel_options(methods)
        self._active = 0
        self._closed = False
        # One place per channel that may exist; None where it is still to be opened. Getting from a
        # queue can be cancelled at any moment without losing a place, putting back never waits.
        self._places: asyncio.LifoQueue[grpc.aio.Channel | object | None] = asyncio.LifoQueue()
        for _ in range(size):
            self._places.put_nowait(None)

    @property
    def active(self) -> int:
        """How many channels are in use."""
        return self._active

    @asynccontextmanager
    async def channel(self, *, seconds: float) -> AsyncIterator[grpc.aio.Channel]:
        """Borrow a channel, waiting at most `seconds` for one."""
        channel = await self._take(seconds)
        self._active += 1
        try:
            yield channel
        finally:
            self._active -= 1
            await self._give_back(channel)

    async def close(self) -> None:
        """Refuse new callers, wake those who wait, close idle channels; busy ones close later."""
        if self._closed:
            return
        self._closed = True
        idle = [self._places.get_nowait() for _ in range(self._places.qsize())]
        self._places.put_nowait(_CLOSED)
        for channel in idle:
            if isinstance(channel, grpc.aio.Channel):
                await channel.close()

    async def _take(self, seconds: float) -> grpc.aio.Channel:
        try:
            async with asyncio.timeout(seconds):
                place = await self._places.get()
        except TimeoutError:
            raise AppError(Code.DEADLINE_EXCEEDED, "no connection became free in time") from None
        if place is _CLOSED:
            self._places.put_nowait(_CLOSED)  # for whoever waits behind
            raise AppError(Code.SERVICE_UNAVAILABLE, "the connections are closed")
        if isinstance(place, grpc.aio.Channel):
            return place
        if self._credentials is None:
            return grpc.aio.insecure_channel(self.address, options=self._options)
        return grpc.aio.secure_channel(self.address, self._credentials, options=self._options)

    async def _give_back(self, channel: grpc.aio.Channel) -> None:
        if self._closed:
            await channel.close()
            return
        dead = channel.get_state() is grpc.ChannelConnectivity.SHUTDOWN
        self._places.put_nowait(None if dead else channel)


def channel_options(methods: Iterable[Method[Any, Any]]) -> tuple[tuple[str, Any], ...]:
    """Build a channel's options: quick reconnects, pings, repeats of the idempotent `methods`."""
    names = [{"service": m.service, "method": m.name} for m in methods if m.idempotent]
    config: dict[str, Any] = {"retryThrottling": _BUDGET}
    if names:
        config["methodConfig"] = [{"name": names, "retryPolicy": _RETRY}]
    return (
        ("grpc.service_config", json.dumps(config)),
        ("grpc.use_local_subchannel_pool", 1),  # else all channels would share one connection
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.min_reconnect_backoff_ms", 1_000),
        ("grpc.max_reconnect_backoff_ms", 2_000),
        ("grpc.enable_http_proxy", 0),  # `http_proxy` is for calls to the world, as in `lib.http`
        ("grpc.keepalive_time_ms", 20_000),
        ("grpc.keepalive_timeout_ms", 5_000),
        ("grpc.http2.max_pings_without_data", 0),
    )
