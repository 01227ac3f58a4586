"""Short links over HTTP. Each constraint has an exception of its own: no look-up beforehand.

Run it on a new database: aiosqlc serve -- python -m aiohttp.web shortlinks.app:create_app
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import msgspec
from aiohttp import web

from shortlinks.store import links
from shortlinks.store.errors import LinkPkey, LinkSlugCheck

POOL: web.AppKey[Any] = web.AppKey("pool", object)


class NewLink(msgspec.Struct):
    """A link to be made."""

    slug: str
    target: str


def answer(body: object, status: int = 200) -> web.Response:
    """Return a response of anything that msgspec can encode, rows as they are."""
    return web.Response(
        body=msgspec.json.encode(body), status=status, content_type="application/json"
    )


async def add(request: web.Request) -> web.Response:
    """Make a link."""
    try:
        new = msgspec.json.decode(await request.read(), type=NewLink)
    except msgspec.DecodeError as error:
        return answer({"error": str(error)}, 400)
    if not new.target.startswith(("https://", "http://")):
        return answer({"error": "the target must be a web address"}, 400)
    try:
        await links.add_link(request.app[POOL], slug=new.slug, target=new.target)
    except LinkPkey:
        return answer({"error": "that name is taken"}, 409)
    except LinkSlugCheck:
        return answer({"error": "a name has small letters, digits and hyphens"}, 400)
    return answer(new, 201)


async def visit(request: web.Request) -> web.Response:
    """Send a visitor on."""
    target = await links.visit(request.app[POOL], slug=request.match_info["slug"])
    if target is None:
        return answer({"error": "no such link"}, 404)
    raise web.HTTPFound(target)


async def busiest(request: web.Request) -> web.Response:
    """List the links that are visited most."""
    return answer(await links.busiest(request.app[POOL], most=10))


async def pool(app: web.Application) -> AsyncIterator[None]:
    """Keep a pool of connections for as long as the application runs."""
    async with asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=1) as opened:
        app[POOL] = opened
        yield


def create_app(_arguments: list[str] | None = None) -> web.Application:
    """Return the application."""
    app = web.Application(client_max_size=10_000)
    app.cleanup_ctx.append(pool)
    app.add_routes([web.post("/links", add), web.get("/links", busiest), web.get("/{slug}", visit)])
    return app
