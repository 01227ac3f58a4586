"""Orders of ended accounts are cancelled, and their products return to the stock."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from aiohttp.test_utils import TestClient, TestServer
from pydantic import SecretStr
from redis.asyncio import Redis

from devstack.testing.wait import eventually
from lib.auth import Role
from lib.clock import utc_now
from lib.events import stream_of
from services.order.app import create_app
from tests.services import telling
from tests.services.calling import caller_with
from tests.services.order.goods.fakes import ALICE, BOB

STOCK = 100
# What becomes of an order of each status.
KEPT = {"shipped", "delivered"}


@pytest.fixture
async def client(new_config, own_redis_url) -> AsyncIterator[TestClient]:
    """The service with its consumer."""
    config = new_config(redis_url=SecretStr(own_redis_url))
    async with TestClient(TestServer(create_app(config))) as client:
        yield client


@pytest.fixture
async def placed(client, issuer, shelf, order, move) -> dict[str, str]:
    """Return the IDs of Alice's orders by status, each with two of one product."""
    product = await shelf.add(stock=STOCK)
    found = {}
    for last, statuses in {
        "pending": (),
        "confirmed": ("confirmed",),
        "shipped": ("confirmed", "shipped"),
        "delivered": ("confirmed", "shipped", "delivered"),
    }.items():
        found[last] = (await move(await order((product, 2)), *statuses))["id"]
    bob = caller_with(client, issuer, BOB, Role.CUSTOMER)
    found["bob"] = (await order((product, 2), by=bob))["id"]
    found["product"] = product
    return found


async def statuses(orders_db, placed) -> dict[str, tuple[str, str | None]]:
    rows = await orders_db.fetch("SELECT id::text, status::text, cancel_reason FROM goods_order")
    return {row[0]: (row[1], row[2]) for row in map(tuple, rows)}


@pytest.mark.parametrize(
    ("kind", "cancelled", "reason"),
    [
        ("user.deactivated", {"pending"}, "the account was deactivated"),
        ("user.deleted", {"pending", "confirmed"}, "the account was deleted"),
        ("user.erased", {"pending", "confirmed"}, "the account was deleted"),
    ],
)
async def test_open_orders_of_who_is_gone_are_cancelled_and_their_stock_is_back(
    redis: Redis, shelf, orders_db, placed, kind, cancelled, reason
) -> None:
    await telling.tell(redis, "users", kind, {"id": ALICE}, times=2)

    async def back() -> bool:
        return await shelf.stock(placed["product"]) == STOCK - 2 * (5 - len(cancelled))

    await eventually(back)
    found = await statuses(orders_db, placed)
    for status in ("pending", "confirmed", "shipped", "delivered"):
        expected = ("cancelled", reason) if status in cancelled else (status, None)
        assert found[placed[status]] == expected
    assert found[placed["bob"]] == ("pending", None)

    async def published() -> bool:
        events = [fields for _, fields in await redis.xrange(stream_of("orders"))]
        told = [one[b"key"].decode() for one in events if one[b"kind"] == b"order.cancelled"]
        return sorted(told) == sorted(placed[one] for one in cancelled)

    await eventually(published)


async def test_many_orders_of_who_is_gone_are_cancelled_together(
    redis: Redis, shelf, order, client
) -> None:
    product = await shelf.add(stock=STOCK)
    for _ in range(5):
        await order((product, 2))
    await telling.tell(redis, "users", "user.deleted", {"id": ALICE})

    async def back() -> bool:
        return await shelf.stock(product) == STOCK

    await eventually(back)


async def test_what_was_ordered_after_the_account_came_back_stays(
    redis: Redis, orders_db, placed
) -> None:
    await telling.tell(
        redis, "users", "user.deactivated", {"id": ALICE}, at=utc_now() - timedelta(hours=1)
    )
    await telling.tell(redis, "users", "user.deactivated", {"id": BOB})

    async def bobs_is_over() -> bool:
        return (await statuses(orders_db, placed))[placed["bob"]][0] == "cancelled"

    await eventually(bobs_is_over)
    assert (await statuses(orders_db, placed))[placed["pending"]] == ("pending", None)


async def test_a_draft_of_who_is_gone_becomes_no_order(
    client, redis: Redis, shelf, orders_db
) -> None:
    product = await shelf.add(stock=10)
    draft = "01890000-0000-7000-8000-0000000dead2"
    await orders_db.execute(
        "INSERT INTO goods_draft (id, user_id, pending_validation, created_by, due_at,"
        " product_ids, quantities, held) VALUES ($1::uuid, $2::uuid, false, $2::uuid::text,"
        " now() + '1 h'::interval, ARRAY[$3::uuid], '{2}', '{0}')",
        draft, ALICE, product,
    )  # fmt: skip
    await telling.tell(redis, "users", "user.deleted", {"id": ALICE})

    async def over() -> bool:
        return await orders_db.fetchval("SELECT count(*) FROM goods_draft") == 0

    await eventually(over)
    assert await orders_db.fetchval("SELECT count(*) FROM goods_order") == 0
    assert await shelf.stock(product) == 10
