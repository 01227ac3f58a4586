"""The bare handler of one account: aiohttp, asyncpg's own pool and msgspec; no token is asked for.

Run as `python -m bench.http.bare_me URL PORT ID`.
"""

from __future__ import annotations

import sys
from uuid import UUID

import asyncpg
import msgspec
import uvloop
from aiohttp import web

from services.user.store import profiles
from services.user.store.profiles import GetPersonRow
from services.user.views import person_view

POOL: web.AppKey[asyncpg.Pool] = web.AppKey("POOL", asyncpg.Pool)
encode = msgspec.json.Encoder(decimal_format="string").encode


def main() -> None:
    url, port, account_id = sys.argv[1:]
    me = UUID(account_id)

    async def get_me(request: web.Request) -> web.Response:
        row = await request.app[POOL].fetchrow(profiles.GET_PERSON, me)
        person = person_view(GetPersonRow(*row), None, preview=None, salary=True)
        body = encode({"success": True, "data": person})
        return web.Response(body=body, content_type="application/json")

    async def pool(app: web.Application):
        async with asyncpg.create_pool(url, min_size=2, max_size=10) as pool:
            app[POOL] = pool
            yield

    app = web.Application()
    app.add_routes([web.get("/api/v1/users/me", get_me)])
    app.cleanup_ctx.append(pool)
    uvloop.install()
    web.run_app(app, host="127.0.0.1", port=int(port), access_log=None, print=None)


if __name__ == "__main__":
    main()
