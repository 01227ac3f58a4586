"""How the list is collected: concurrently, with the first error raised, and no work left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, get_args

import asyncpg
import pytest

from devstack.testing.wait import eventually
from lib.errors import AppError, Code
from lib.resource.lists import Sort
from services.user.model.people import OrderBy, PeopleQuery
from services.user.service import people as service
from services.user.store import staff
from tests.conftest import NewDatabase
from tests.services.user.fake_points import FakePoints


class Watched:
    """An executor that records statements, and can hold or fail those that match."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self.began: list[str] = []
        self.running: set[str] = set()
        self.hold: Callable[[str], bool] = lambda sql: False
        self.fail: Callable[[str], bool] = lambda sql: False
        self.cancelled = 0

    async def _run(self, method: Any, sql: str, args: tuple[object, ...]) -> Any:
        self.began.append(sql)
        self.running.add(sql)
        try:
            if self.fail(sql):
                await asyncio.sleep(0)
                raise AppError(Code.SERVICE_UNAVAILABLE, "the database is away")
            if self.hold(sql):
                await asyncio.Event().wait()
            return await method(sql, *args)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.running.discard(sql)

    async def fetch(self, sql: str, /, *args: object) -> Any:
        return await self._run(self._pool.fetch, sql, args)

    async def fetchrow(self, sql: str, /, *args: object) -> Any:
        return await self._run(self._pool.fetchrow, sql, args)

    async def fetchval(self, sql: str, /, *args: object) -> Any:
        return await self._run(self._pool.fetchval, sql, args)

    async def execute(self, sql: str, /, *args: object) -> str:
        raise AssertionError("a list writes nothing")


@pytest.fixture
async def db(new_database: NewDatabase) -> AsyncIterator[Watched]:
    url = await new_database("user", demo=True)
    async with asyncpg.create_pool(url, min_size=1, max_size=4) as pool:
        yield Watched(pool)


async def test_statistics_are_computed_while_the_points_are_requested(db: Watched) -> None:
    points = FakePoints()
    points.hang = asyncio.Event()
    listing = asyncio.create_task(service.list_users(db, points, PeopleQuery(search="a")))
    await eventually(lambda: bool(points.asked) and len(db.began) == 2 and not db.running)
    assert not listing.done()
    points.hang.set()
    assert (await listing).degraded == ()


async def test_points_are_asked_for_once_for_the_page_alone(db: Watched) -> None:
    points = FakePoints()
    page = await service.list_users(db, points, PeopleQuery(page_size=2, sort=Sort.DESC))
    assert points.asked == [[user.id for user in page.data.users]]
    assert [user.name for user in page.data.users] == ["Ian Malcolm", "Hannah Baker"]


async def test_an_empty_page_asks_nobody_for_points(db: Watched) -> None:
    points = FakePoints()
    page = await service.list_users(db, points, PeopleQuery(page=9))
    assert (points.asked, page.data.users, page.total) == ([], [], 9)


async def test_the_first_error_is_raised_and_cancels_the_rest(db: Watched) -> None:
    points = FakePoints()
    points.hang = asyncio.Event()
    db.fail = lambda sql: sql == staff.STAFF_STATISTICS
    db.hold = lambda sql: sql != staff.STAFF_STATISTICS
    with pytest.raises(AppError, match="the database is away") as raised:
        await service.list_users(db, points, PeopleQuery(search="a"))
    assert raised.value.code is Code.SERVICE_UNAVAILABLE
    assert (db.running, db.cancelled) == (set(), 1)


async def test_a_cancelled_list_leaves_nothing_running(db: Watched) -> None:
    db.hold = lambda sql: True
    listing = asyncio.create_task(service.list_users(db, FakePoints(), PeopleQuery(search="a")))
    await eventually(lambda: len(db.running) == 2)
    listing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listing
    assert (db.running, db.cancelled) == (set(), 2)


async def test_points_that_are_missing_degrade_the_page_and_nothing_else(db: Watched) -> None:
    points = FakePoints()
    points.available = False
    page = await service.list_users(db, points, PeopleQuery())
    assert page.degraded == ("point",)
    assert {user.points for user in page.data.users} == {None}
    assert page.data.statistics.count == page.total == 9


@pytest.mark.parametrize("order_by", get_args(OrderBy))
@pytest.mark.parametrize("sort", list(Sort))
async def test_every_order_is_one_the_database_knows_and_obeys(
    db: Watched, order_by: str, sort: Sort
) -> None:
    query = PeopleQuery(order_by=order_by, sort=sort)
    page = await service.list_users(db, FakePoints(), query)
    values = [getattr(user, order_by) for user in page.data.users]
    assert values == sorted(values, reverse=sort is Sort.DESC)
