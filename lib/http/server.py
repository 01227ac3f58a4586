"""An application on a port, as a part of a process: starts listening, drains at the end."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from aiohttp import web

from lib.config import Settings
from lib.errors import StartError
from lib.http.app import HEALTH, INTERNAL
from lib.log import get_logger

log = get_logger(__name__)

# Longer than NGINX keeps its upstream connections: the server must not hang up first.
_KEEP_ALIVE_SECONDS = 75.0


@asynccontextmanager
async def serve_app(app: web.Application, settings: Settings, *, port: int) -> AsyncIterator[int]:
    """Serve `app` on `settings.host`; give the port, which differs from `port` where that is 0.

    Leaving stops accepting, lets running requests finish for `drain_seconds`, cancels the rest and
    then closes the application's resources.

    Raises:
        StartError: where the port is in use or may not be used.
    """
    async with AsyncExitStack() as stack:
        bound = await stack.enter_async_context(_site(app, settings, port))
        if INTERNAL in app and settings.internal_port is not None:
            await stack.enter_async_context(_site(app[INTERNAL], settings, settings.internal_port))
        # Pushed last so that it happens first: readiness says no before the port closes.
        stack.callback(app[HEALTH].drain)
        yield bound


@asynccontextmanager
async def _site(app: web.Application, settings: Settings, port: int) -> AsyncIterator[int]:
    runner = web.AppRunner(
        app,
        handler_cancellation=True,
        access_log=None,
        keepalive_timeout=_KEEP_ALIVE_SECONDS,
        shutdown_timeout=settings.drain_seconds,
        # Ours are small: what comes compressed is refused (`decode.body`), never inflated.
        auto_decompress=False,
    )
    try:
        await runner.setup()
        site = web.TCPSite(runner, settings.host, port, reuse_address=True)
        try:
            await site.start()
        except OSError as error:
            raise StartError(_why(error, settings.host, port)) from error
        bound = int(runner.addresses[0][1])
        log.info("listening", host=settings.host, port=bound)
        yield bound
    finally:
        await runner.cleanup()


def _why(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is in use by another process"
    if error.errno == errno.EACCES:
        return f"port {port} on {host} needs privileges this process does not have"
    return f"cannot listen on {host}:{port}: {error.strerror or error}"
