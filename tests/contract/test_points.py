"""All implementations of `ports.Points` behave the same, including the fake."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from uuid import UUID

import pytest
from prometheus_client import CollectorRegistry

from lib.errors import AppError, Code
from lib.ids import new_id
from services.user.config import UserConfig
from services.user.points_client import open_points
from services.user.ports import PointEntry, Points
from tests.conftest import NewDatabase
from tests.services.running import points_reader, running_point
from tests.services.user.fake_points import FakePoints

ALICE, BOB = (UUID(f"01890000-0000-7000-8000-00000000000{n}") for n in (1, 2))
LEDGER = [
    PointEntry(
        UUID(f"01890000-0000-7000-8000-0000000e010{month}"),
        amount,
        balance,
        reason,
        datetime(2023, month, 1, 9, tzinfo=UTC),
    )
    for month, amount, balance, reason in (
        (1, 20, 20, "welcome"),
        (2, 10, 30, "referral"),
        (3, -7, 23, "coffee voucher"),
    )
]
Subject = tuple[Points, Callable[[], Awaitable[None]]]


@pytest.fixture(params=["fake", "grpc"])
async def subject(
    request: pytest.FixtureRequest, new_database: NewDatabase
) -> AsyncIterator[Subject]:
    """An implementation in which Alice has 23 points and Bob 43, and a function that stops it."""
    if request.param == "fake":
        fake = FakePoints({ALICE: 23, BOB: 43}, {ALICE: LEDGER})

        async def down() -> None:
            fake.available = False

        yield fake, down
        return
    database = await new_database("point", demo=True)

    async with AsyncExitStack() as service:
        point = await service.enter_async_context(running_point(database))
        config = UserConfig(
            _env_file=None,
            database_url="postgresql://x/y",
            point_grpc_address=point.grpc_address,
            points_seconds=10,  # nothing here is about time
            point_connections=1,  # one that is not given back is missed by the next call
        )
        async with open_points(config, points_reader(), registry=CollectorRegistry()) as client:
            yield client, service.aclose


async def test_points_come_by_user_and_somebody_without_any_has_zero(subject: Subject) -> None:
    points, _ = subject
    unknown = new_id()
    assert await points.of_users([ALICE, BOB, unknown]) == {ALICE: 23, BOB: 43, unknown: 0}


async def test_asking_for_nobody_answers_nothing(subject: Subject) -> None:
    points, _ = subject
    assert await points.of_users([]) == {}


async def test_asking_twice_for_one_user_answers_once(subject: Subject) -> None:
    points, _ = subject
    assert await points.of_users([ALICE, ALICE]) == {ALICE: 23}


async def test_a_thousand_users_may_be_asked_for_and_not_one_more(subject: Subject) -> None:
    points, _ = subject
    assert len(await points.of_users([new_id() for _ in range(1_000)])) == 1_000
    with pytest.raises(AppError) as raised:
        await points.of_users([new_id() for _ in range(1_001)])
    assert raised.value.code is Code.VALIDATION_ERROR
    assert [detail.field for detail in raised.value.details] == ["user_ids"]


async def test_a_service_that_is_down_is_unavailable(subject: Subject) -> None:
    points, take_down = subject
    await take_down()
    with pytest.raises(AppError) as raised:
        await points.of_users([ALICE])
    assert raised.value.code is Code.SERVICE_UNAVAILABLE


@pytest.mark.parametrize(
    ("after", "limit", "expected"),
    [
        (None, 100, LEDGER),
        (None, 3, LEDGER),
        (None, 1, LEDGER[:1]),
        (LEDGER[0].id, 1, LEDGER[1:2]),
        (LEDGER[0].id, 9, LEDGER[1:]),
        (LEDGER[2].id, 9, []),
    ],
)
async def test_a_ledger_comes_in_parts_the_oldest_entry_first(
    subject: Subject, after: UUID | None, limit: int, expected: list[PointEntry]
) -> None:
    points, _ = subject
    for _ in range(3):  # a part that ends early leaves nothing open
        assert list(await points.ledger(ALICE, after=after, limit=limit)) == expected


async def test_the_ledger_of_somebody_without_points_is_empty(subject: Subject) -> None:
    points, _ = subject
    assert list(await points.ledger(new_id(), after=None, limit=9)) == []


async def test_a_ledger_that_cannot_be_asked_for_is_unavailable(subject: Subject) -> None:
    points, take_down = subject
    await take_down()
    with pytest.raises(AppError) as raised:
        await points.ledger(ALICE, after=None, limit=9)
    assert raised.value.code is Code.SERVICE_UNAVAILABLE
