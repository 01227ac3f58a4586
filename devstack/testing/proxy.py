"""A TCP proxy that can delay, stall, cut and garble the traffic."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class Proxy:
    """Forward `127.0.0.1:port` to the target; the attributes change the forwarding.

    `delay` (seconds) delays every chunk in both directions. `stalled` discards the server's
    responses, and `garbled` inverts every bit of a response. `refusing` closes new connections at
    once. `cut_after` closes a connection after the server has sent this number of bytes.
    """

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._connections: set[asyncio.Task[None]] = set()
        self.delay = 0.0
        self.stalled = False
        self.garbled = False
        self.refusing = False
        self.cut_after: int | None = None
        self.accepted = 0

    @property
    def port(self) -> int:
        """Return the port for clients."""
        if self._server is None:
            raise RuntimeError("the proxy is not running")
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def heal(self) -> None:
        """Forward all traffic unchanged again."""
        self.delay, self.stalled, self.garbled, self.refusing = 0.0, False, False, False
        self.cut_after = None

    def cut(self) -> None:
        """Break every open connection, like an unplugged cable."""
        for writer in tuple(self._writers):
            writer.transport.abort()

    async def start(self) -> None:
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)

    async def stop(self) -> None:
        """Stop listening, and close the open connections."""
        if self._server is not None:
            self._server.close()
            self.cut()
            for task in self._connections:
                task.cancel()
            await asyncio.gather(*self._connections, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A task of our own rather than the server's, so that stopping can wait for it.
        task = asyncio.create_task(self._serve(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        if self.refusing:
            writer.transport.abort()
            return
        try:
            upstream_reader, upstream = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, upstream}
        try:
            await asyncio.gather(
                self._pump(reader, upstream, answers=False),
                self._pump(upstream_reader, writer, answers=True),
            )
        finally:
            self._writers -= {writer, upstream}

    async def _pump(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, answers: bool
    ) -> None:
        sent = 0
        with suppress(OSError):
            while chunk := await source.read(65536):
                await asyncio.sleep(self.delay)
                if answers and self.stalled:
                    continue
                if answers and self.garbled:
                    chunk = bytes(byte ^ 0xFF for byte in chunk)
                if answers and self.cut_after is not None:
                    chunk = chunk[: max(0, self.cut_after - sent)]
                sink.write(chunk)
                await sink.drain()
                sent += len(chunk)
                if answers and self.cut_after is not None and sent >= self.cut_after:
                    break
        if answers and self.cut_after is not None:
            sink.transport.abort()
        sink.close()


@asynccontextmanager
async def proxy(host: str, port: int) -> AsyncIterator[Proxy]:
    """Run a proxy in front of `host:port`."""
    running = Proxy(host, port)
    await running.start()
    try:
        yield running
    finally:
        await running.stop()
