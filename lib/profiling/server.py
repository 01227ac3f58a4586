"""The opt-in profiling port, which listens on the loopback and refuses other host names."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Final

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from lib.errors import AppError, Code, StartError
from lib.http.decode import query
from lib.http.errors import to_response
from lib.http.respond import ok
from lib.log import get_logger
from lib.profiling.cpu import CONTENT_TYPES, CpuFormat, profile_cpu
from lib.profiling.heap import watch_heap
from lib.profiling.stacks import render_stacks
from lib.resource.input import Query

log = get_logger(__name__)

# Not a setting: a profile shows source and data.
LOOPBACK: Final = "127.0.0.1"
_OWN_NAMES: Final = frozenset({"127.0.0.1", "localhost"})
_Seconds = Annotated[float, msgspec.Meta(gt=0, le=60)]


class CpuQuery(Query, frozen=True):
    """The duration and format of a CPU profile."""

    seconds: _Seconds = 5.0
    format: CpuFormat = CpuFormat.SPEEDSCOPE


class HeapQuery(Query, frozen=True):
    """The duration of a heap measurement, and the number of source lines to report."""

    seconds: _Seconds = 5.0
    top: Annotated[int, msgspec.Meta(ge=1, le=500)] = 50


@asynccontextmanager
async def profiling(port: int | None) -> AsyncIterator[int | None]:
    """Serve `/debug/cpu`, `/debug/heap` and `/debug/stacks` on the loopback. None serves nothing.

    Yield the port, which the system selects if `port` is 0.

    Raises:
        StartError: if the port is in use.
    """
    if port is None:
        yield None
        return
    app = web.Application(middlewares=[_local_only])
    app.add_routes(
        [
            web.get("/debug/cpu", _cpu),
            web.get("/debug/heap", _heap),
            web.get("/debug/stacks", _stacks),
        ]
    )
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        yield await _listen(runner, port)
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, port: int) -> int:
    try:
        await web.TCPSite(runner, LOOPBACK, port).start()
    except OSError as error:
        raise StartError(f"cannot listen on the profiling port {port}: {error.strerror}") from error
    bound = int(runner.addresses[0][1])
    log.warning("profiling_enabled", address=f"http://{LOOPBACK}:{bound}/debug/stacks")
    return bound


@web.middleware
async def _local_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse requests with another host name, and requests from web pages of another origin."""
    try:
        if request.url.host not in _OWN_NAMES or "Origin" in request.headers:
            raise AppError(Code.FORBIDDEN, "the profiling port is only for tools on this machine")
        return await handler(request)
    except Exception as error:  # noqa: BLE001 - every error becomes a response
        return to_response(error)


async def _cpu(request: web.Request) -> web.Response:
    asked = query(request, CpuQuery)
    body = await profile_cpu(asked.seconds, asked.format)
    return web.Response(body=body, content_type=CONTENT_TYPES[asked.format])


async def _heap(request: web.Request) -> web.Response:
    asked = query(request, HeapQuery)
    return ok(await watch_heap(asked.seconds, top=asked.top))


async def _stacks(_request: web.Request) -> web.Response:
    return web.Response(text=render_stacks())
