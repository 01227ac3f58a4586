"""A bounded pool of reusable channels."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import grpc
import grpc.aio

from lib.errors import AppError, Code
from lib.grpc.tls import ClientTls

_CLOSED: Final = object()
_OPTIONS: Final = (
    ("grpc.use_local_subchannel_pool", 1),  # else all channels would share one connection
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 1_000),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.enable_http_proxy", 0),  # `http_proxy` is for external calls, as in `lib.http`
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.http2.max_pings_without_data", 0),
    # A name with several addresses, as of a headless service: calls go to each of them in turn.
    ("grpc.service_config", '{"loadBalancingConfig": [{"round_robin": {}}]}'),
)


class ChannelPool:
    """Up to `size` channels to one address. One call at a time uses a channel.

    A new channel is opened only if no open channel is idle. The channel that was returned last is
    used first, so that a service with few calls uses one connection. Channels reconnect by
    themselves. The caller limits its own wait for a channel. A closed pool raises
    SERVICE_UNAVAILABLE.
    """

    def __init__(self, address: str, *, size: int, tls: ClientTls | None = None) -> None:
        """Raises StartError if the files in `tls` cannot be read."""
        self.address = address
        self._credentials = None if tls is None else tls.credentials()
        self.size = size
        self._active = 0
        self._closed = False
        # One place per channel that may exist; None where it is still to be opened. Getting from a
        # queue can be cancelled at any moment without losing a place, putting back never waits.
        self._places: asyncio.LifoQueue[grpc.aio.Channel | object | None] = asyncio.LifoQueue()
        for _ in range(size):
            self._places.put_nowait(None)

    @property
    def active(self) -> int:
        """Return the number of channels in use."""
        return self._active

    @asynccontextmanager
    async def channel(self) -> AsyncIterator[grpc.aio.Channel]:
        """Borrow a channel. Wait if all channels are in use."""
        channel = await self._take()
        self._active += 1
        try:
            yield channel
        finally:
            self._active -= 1
            await self._give_back(channel)

    async def close(self) -> None:
        """Refuse new callers, wake waiting callers, and close each channel when it is idle."""
        if self._closed:
            return
        self._closed = True
        idle = [self._places.get_nowait() for _ in range(self._places.qsize())]
        self._places.put_nowait(_CLOSED)
        for channel in idle:
            if isinstance(channel, grpc.aio.Channel):
                await channel.close()

    async def _take(self) -> grpc.aio.Channel:
        place = await self._places.get()
        if place is _CLOSED:
            self._places.put_nowait(_CLOSED)  # for the next waiting caller
            raise AppError(Code.SERVICE_UNAVAILABLE, "the connections to the service are closed")
        if isinstance(place, grpc.aio.Channel):
            return place
        if self._credentials is None:
            return grpc.aio.insecure_channel(self.address, options=_OPTIONS)
        return grpc.aio.secure_channel(self.address, self._credentials, options=_OPTIONS)

    async def _give_back(self, channel: grpc.aio.Channel) -> None:
        if self._closed:
            await channel.close()
            return
        dead = channel.get_state() is grpc.ChannelConnectivity.SHUTDOWN
        self._places.put_nowait(None if dead else channel)
