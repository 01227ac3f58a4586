"""Serve an application on a port: start listening, and drain at the end."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from time import monotonic
from typing import Any, cast

from aiohttp import web

from lib.config import Settings
from lib.errors import StartError
from lib.http.app import HEALTH, INTERNAL
from lib.http.client import IDLE_SECONDS
from lib.http.dispatch import Dispatch
from lib.http.protocol import Connection
from lib.log import get_logger

log = get_logger(__name__)

# Longer than NGINX keeps its upstream connections: the server must not hang up first.
_KEEP_ALIVE_SECONDS = 75.0
# How long the public port still responds at the end. NGINX and our own clients close an idle
# connection within `IDLE_SECONDS`.
_LINGER_SECONDS = IDLE_SECONDS + 0.5
_LOOK_SECONDS = 0.02
_BACKLOG = 1024


@asynccontextmanager
async def serve_app(app: web.Application, settings: Settings, *, port: int) -> AsyncIterator[int]:
    """Serve `app` on `settings.host`. Yield the port, which the system selects if `port` is 0.

    At the end of the block, the process reports that it is not ready and accepts no new
    connections. It still serves open connections until the callers close them, then waits up to
    `drain_seconds` for running requests, cancels the rest, and closes the application's resources.

    Raises:
        StartError: if the port is in use, or if the process may not use it.
    """
    async with AsyncExitStack() as stack:
        bound = await stack.enter_async_context(
            _listener(app, settings, port, linger=_LINGER_SECONDS)
        )
        if INTERNAL in app and settings.internal_port is not None:
            await stack.enter_async_context(
                _listener(app[INTERNAL], settings, settings.internal_port)
            )
        # Pushed last so that it happens first: readiness says no before the port closes.
        stack.callback(app[HEALTH].drain)
        yield bound


@asynccontextmanager
async def _listener(
    app: web.Application, settings: Settings, port: int, *, linger: float = 0.0
) -> AsyncIterator[int]:
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=settings.drain_seconds)
    try:
        await runner.setup()
        protocols = cast("web.Server", runner.server)  # from setup() to cleanup()
        # Requests of an application are `web.Request`s, which the server's types do not know.
        protocols.request_handler = cast("Any", Dispatch(app, protocols.request_handler))
        accepted = partial(
            Connection,
            protocols,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type] # None is no log; its types miss it
            keepalive_timeout=_KEEP_ALIVE_SECONDS,
            # Ours are small: what comes compressed is refused (`decode.body`), never inflated.
            auto_decompress=False,
        )
        try:
            server = await asyncio.get_running_loop().create_server(
                accepted, settings.host, port, reuse_address=True, backlog=_BACKLOG
            )
        except OSError as error:
            raise StartError(_why(error, settings.host, port)) from error
        bound = int(server.sockets[0].getsockname()[1])
        log.info("listening", host=settings.host, port=bound)
        try:
            yield bound
        finally:
            await _stop_accepting(server, accepted)
            # Close long-lived responses first, such as chat sockets: they do not end by themselves.
            await runner.shutdown()
            await _linger(protocols, min(linger, settings.drain_seconds))
    finally:
        await runner.cleanup()


async def _stop_accepting(server: asyncio.Server, accepted: Callable[[], Connection]) -> None:
    """Close the port, but accept the connections that already wait in its queue."""
    loop = asyncio.get_running_loop()
    copies = [listening.dup() for listening in server.sockets]
    server.close()  # the loop accepts no more; the copies keep the queue
    waiting = []
    for copy in copies:
        with copy:
            copy.setblocking(False)
            with suppress(BlockingIOError):
                while True:
                    waiting.append(copy.accept()[0])
    for connection in waiting:
        connection.setblocking(False)
        await loop.connect_accepted_socket(accepted, connection)


async def _linger(protocols: web.Server, seconds: float) -> None:
    """Serve open connections until the connections close or their requests are finished.

    If an idle connection is closed at once, its caller may be sending a request at this time.
    """
    end = monotonic() + seconds
    # Polled: aiohttp does not report the end of a connection.
    while protocols.connections and monotonic() < end:  # noqa: ASYNC110 - as the line above says
        await asyncio.sleep(_LOOK_SECONDS)


def _why(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is in use by another process"
    if error.errno == errno.EACCES:
        return f"port {port} on {host} needs privileges this process does not have"
    return f"cannot listen on {host}:{port}: {error.strerror or error}"
