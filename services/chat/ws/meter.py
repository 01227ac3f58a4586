"""Count received frames and bytes before decoding.

The WebSocket library answers pings, drops pongs and joins fragments itself, so a limit on messages
does not count them. Thousands of them in one read would block the process for all other users.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, cast
from uuid import UUID

from aiohttp import web

from lib.errors import AppError, Code
from services.chat.model.allowance import Allowance, WireLimits
from services.chat.model.frame_counter import FrameCounter

_USERS: Final = 10_000


class Meter:
    """The frames and bytes that each user may still send.

    The remaining traffic is kept when a socket closes, so reconnecting does not reset a limit.
    """

    def __init__(self, limits: WireLimits, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        # Least recently connected first.
        self._allowances: OrderedDict[UUID, Allowance] = OrderedDict()

    def allowance(self, user_id: UUID) -> Allowance:
        """Return the allowance of a user."""
        found = self._allowances.get(user_id)
        if found is None:
            found = self._allowances[user_id] = Allowance(self._limits, self._clock)
            if len(self._allowances) > _USERS:
                self._allowances.popitem(last=False)
        self._allowances.move_to_end(user_id)
        return found


@contextmanager
def metered(
    request: web.Request, allowance: Allowance, exceeded: Callable[[], object]
) -> Iterator[None]:
    """Count the traffic of a connection while the block runs.

    Data beyond the allowance is neither read nor decoded; `exceeded` is called.

    Raises:
        AppError: BAD_REQUEST if frames arrived before the response to the handshake.
    """
    transport = request.transport
    if transport is None:
        raise ConnectionResetError
    # The library has them already and would decode them unseen. No client may send any so early.
    if request.protocol._message_tail:  # noqa: SLF001 - it has no public name
        raise AppError(Code.BAD_REQUEST, "wait for the response before you send frames")
    inner = cast("asyncio.Protocol", transport.get_protocol())
    transport.set_protocol(_Metered(inner, transport, allowance, exceeded))
    try:
        yield
    finally:
        if not transport.is_closing():
            transport.set_protocol(inner)


class _Metered(asyncio.Protocol):
    """A protocol wrapper that counts incoming bytes."""

    def __init__(
        self,
        inner: asyncio.Protocol,
        transport: asyncio.Transport,
        allowance: Allowance,
        exceeded: Callable[[], object],
    ) -> None:
        self._inner = inner
        self._transport = transport
        self._allowance = allowance
        self._exceeded = exceeded
        self._counter = FrameCounter()
        self._is_over = False

    def data_received(self, data: bytes) -> None:
        if not self._is_over:
            frames = self._counter.count(data, self._allowance.frames_left())
            if self._allowance.take(frames, len(data)):
                self._inner.data_received(data)
                return
            self._is_over = True
            self._exceeded()
        # The protocol may have read on meanwhile: what comes is dropped, and stopped again.
        if not self._transport.is_closing():
            self._transport.pause_reading()

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._inner.connection_lost(exc)

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()


METER: Final = web.AppKey("METER", Meter)
