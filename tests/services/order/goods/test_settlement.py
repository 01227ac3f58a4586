"""Automatic steps of an order: settled when it is paid, cancelled when it is not confirmed."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from uuid import UUID

from aiohttp.test_utils import TestClient, TestServer

from devstack.testing.wait import eventually
from lib.auth import Role
from lib.errors import AppError, Code
from services.order.app import create_app
from tests.services.calling import Caller
from tests.services.order.goods.fakes import ALICE


class LatePayments:
    """A payment service that has not collected yet."""

    def __init__(self) -> None:
        self.paid = False
        self.failing = False

    async def settled(self, order_id: UUID, total: Decimal, currency: str) -> bool:
        if self.failing:
            raise AppError(Code.SERVICE_UNAVAILABLE, "the bank is closed")
        return self.paid


async def test_others_hear_that_an_order_is_settled_once_it_is_paid_for(
    new_config, issuer, shelf, orders_db
) -> None:
    payments = LatePayments()
    app = create_app(new_config(lease_seconds=0.2), payments)

    async def told() -> int:
        return await orders_db.fetchval("SELECT count(*) FROM outbox WHERE kind = 'order.settled'")

    async with TestClient(TestServer(app)) as client:
        by = Caller(client, issuer.authorized(subject=ALICE, role=Role.STAFF))
        body = {"lines": [{"product_id": await shelf.add(), "quantity": 1}], "user_id": ALICE}
        placed = (await by("POST", "orders", json=body))[1]["data"]
        path = f"orders/{placed['id']}"
        for status in ("confirmed", "shipped", "delivered"):
            changed = {"json": {"status": status}, "headers": {"If-Match": "*"}}
            assert (await by("PATCH", path, **changed))[0] == 200
        payments.failing = True
        assert ((await by("GET", path))[1]["data"]["settled_at"], await told()) == (None, 0)
        payments.failing, payments.paid = False, True

        async def settled() -> bool:
            return (await by("GET", path))[1]["data"]["settled_at"] is not None

        await eventually(settled)
        assert await told() == 1


class BothAtOnce:
    """A payment service that responds to its first callers only when two of them wait."""

    def __init__(self) -> None:
        self.asked, self.twice = 0, asyncio.Event()

    async def settled(self, order_id: UUID, total: Decimal, currency: str) -> bool:
        self.asked += 1
        if self.asked == 2:
            self.twice.set()
        await self.twice.wait()
        return True


async def test_of_two_processes_that_settle_an_order_at_once_one_tells(
    new_config, issuer, shelf, orders_db
) -> None:
    config, payments = new_config(lease_seconds=0.2), BothAtOnce()
    one, other = (TestClient(TestServer(create_app(config, payments))) for _ in range(2))
    async with one, other:
        by = Caller(one, issuer.authorized(subject=ALICE, role=Role.STAFF))
        body = {"lines": [{"product_id": await shelf.add(), "quantity": 1}], "user_id": ALICE}
        path = f"orders/{(await by('POST', 'orders', json=body))[1]['data']['id']}"
        for status in ("confirmed", "shipped", "delivered"):
            changed = {"json": {"status": status}, "headers": {"If-Match": "*"}}
            assert (await by("PATCH", path, **changed))[0] == 200

        async def settled() -> bool:
            return (await by("GET", path))[1]["data"]["settled_at"] is not None

        await eventually(settled)
    told = "SELECT count(*) FROM outbox WHERE kind = 'order.settled'"
    assert await orders_db.fetchval(told) == 1


async def test_an_order_that_nobody_confirms_is_cancelled_and_its_stock_is_back(
    new_config, issuer, shelf, orders_db
) -> None:
    staff = issuer.authorized(subject=ALICE, role=Role.STAFF)
    async with TestClient(TestServer(create_app(new_config()))) as client:
        by = Caller(client, staff)
        item = await shelf.add(stock=12)
        body = {"lines": [{"product_id": item, "quantity": 2}], "user_id": ALICE}
        placed, kept = [(await by("POST", "orders", json=body))[1]["data"] for _ in range(2)]
        change = {"json": {"status": "confirmed"}, "headers": {"If-Match": "*"}}
        assert (await by("PATCH", f"orders/{kept['id']}", **change))[0] == 200
    # Only now, or a slow machine would be too late with the confirmation.
    impatient = new_config(pending_seconds=0.05, sweep_seconds=0.05)
    async with TestClient(TestServer(create_app(impatient))) as client:
        by = Caller(client, staff)

        async def back() -> bool:
            return await shelf.stock(item) == 10

        await eventually(back)
        found = (await by("GET", f"orders/{placed['id']}"))[1]["data"]
        assert (found["status"], found["cancel_reason"]) == ("cancelled", "not confirmed in time")
        assert (await by("GET", f"orders/{kept['id']}"))[1]["data"]["status"] == "confirmed"
