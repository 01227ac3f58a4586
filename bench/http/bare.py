"""The bare handler: aiohttp, asyncpg's own pool and msgspec, nothing around them.

Run as `python -m bench.http.bare URL PORT`.
"""

from __future__ import annotations

import sys
from uuid import UUID

import asyncpg
import msgspec
import uvloop
from aiohttp import web

from services.department.store.postgres import departments
from services.department.store.postgres.models import Department

POOL: web.AppKey[asyncpg.Pool] = web.AppKey("POOL", asyncpg.Pool)
encode = msgspec.json.Encoder(decimal_format="string").encode


async def get_one(request: web.Request) -> web.Response:
    row = await request.app[POOL].fetchrow(
        departments.GET_DEPARTMENT, UUID(request.match_info["id"])
    )
    data = {"success": True, "data": Department(*row)}
    return web.Response(body=encode(data), content_type="application/json")


async def get_list(request: web.Request) -> web.Response:
    page, page_size = int(request.query.get("page", 1)), int(request.query["page_size"])
    rows = await request.app[POOL].fetch(
        departments.LIST_DEPARTMENTS_BY_NAME, None, page_size, (page - 1) * page_size
    )
    total = rows[0][-1] if rows else 0
    meta = {
        "page": page,
        "page_size": page_size,
        "total_count": total,
        "total_pages": -(-total // page_size),
    }
    data = {"success": True, "data": [Department(*row[:-1]) for row in rows], "meta": meta}
    return web.Response(body=encode(data), content_type="application/json")


def main() -> None:
    url, port = sys.argv[1:]
    app = web.Application()
    app.add_routes(
        [web.get("/api/v1/departments", get_list), web.get("/api/v1/departments/{id}", get_one)]
    )

    async def pool(app: web.Application):
        async with asyncpg.create_pool(url, min_size=2, max_size=10) as pool:
            app[POOL] = pool
            yield

    app.cleanup_ctx.append(pool)
    uvloop.install()
    web.run_app(app, host="127.0.0.1", port=int(port), access_log=None, print=None)


if __name__ == "__main__":
    main()
