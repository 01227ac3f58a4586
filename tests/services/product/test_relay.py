"""Events of products leave either database for the stream, each once and in order."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from lib.config import DatabaseSettings
from lib.db.engine import open_database
from lib.events import Relay, stream_of
from lib.redis import RedisOptions, open_redis
from services.product.model.products import NewProduct, ProductChange
from services.product.service import products
from services.product.service.events import PRODUCTS


@pytest.fixture
async def redis(redis_server):
    async with open_redis(RedisOptions(redis_server.url)) as client:
        await client.delete(stream_of(PRODUCTS))
        yield client


async def test_the_relay_takes_events_to_the_stream(database_url, redis) -> None:
    settings = DatabaseSettings(_env_file=None, database_url=SecretStr(database_url))
    async with open_database(settings, application="test") as db:
        new = NewProduct(name="Saw", price="12.5", currency="EUR", stock=1)
        made = await products.add(db, new, actor="clerk")
        for version, price in ((1, "13"), (2, "14")):
            change = ProductChange(price=price)
            await products.change(db, made.id, change, version=version, actor="clerk")
        await products.remove(db, made.id, version=3)
        relay = Relay(db, redis)
        while await relay.publish_batch():
            pass
        assert await db.fetchval("SELECT count(*) FROM outbox") == 0
    entries = [fields for _, fields in await redis.xrange(stream_of(PRODUCTS))]
    assert [fields[b"kind"] for fields in entries] == [
        b"product.created", b"product.changed", b"product.changed", b"product.removed",
    ]  # fmt: skip
    assert {fields[b"key"] for fields in entries} == {str(made.id).encode()}
    assert len({fields[b"id"] for fields in entries}) == 4
