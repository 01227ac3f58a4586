"""The test database: fresh per test, migrated, able to be killed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import pytest

from lib.testing import postgres


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory):
    """A server over two tiny migrations."""
    root = tmp_path_factory.mktemp("migrations")
    (root / "shop" / "demo").mkdir(parents=True)
    (root / "shop" / "0001_shelf.sql").write_text("CREATE TABLE shelf (label text NOT NULL);")
    (root / "shop" / "0001_shelf.rollback.sql").write_text("DROP TABLE shelf;")
    (root / "shop" / "demo" / "0001_rows.sql").write_text("INSERT INTO shelf VALUES ('top');")
    with postgres.running(root) as server:
        yield server


async def labels(url: str) -> list[str]:
    connection = await asyncpg.connect(url)
    try:
        return [row["label"] for row in await connection.fetch("SELECT label FROM shelf")]
    finally:
        await connection.close()


async def test_a_database_has_the_schema_and_no_rows(shelf):
    assert await labels(shelf.create("shop")) == []


async def test_demo_data_is_there_when_asked_for(shelf):
    assert await labels(shelf.create("shop", demo=True)) == ["top"]


async def test_two_databases_share_nothing(shelf):
    one, two = shelf.create("shop"), shelf.create("shop")
    connection = await asyncpg.connect(one)
    await connection.execute("INSERT INTO shelf VALUES ('mine')")
    await connection.close()
    assert (await labels(one), await labels(two)) == (["mine"], [])


async def test_committed_rows_survive_a_kill_of_the_server(tmp_path: Path):
    with postgres.running(tmp_path) as server:
        url = server.create_empty()
        connection = await asyncpg.connect(url)
        await connection.execute("CREATE TABLE shelf AS SELECT 'kept' AS label; CHECKPOINT")
        server.kill()
        with pytest.raises((OSError, asyncpg.PostgresError)):
            await asyncpg.connect(url)
        server.start()
        assert await labels(url) == ["kept"]


async def test_a_password_is_asked_for(shelf):
    url = shelf.create_empty()
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(url, password="wrong")


async def test_redis_forgets_and_comes_back_after_a_kill(killable_redis):
    import redis.asyncio

    async with redis.asyncio.from_url(killable_redis.url) as client:
        await client.set("a", "1")
        await asyncio.to_thread(killable_redis.kill)
        with pytest.raises(redis.ConnectionError):
            await client.get("a")
        killable_redis.start()
        assert await client.get("a") is None
