"""Find the handler of a method and path once, and cache it for later requests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware
from aiohttp.web_urldispatcher import UrlMappingMatchInfo

# Callers choose addresses, so the table is bounded: a full one is cleared.
_MOST: Final = 2048
_LONGEST: Final = 128

_Handle: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]
_Found: TypeAlias = tuple[UrlMappingMatchInfo, Handler]


class Dispatch:
    """Serve the requests of an application as aiohttp does, but with a fifth of the work.

    The routes of an application never change while it runs, so a path always leads to the same
    handler and middleware. aiohttp itself handles requests to unknown paths and requests with an
    `Expect` header.
    """

    def __init__(self, app: web.Application, otherwise: _Handle) -> None:
        """Create a dispatcher for `app`. `otherwise` handles requests without a route."""
        self._app = app
        self._otherwise = otherwise
        self._found: dict[tuple[str, str], _Found] = {}

    def __call__(self, request: web.Request) -> Awaitable[web.StreamResponse]:
        """Serve a request."""
        found = self._found.get((request.method, request.rel_url.raw_path))
        if found is None or hdrs.EXPECT in request.headers:
            return self._look_up(request)
        request._match_info, handler = found  # noqa: SLF001 - where the library itself keeps it
        return handler(request)

    async def _look_up(self, request: web.Request) -> web.StreamResponse:
        match = await self._app.router.resolve(request)
        if match.http_exception is not None or hdrs.EXPECT in request.headers:
            return await self._otherwise(request)
        match.add_app(self._app)
        match.freeze()
        handler = match.handler
        for middleware in reversed(self._app.middlewares):
            handler = _around(middleware, handler)
        path = request.rel_url.raw_path
        if len(path) <= _LONGEST:
            if len(self._found) >= _MOST:
                self._found.clear()
            self._found[request.method, path] = match, handler
        request._match_info = match  # noqa: SLF001 - as above
        return await handler(request)


def _around(middleware: Middleware, handler: Handler) -> Handler:
    # A `partial` with a keyword costs three times as much to call.
    return lambda request: middleware(request, handler)
