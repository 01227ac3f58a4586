"""Write frames to the transport of a socket, and close a socket whose client does not read."""

from __future__ import annotations

import asyncio
from typing import Final
from uuid import UUID

from aiohttp import WSMsgType, web

from services.chat.model.closing import Close
from services.chat.rooms.metrics import SocketMetrics
from services.chat.rooms.seat import Seat

# How long a close may take before the connection is torn down.
CLOSE_SECONDS: Final = 5.0
FLOOD_CLOSE_SECONDS: Final = 1.0


class Socket:
    """Write whole frames, without a queue and without a separate task.

    Data that the client does not read waits in the transport, up to `limit` bytes. Beyond that, the
    socket is closed with `Close.SLOW`.
    """

    __slots__ = (
        "_closing",
        "_early",
        "_ended",
        "_limit",
        "_metrics",
        "_transport",
        "_turn",
        "_ws",
        "seat",
        "session_id",
        "user_id",
        "watched",
    )

    def __init__(
        self, user_id: UUID, session_id: UUID | None, *, limit: int, metrics: SocketMetrics
    ) -> None:
        self.user_id = user_id
        self.session_id = session_id
        self.seat = Seat(self.write)
        self.watched: set[UUID] = set()
        self._ws: web.WebSocketResponse | None = None
        self._transport: asyncio.Transport | None = None
        self._limit = limit
        self._metrics = metrics
        self._closing: asyncio.Task[None] | None = None
        self._early: Close | None = None
        self._ended = asyncio.Event()
        self._turn: list[bytes] | None = None

    def opened(self, ws: web.WebSocketResponse, transport: asyncio.Transport | None) -> None:
        """Start to write after the handshake, or close if a close was requested before."""
        self._ws, self._transport = ws, transport
        if self._early is not None:
            self.close(self._early)

    def write(self, frame: bytes) -> None:
        """Write a frame, unless the socket is being closed.

        The frame is sent with all other frames of this iteration of the event loop, because a
        system call costs the most.
        """
        if self._turn is not None:
            self._turn.append(frame)
        elif not self.is_closing:
            self._turn = [frame]
            asyncio.get_running_loop().call_soon(self._flush)

    async def write_slowly(self, frame: bytes) -> None:
        """Write a frame and wait until most written data has been sent.

        Raises:
            ConnectionResetError: if the client does not read the data within some seconds, or if
                the socket closes.
        """
        self.write(frame)
        self._flush()
        transport, loop = self._transport, asyncio.get_running_loop()
        until = loop.time() + CLOSE_SECONDS
        while transport is not None and transport.get_write_buffer_size() > self._limit // 2:
            if loop.time() > until:
                self.close(Close.SLOW)
            if self.is_closing:
                break
            await asyncio.sleep(0.01)
        if transport is None or self.is_closing:
            raise ConnectionResetError

    def _flush(self) -> None:
        frames, self._turn = self._turn, None
        transport = self._transport
        if frames is None or transport is None or self.is_closing:
            return
        transport.write(frames[0] if len(frames) == 1 else b"".join(frames))
        if transport.get_write_buffer_size() > self._limit:
            self.close(Close.SLOW)

    @property
    def is_closing(self) -> bool:
        """Return whether the socket no longer accepts frames."""
        return self._closing is not None or self._transport is None or self._transport.is_closing()

    @property
    def is_leaving(self) -> bool:
        """Return whether the server has closed the socket, or will close it after the handshake."""
        return self._closing is not None or self._early is not None

    def close(self, code: Close) -> asyncio.Task[None] | None:
        """Close the socket with a code. Return the closing task, or None before the handshake."""
        if self._ws is None:
            self._early = code
        elif self._closing is None:
            self._flush()
        if self._ws is not None and self._closing is None:
            self._metrics.closed.labels(code.value).inc()
            self._closing = asyncio.create_task(self._close(self._ws, code), name="chat-close")
        return self._closing

    def ended(self) -> None:
        """Record that reading has ended: the client has closed the socket or has disconnected."""
        self._ended.set()

    async def _close(self, ws: web.WebSocketResponse, code: Close) -> None:
        # Not `ws.close()`: while another task reads, it closes the connection at once, and what
        # the client was just sending makes that a reset, which can overtake the code.
        try:
            # Nothing is read any more of a flood, so its answer will not be seen.
            seconds = FLOOD_CLOSE_SECONDS if code is Close.FLOOD else CLOSE_SECONDS
            async with asyncio.timeout(seconds):
                message = code.value.to_bytes(2, "big") + code.reason.encode()
                await ws.send_frame(message, WSMsgType.CLOSE)
                await self._ended.wait()
        except (TimeoutError, ConnectionError):
            if self._transport is not None:
                self._transport.abort()
