"""The MySQL pool on a real server: values, transactions, our errors, and recovery."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

import pymysql
import pytest
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from devstack.testing.wait import DEADLINE
from lib.config import MysqlSettings
from lib.db import errors, mysql
from lib.db.mysql import open_database
from lib.db.mysql_values import NoDateError

SCHEMA = """
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE item (
    id int, parent int, amount int,
    UNIQUE KEY item_key (id),
    CONSTRAINT item_parent FOREIGN KEY (parent) REFERENCES parent (id),
    CONSTRAINT item_amount CHECK (amount >= 0)
);
CREATE TABLE numbered (id bigint PRIMARY KEY AUTO_INCREMENT, note varchar(200))
"""


NAIVE = datetime.fromisoformat("2024-02-29 01:02:03.000045")
LONG_AGO = timedelta(hours=-30, microseconds=-5)


class Mood(StrEnum):
    GOOD = "it's good"


def settings(url: str, **changes: object) -> MysqlSettings:
    return MysqlSettings.model_validate(
        {"database_url": SecretStr(url), "db_pool_min": 1} | changes
    )


@pytest.fixture
async def db(empty_mysql: str):
    async with open_database(settings(empty_mysql), application="test") as db:
        for statement in SCHEMA.split(";"):
            await db.execute(statement)
        yield db


async def test_a_value_comes_back_as_it_went(db, subtests) -> None:
    for cast, value, back in [
        ("%s", None, None),
        ("%s", "it's \\ \"é\" 🎈 %s %%", "it's \\ \"é\" 🎈 %s %%"),
        ("%s", 2**63 - 1, 2**63 - 1),
        ("%s", True, 1),
        ("%s", Decimal("12345678901234567890.50"), Decimal("12345678901234567890.50")),
        ("%s", 0.1, 0.1),
        ("%s", b"\x00'\xff", b"\x00'\xff"),
        ("%s", b"", ""),
        ("%s", Mood.GOOD, "it's good"),
        ("%s", UUID(int=7), str(UUID(int=7))),
        ("CAST(%s AS DATE)", date(2024, 2, 29), date(2024, 2, 29)),
        ("CAST(%s AS DATETIME(6))", NAIVE, NAIVE),
        (
            "CAST(%s AS DATETIME(6))",
            datetime(2024, 1, 1, 1, tzinfo=timezone(timedelta(hours=2))),
            NAIVE.replace(2023, 12, 31, 23, 0, 0, 0),
        ),
        ("CAST(%s AS TIME(6))", LONG_AGO, LONG_AGO),
    ]:  # fmt: skip
        with subtests.test(cast=cast):
            assert await db.fetchval(f"SELECT {cast}", value) == back


async def test_a_timestamp_is_a_moment_in_utc(db) -> None:
    await db.execute("CREATE TABLE t (at timestamp(6) NOT NULL)")
    at = datetime(2024, 5, 1, 12, tzinfo=UTC)
    await db.execute("INSERT INTO t VALUES (%s)", at)
    assert await db.fetchval("SELECT at FROM t") == at


NO_DATES = """
SET sql_mode = ''; CREATE TABLE z (id int, at %s);
INSERT INTO z VALUES (1, '2024-02-29'), (2, '0000-00-00'), (3, '2024-02-29')
"""


async def _dates(db, way: str) -> None:
    query = "SELECT at FROM z ORDER BY id"
    if way == "pool":
        await db.fetch(query)
    async with db.transaction() as tx:
        if way == "transaction":
            await tx.fetch(query)
        await (await tx.cursor(query)).fetch(3)


@pytest.mark.parametrize("kind", ["date", "datetime", "timestamp"])
@pytest.mark.parametrize("way", ["pool", "transaction", "cursor"])
async def test_a_date_that_is_none_is_an_error_and_what_follows_is_answered(db, kind, way) -> None:
    async with db.transaction() as tx:
        for statement in (NO_DATES % kind).split(";"):
            await tx.execute(statement)
    with pytest.raises(NoDateError, match="0000-00-00"):
        await _dates(db, way)
    answers = await asyncio.gather(*(db.fetch("SELECT %s", n) for n in range(20)))
    assert [list(map(tuple, rows)) for rows in answers] == [[(n,)] for n in range(20)]


@pytest.mark.parametrize("value", [float("nan"), Decimal("Infinity")])
async def test_a_number_that_is_none_is_refused_before_the_server_sees_it(db, value) -> None:
    with pytest.raises(ValueError):
        await db.fetchval("SELECT %s", value)


async def test_a_type_that_no_column_takes_is_named(db) -> None:
    with pytest.raises(TypeError, match="object is not a type"):
        await db.fetchval("SELECT %s", object())


async def test_a_list_of_any_length_means_what_sets_mean(db, subtests) -> None:
    await db.execute("INSERT INTO parent VALUES (1), (2), (3)")
    for condition, values, found in (
        ("id IN (%s)", [1, 3], [1, 3]),
        ("id IN (%s)", [], []),
        ("id NOT IN (%s)", [1], [2, 3]),
        ("id NOT IN (%s)", [], [1, 2, 3]),
        ("NULL NOT IN (%s)", [], [1, 2, 3]),
        ("id IN (%s)", (2,), [2]),
    ):
        with subtests.test(condition=condition, values=values):
            query = f"SELECT id FROM parent WHERE {condition} ORDER BY id"
            assert [row[0] for row in await db.fetch(query, values)] == found


async def test_a_percent_sign_in_the_text_survives_with_and_without_arguments(db) -> None:
    assert await db.fetchval("SELECT 'a%%b' LIKE 'a%%'") == 1
    assert await db.fetchval("SELECT 'a%%b' = %s", "a%b") == 1


async def test_the_tag_counts_the_rows_that_were_found(db) -> None:
    assert await db.execute("INSERT INTO parent VALUES (1), (2)") == "INSERT 0 2"
    assert await db.execute("UPDATE parent SET id = id WHERE id = 1") == "UPDATE 1"
    assert await db.execute("/* why */ DELETE FROM parent WHERE id > 0") == "DELETE 2"


async def test_the_last_id_is_the_first_new_row_s(db) -> None:
    insert = "INSERT INTO numbered (note) VALUES (%s), (%s)"
    assert await db.execute_lastid(insert, "a", "b") == 1
    assert await db.execute_lastid(insert, "c", "d") == 3


async def test_copied_rows_are_all_there_or_none(db) -> None:
    records = [(n, "x" * 150) for n in range(1, 9001)]
    status = await db.copy_records_to_table("numbered", columns=["id", "note"], records=records)
    assert status == "COPY 9000"
    with pytest.raises(errors.UniqueViolationError):
        await db.copy_records_to_table(
            "numbered",
            columns=["id", "note"],
            records=[(n, "y" * 150) for n in range(18000, 8999, -1)],
        )
    assert await db.fetchval("SELECT count(*) FROM numbered") == 9000


async def test_copied_rows_are_timed_under_the_name_of_their_table(db, empty_mysql: str) -> None:
    registry = CollectorRegistry()
    async with open_database(settings(empty_mysql), application="test", registry=registry) as timed:
        for first in (1, 4):
            records = [(n, "x") for n in range(first, first + 3)]
            await timed.copy_records_to_table("numbered", columns=["id", "note"], records=records)
        async with timed.transaction() as tx:
            await tx.copy_records_to_table("parent", columns=["id"], records=[(1,)])
    for name, number in (("copy numbered", 2.0), ("copy parent", 1.0), ("other", 0.0)):
        labels = {"query": name}
        assert registry.get_sample_value("db_query_duration_seconds_count", labels) == number


async def test_many_executions_are_all_done_or_none(db) -> None:
    await db.executemany("INSERT INTO parent VALUES (%s)", [(1,), (2,)])
    with pytest.raises(errors.UniqueViolationError):
        await db.executemany("INSERT INTO parent VALUES (%s)", [(3,), (1,)])
    assert await db.fetchval("SELECT count(*) FROM parent") == 2


async def test_a_stream_is_read_in_chunks_and_may_be_left_early(db) -> None:
    await db.copy_records_to_table("parent", columns=["id"], records=[(n,) for n in range(100)])
    async with db.transaction() as tx:
        cursor = await tx.cursor("SELECT id FROM parent ORDER BY id")
        assert [row[0] for row in await cursor.fetch(3)] == [0, 1, 2]
    assert await db.fetchval("SELECT count(*) FROM parent") == 100


@pytest.mark.parametrize("isolation", ["read_committed", "repeatable_read", "serializable"])
async def test_an_isolation_level_is_the_transaction_s_own(db, isolation) -> None:
    """Another session commits in between; only `read_committed` sees the change."""
    await db.execute("INSERT INTO parent VALUES (1)")
    async with db.transaction(isolation=isolation) as tx:
        await tx.fetchval("SELECT 1")
        if isolation != "serializable":  # there the read below would block the insert
            assert await tx.fetchval("SELECT count(*) FROM parent") == 1
            await db.execute("INSERT INTO parent VALUES (2)")
        seen = await tx.fetchval("SELECT count(*) FROM parent")
    assert seen == (2 if isolation == "read_committed" else 1)


async def test_an_old_connection_is_replaced(empty_mysql) -> None:
    config = settings(empty_mysql, db_pool_max=1, db_lifetime_seconds=0.05)
    async with open_database(config, application="test") as db:
        first = await db.fetchval("SELECT connection_id()")
        async with asyncio.timeout(DEADLINE):
            while await db.fetchval("SELECT connection_id()") == first:
                await asyncio.sleep(0.01)


async def test_a_single_statement_that_deadlocks_is_tried_again(db, monkeypatch) -> None:
    calls = 0

    async def loses_once(connection, query, args):
        nonlocal calls
        calls += 1
        if calls == 1:
            raise pymysql.err.OperationalError(1213, "Deadlock found when trying to get lock")
        return "UPDATE 1"

    monkeypatch.setattr(mysql.session, "execute", loses_once)
    assert await db.execute("UPDATE parent SET id = 1") == "UPDATE 1"
    assert calls == 2


async def test_a_closed_pool_refuses(empty_mysql: str) -> None:
    async with open_database(settings(empty_mysql), application="test") as db:
        await db.ping()
    with pytest.raises(errors.DatabaseClosedError):
        await db.ping()
