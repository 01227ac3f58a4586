"""Read your own writes: read the client's write position, and return it after a write."""

from __future__ import annotations

from typing import Final

from aiohttp import hdrs, web
from multidict import istr

from lib import positions
from lib.http.middleware.exchange import Exchange
from lib.positions import Scope

_HEADER: Final = istr(positions.HEADER)
_READING: Final = frozenset({hdrs.METH_GET, hdrs.METH_HEAD})


def enter(exchange: Exchange) -> Scope:
    """Bind the position scope of the request. The scope ends with the request's task.

    Replicas may serve GET and HEAD requests. A long-lived connection reads from the primary.
    """
    reads = exchange.method in _READING and not exchange.is_long_lived
    scope = Scope(reads, exchange.headers.get(_HEADER))
    positions.scope.set(scope)
    return scope


async def add_position(scope: Scope, response: web.StreamResponse) -> None:
    """Add the write position of this request to the response, if the request wrote data."""
    if known := await scope.answer():
        response.headers[_HEADER] = known
