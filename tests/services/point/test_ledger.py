"""In the database, a balance is the sum of its entries, for any number of concurrent writers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from lib.ids import new_id
from services.point import service
from services.point.model import BEFORE_ALL
from tests.conftest import NewDatabase

pytestmark = pytest.mark.repo

ALICE = UUID("01890000-0000-7000-8000-000000000001")
EARN = "INSERT INTO point_entry (id, user_id, amount, reason) VALUES ($1, $2, $3, 'test')"
SUMS = """
SELECT count(*) FROM point_balance AS b
WHERE balance <> (SELECT coalesce(sum(amount), 0) FROM point_entry AS e WHERE e.user_id = b.user_id)
"""


@pytest.fixture
async def pool(new_database: NewDatabase) -> AsyncIterator[Any]:
    async with asyncpg.create_pool(
        await new_database("point", demo=True), min_size=1, max_size=8
    ) as pool:
        yield pool


async def test_the_demo_balances_are_the_reference_ones_and_sums_of_their_entries(
    pool: Any,
) -> None:
    rows = await pool.fetch("SELECT balance FROM point_balance ORDER BY user_id")
    assert [row["balance"] for row in rows] == [23, 43, 28, 83, 13, 33, 93, 13, 73]
    assert await pool.fetchval(SUMS) == 0


async def test_concurrent_entries_all_count(pool: Any) -> None:
    newcomer = new_id()
    await asyncio.gather(*(pool.execute(EARN, new_id(), newcomer, n) for n in range(1, 41)))
    assert await service.points_of(pool, newcomer) == sum(range(1, 41))
    assert await pool.fetchval(SUMS) == 0


async def test_concurrent_spending_stops_at_zero(pool: Any) -> None:
    results = await asyncio.gather(
        *(pool.execute(EARN, new_id(), ALICE, -5) for _ in range(10)), return_exceptions=True
    )
    spent = [result for result in results if result == "INSERT 0 1"]
    refused = [r for r in results if isinstance(r, asyncpg.CheckViolationError)]
    assert (len(spent), len(refused)) == (4, 6)
    assert await service.points_of(pool, ALICE) == 3
    assert await pool.fetchval(SUMS) == 0


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE point_balance SET balance = 1000",
        "INSERT INTO point_balance (user_id, balance) VALUES (gen_random_uuid(), 1)",
        "DELETE FROM point_balance",
        "UPDATE point_entry SET amount = 1000",
        "DELETE FROM point_entry",
    ],
)
async def test_no_statement_gets_around_the_ledger(pool: Any, statement: str) -> None:
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        await pool.execute(statement)


@pytest.mark.parametrize("amount", [0, -1, 2**31], ids=["nothing", "debt", "more than fits"])
async def test_an_entry_that_cannot_be_is_refused(pool: Any, amount: int) -> None:
    newcomer = new_id()
    with pytest.raises(asyncpg.CheckViolationError):
        await pool.execute(EARN, new_id(), newcomer, amount)
    assert (
        await pool.fetchval("SELECT count(*) FROM point_balance WHERE user_id = $1", newcomer) == 0
    )


@pytest.mark.aiosqlc_loops(8)  # a ledger is read in pages: nothing is held in between
async def test_a_ledger_longer_than_a_page_comes_whole_and_in_order(pool: Any) -> None:
    newcomer = new_id()
    ids = [new_id() for _ in range(7)]
    for entry_id in ids:
        await pool.execute(EARN, entry_id, newcomer, 1)
    for page_size in (1, 3, 7, 8):
        entries = [e async for e in service.ledger(pool, newcomer, BEFORE_ALL, page_size=page_size)]
        assert [e.id for e in entries] == ids
        assert [e.balance_after for e in entries] == list(range(1, 8))


async def test_nobody_has_an_empty_ledger_and_no_points(pool: Any) -> None:
    assert [e async for e in service.ledger(pool, new_id(), BEFORE_ALL)] == []
    assert await service.points_of_many(pool, []) == {}
