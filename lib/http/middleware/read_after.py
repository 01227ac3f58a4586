"""Read your own writes: return the log position of a request's writes to the client."""

from __future__ import annotations

from aiohttp import web

from lib import positions
from lib.http.middleware.exchange import Exchange


async def add_position(exchange: Exchange, response: web.StreamResponse) -> None:
    """If the request wrote data, add the log position of its writes to the response."""
    if known := await exchange.positions.answer():
        response.headers[positions.HEADER] = known
