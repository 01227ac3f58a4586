"""The resources that an application opens when it starts, and their order."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from aiohttp import web

from lib.component import Component
from lib.http.app import REDIS
from lib.http.components import add_background, add_redis
from lib.redis.settings import RedisParts, RedisSettings


async def test_components_are_opened_one_after_the_other_and_closed_in_reverse() -> None:
    said: list[str] = []

    @asynccontextmanager
    async def component(name: str) -> AsyncIterator[None]:
        said.append(f"open {name}")
        yield
        said.append(f"close {name}")

    def components() -> Iterator[Component]:
        yield component("first")
        said.append("ask for the second")
        yield component("second")

    app = web.Application()
    app.cleanup_ctx.append(lambda _: component("before"))
    add_background(app, components)
    assert said == []
    runner = web.AppRunner(app)
    await runner.setup()
    await runner.cleanup()
    assert said == [
        "open before", "open first", "ask for the second", "open second",
        "close second", "close first", "close before",
    ]  # fmt: skip


async def test_without_a_url_there_is_no_redis_and_the_application_starts() -> None:
    app = web.Application()
    add_redis(app, RedisSettings(_env_file=None))
    runner = web.AppRunner(app)
    await runner.setup()
    assert app[REDIS] == RedisParts()
    await runner.cleanup()
