"""Events of products leave each database for the stream, once and in order."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from functools import partial

import pytest

from devstack.testing.wait import eventually
from lib.errors import AppError
from lib.events import Relay, stream_of
from lib.events.streams import RedisStreams
from lib.redis import RedisOptions, open_redis
from services.product.model.products import NewProduct, ProductChange
from services.product.service import products
from services.product.service.events import PRODUCTS
from tests.services.calling import by_hand

CHANGES, KILLS = 20, 3


@pytest.fixture
async def redis(redis_server):
    async with open_redis(RedisOptions(redis_server.url)) as client:
        await client.delete(stream_of(PRODUCTS))
        yield client


async def test_the_relay_takes_events_to_the_stream(database_url, redis) -> None:
    async with by_hand(database_url) as db:
        new = NewProduct(name="Saw", price="12.5", currency="EUR", stock=1)
        made = await products.add(db, new, actor="clerk")
        for version, price in ((1, "13"), (2, "14")):
            change = ProductChange(price=price)
            await products.change(db, made.id, change, version=version, actor="clerk")
        await products.remove(db, made.id, version=3)
        relay = Relay(db, RedisStreams(redis))
        while await relay.publish_batch():
            pass
        assert await db.fetchval("SELECT count(*) FROM outbox") == 0
    entries = [fields for _, fields in await redis.xrange(stream_of(PRODUCTS))]
    assert [fields[b"kind"] for fields in entries] == [
        b"product.created", b"product.changed", b"product.changed", b"product.removed",
    ]  # fmt: skip
    assert {fields[b"key"] for fields in entries} == {str(made.id).encode()}
    assert len({fields[b"id"] for fields in entries}) == 4


async def test_no_event_is_lost_while_the_database_is_killed_again_and_again(
    killable_server, redis
) -> None:
    url = await asyncio.to_thread(killable_server.create, "product")
    async with by_hand(url, db_connect_seconds=2) as db:
        new = NewProduct(name="Saw", price="1", currency="EUR", stock=1)
        made = [await products.add(db, new, actor="clerk") for _ in range(3)]
        for version in range(1, CHANGES):
            for product in made:
                change = ProductChange(price=f"{version + 1}")
                await products.change(db, product.id, change, version=version, actor="clerk")

        async def passed(count: int) -> bool:
            return await redis.xlen(stream_of(PRODUCTS)) >= count

        async def is_empty() -> bool:
            with suppress(AppError):
                return await db.fetchval("SELECT count(*) FROM outbox") == 0
            return False

        async with Relay(db, RedisStreams(redis), batch_size=4).running():
            for round_ in range(1, KILLS + 1):
                await eventually(partial(passed, 10 * round_), within=60)
                killable_server.kill()
                await asyncio.to_thread(killable_server.start)
            await eventually(is_empty, within=60)
    entries = [fields for _, fields in await redis.xrange(stream_of(PRODUCTS))]
    first = {fields[b"id"]: fields for fields in reversed(entries)}  # sent twice, it has one id
    assert len(first) == 3 * CHANGES
    for product in made:
        key = str(product.id).encode()
        seen = dict.fromkeys(fields[b"id"] for fields in entries if fields[b"key"] == key)
        kinds = [first[event][b"kind"] for event in seen]
        assert kinds == [b"product.created"] + [b"product.changed"] * (CHANGES - 1)
        prices = [json.loads(first[event][b"payload"])["price"] for event in seen]
        assert [float(price) for price in prices] == [float(n) for n in range(1, CHANGES + 1)]
