"""The test database: new for each test, migrated, on a server that a test can kill."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import pytest

from devstack.settings import service_names
from devstack.testing import known_types, postgres

SHOP = """
CREATE TABLE shelf (label text PRIMARY KEY, id serial, twice int GENERATED ALWAYS AS (id * 2));
CREATE TABLE box (shelf text NOT NULL REFERENCES shelf (label), at timestamptz DEFAULT now());
CREATE FUNCTION kept() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER kept BEFORE DELETE ON box FOR EACH ROW EXECUTE FUNCTION kept();
"""
SETTING = """
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem = 64', current_database()); END $$
"""
# Another one has another, also under the same name.
OID = "SELECT oid FROM pg_database WHERE datname = current_database()"
# Everything in a database, but when it was read.
EVERYTHING = "SELECT label, id, twice, (SELECT count(*) FROM box) FROM shelf ORDER BY id"


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory):
    """A server with two small migrations."""
    root = tmp_path_factory.mktemp("migrations")
    (root / "shop" / "demo").mkdir(parents=True)
    (root / "shop" / "0001_shelf.sql").write_text(SHOP)
    (root / "shop" / "0001_shelf.rollback.sql").write_text("DROP TABLE box, shelf;")
    (root / "shop" / "demo" / "0001_rows.sql").write_text(
        "INSERT INTO shelf VALUES ('top'), ('low');"
    )
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
    assert await labels(shelf.create("shop", demo=True)) == ["top", "low"]


async def test_two_databases_share_nothing(shelf):
    one, two = shelf.create("shop"), shelf.create("shop")
    connection = await asyncpg.connect(one)
    await connection.execute("INSERT INTO shelf VALUES ('mine')")
    await connection.close()
    assert (await labels(one), await labels(two)) == (["mine"], [])


@pytest.mark.parametrize(("away", "count"), [(0, 1), (1, 2)], ids=["that server", "another"])
async def test_what_an_enum_is_a_server_is_asked_once(shelf, monkeypatch, away, count):
    ask, asked = asyncpg.Connection._introspect_types, []

    async def counted(connection, oids, timeout):
        asked.append(oids)
        return await ask(connection, oids, timeout)

    async def told(value: str, *before: str) -> object:
        connection = await asyncpg.connect(url)
        try:
            for statement in before:
                await connection.execute(statement)
            return await connection.fetchval(f"SELECT {value}")
        finally:
            await connection.close()

    monkeypatch.setattr(asyncpg.Connection, "_introspect_types", counted)
    url = shelf.create_empty()
    with known_types.asked_once(shelf.port + away):
        size = "'small'::size"
        assert await told(size, "CREATE TYPE size AS ENUM ('small')") == await told(size) == "small"
        assert len(asked) == count
        # Of a row it is asked again: it may have become another.
        assert await told("ROW(1)::place", "CREATE TYPE place AS (shelf int)") == (1,)
        wider = "ALTER TYPE place ADD ATTRIBUTE box text"
        assert await told("ROW(1, 'a')::place", wider) == (1, "a")


async def used(url: str, *statements: str) -> list[tuple]:
    """Return the contents of a database after some statements."""
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
        return [tuple(row) for row in await connection.fetch(EVERYTHING)]
    finally:
        await connection.close()


async def test_a_database_that_is_given_back_is_used_again_as_new(shelf):
    url = shelf.create("shop", demo=True)
    new = await used(url)
    assert new == [("top", 1, 2, 0), ("low", 2, 4, 0)]
    await used(url, "INSERT INTO shelf VALUES ('mine')", "INSERT INTO box VALUES ('mine')")
    await used(url, "UPDATE shelf SET label = 'moved' WHERE label = 'low'")
    await used(url, "CREATE TABLE mine (id serial, shelf text REFERENCES shelf (label))")
    shelf.give_back(url)
    again = shelf.create("shop", demo=True)
    assert (again, await used(again)) == (url, new)
    assert (await used(again, "INSERT INTO shelf VALUES ('third')"))[-1] == ("third", 3, 6, 0)


@pytest.mark.parametrize(
    "write",
    [
        "INSERT INTO shelf VALUES ('mine')",
        "UPDATE shelf SET label = upper(label)",
        "DELETE FROM shelf WHERE label = 'low'",
        "SELECT nextval('shelf_id_seq')",
        "SELECT setval('shelf_id_seq', 9, false)",
    ],
)
async def test_each_life_of_a_database_begins_as_the_first_however_little_was_written(shelf, write):
    url = shelf.create("shop", demo=True)
    for _ in range(3):
        await used(url, write)
        shelf.give_back(url)
        assert shelf.create("shop", demo=True) == url
    found = await used(url, "INSERT INTO shelf VALUES ('next')")
    assert found == [("top", 1, 2, 0), ("low", 2, 4, 0), ("next", 3, 6, 0)]


@pytest.mark.parametrize("db", service_names())
async def test_a_services_database_is_used_again(postgres_server, db):
    url = postgres_server.create(db, demo=True)
    postgres_server.give_back(url)
    again = postgres_server.create(db, demo=True)
    postgres_server.give_back(again)
    assert again == url


async def test_nobody_stays_in_a_database_that_is_given_back(shelf):
    url = shelf.create("shop")
    left = await asyncpg.connect(url)
    await left.execute("BEGIN; LOCK TABLE shelf")
    await asyncio.to_thread(shelf.give_back, url)
    with pytest.raises((OSError, asyncpg.PostgresError, asyncpg.InterfaceError)):
        await left.execute("SELECT 1")


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE shelf ADD COLUMN width int",
        "ALTER TABLE shelf ALTER COLUMN id SET DEFAULT 5",
        "ALTER TABLE box DROP CONSTRAINT box_shelf_fkey",
        "ALTER TABLE box DISABLE TRIGGER kept",
        "ALTER FUNCTION kept() VOLATILE COST 7",
        "CREATE INDEX ON shelf (id)",
        "CREATE VIEW wide AS SELECT 1 AS one",
        "CREATE TABLE mine (id int); CREATE VIEW wide AS SELECT id FROM mine",
        "CREATE TYPE size AS ENUM ('s', 'm')",
        "DROP TABLE box",
        "TRUNCATE box",
        "GRANT SELECT ON shelf TO PUBLIC",
        "ANALYZE shelf",
        "VACUUM shelf",
        SETTING,
        "INSERT INTO shelf SELECT repeat('long', 50) || n FROM generate_series(1, 2000) AS n",
    ],
)
async def test_a_database_with_more_than_other_rows_is_replaced(shelf, change):
    url = shelf.create("shop", demo=True)
    await used(url, "INSERT INTO shelf VALUES ('mine')")
    connection = await asyncpg.connect(url)
    before = await connection.fetchval(OID)
    await connection.execute(change)
    await connection.close()
    shelf.give_back(url)
    again = shelf.create("shop", demo=True)
    connection = await asyncpg.connect(again)
    assert await connection.fetchval(OID) != before
    await connection.close()
    assert len(await used(again)) == 2


async def test_committed_rows_survive_a_kill_of_the_server_and_shared_memory_does_not(
    tmp_path: Path,
):
    with postgres.running(tmp_path) as server:
        assert "/dev/shm/PostgreSQL" not in Path(f"/proc/{server.pid}/maps").read_text()
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
