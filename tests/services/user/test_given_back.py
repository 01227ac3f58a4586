"""An attempt that failed by our fault is subtracted: a slow database locks no user out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from functools import partial

import pytest

from devstack.testing.wait import eventually
from lib import context
from lib.db import Database
from lib.errors import AppError, Code
from services.user.service import counting
from services.user.service.throttle import Limit, key
from tests.clock import advance
from tests.services.calling import by_hand
from tests.services.user.locks import until_none_waits, until_waiting
from tests.services.user.world import PASSWORD, Answer, World, bearer

# For an account and an address, for an account, for an address: the last is not given back.
COUNTED = {key(str(number)): Limit(9, 900) for number in range(3)}
# More than the machine needs, less than what else waits: only `advance` makes a request late.
REQUEST_SECONDS = 40.0
STALLS = [{"request_seconds": REQUEST_SECONDS, "login_attempts": 3}]


@pytest.fixture
async def db(new_database) -> AsyncIterator[Database]:
    async with by_hand(await new_database("user")) as opened:
        yield opened


@asynccontextmanager
async def locked(world: World, statement: str) -> AsyncIterator[None]:
    """Lock what a request waits for, but no emails: the mailer would look like a request."""
    await world.until_mails_are_sent()
    transaction = world.db.transaction()
    await transaction.start()
    await world.db.execute(statement)
    try:
        yield
    finally:
        await transaction.rollback()


async def stalled(world: World, patch: pytest.MonkeyPatch, request: Awaitable[Answer]) -> int:
    """Return the status of a request whose time ends while it waits for a lock."""
    task = asyncio.ensure_future(request)
    waiting = asyncio.create_task(until_waiting(world.db, 1))
    await asyncio.wait([task, waiting], return_when=asyncio.FIRST_COMPLETED)
    assert not task.done(), task.result()
    await waiting
    advance(patch, REQUEST_SECONDS)
    answer = await task
    # Neither its lock nor its attempt is left to the next one.
    await until_none_waits(world.db)
    await eventually(lambda: not counting._under_way)
    return answer.status


async def attempts(db: Database) -> int:
    return await db.fetchval("SELECT coalesce(sum(attempts), 0)::integer FROM attempt")


@pytest.mark.parametrize("settings", STALLS)
async def test_right_passwords_while_the_database_stalls_do_not_lock_the_owner_out(
    world, monkeypatch
) -> None:
    await world.signed_up()
    async with locked(world, "SELECT FROM account FOR UPDATE"):
        for _ in range(5):
            assert await stalled(world, monkeypatch, world.login()) in (503, 504)
    assert (await world.login()).status == 200


@pytest.mark.parametrize("settings", STALLS)
async def test_wrong_passwords_count_even_where_their_answer_fails(world, monkeypatch) -> None:
    """Otherwise, an attacker who slows the database down could guess without a limit."""
    await world.signed_up()
    async with locked(world, "LOCK TABLE audit_entry"):
        for _ in range(3):
            login = world.login(password="wrong-horse-7")
            assert await stalled(world, monkeypatch, login) in (503, 504)
    assert (await world.login()).status == 429


@pytest.mark.parametrize("settings", STALLS)
async def test_changes_of_the_password_while_the_database_stalls_are_given_back(
    world, monkeypatch
) -> None:
    session = await world.signed_up()
    words = {"old_password": PASSWORD, "new_password": "battery-staple-1"}
    change = partial(
        world.call, "PATCH", "/api/v1/users/me/change-password", words, headers=bearer(session)
    )
    async with locked(world, "SELECT FROM account FOR UPDATE"):
        for _ in range(3):
            assert await stalled(world, monkeypatch, change()) in (503, 504)
    assert (await change()).status == 204


@pytest.mark.parametrize(
    ("failure", "left"),
    [
        (AppError(Code.SERVICE_UNAVAILABLE, "away"), 1),
        (AppError(Code.INTERNAL_ERROR, "a bug"), 1),
        (TimeoutError(), 1),
        (ZeroDivisionError(), 1),
        (AppError(Code.UNAUTHORIZED, "wrong"), 3),
        (AppError(Code.FORBIDDEN, "not active"), 3),
        (asyncio.CancelledError(), 3),
    ],
)
async def test_failures_of_ours_are_given_back_and_no_others(
    db: Database, failure: BaseException, left: int
) -> None:
    context.deadline.set(asyncio.get_running_loop().time() + 60)
    with pytest.raises(type(failure)):
        async with counting.counted(db, COUNTED):
            raise failure

    async def are_left() -> bool:
        return await attempts(db) == left

    await eventually(are_left)


async def test_what_was_over_its_time_is_given_back(db: Database) -> None:
    context.deadline.set(asyncio.get_running_loop().time() - 1)
    with pytest.raises(asyncio.CancelledError):
        async with counting.counted(db, COUNTED):
            raise asyncio.CancelledError

    async def is_left() -> bool:
        return await attempts(db) == 1

    await eventually(is_left)


async def test_as_many_as_wait_already_are_not_given_back(db: Database, monkeypatch) -> None:
    monkeypatch.setattr(counting, "_MOST", 0)
    with pytest.raises(TimeoutError):
        async with counting.counted(db, COUNTED):
            raise TimeoutError
    assert await attempts(db) == 3
    assert not counting._under_way
