"""Read your own writes: return the client's write position after a write."""

from __future__ import annotations

from aiohttp import web

from lib import positions
from lib.http.middleware.exchange import Exchange


async def add_position(exchange: Exchange, response: web.StreamResponse) -> None:
    """Add the write position of this request to the response, if the request wrote data."""
    if known := await exchange.positions.answer():
        response.headers[positions.HEADER] = known
