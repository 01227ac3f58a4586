"""The statuses of an order: each status with each step, permissions, and concurrent steps."""

from __future__ import annotations

import asyncio
import json

import pytest

from services.order.goods.store.models import GoodsStatus

ANY = {"If-Match": "*"}
ALLOWED = {
    ("pending", "confirmed"),
    ("pending", "cancelled"),
    ("confirmed", "shipped"),
    ("confirmed", "cancelled"),
    ("shipped", "delivered"),
}
# How an order comes to a status.
WAYS = {
    "pending": (),
    "confirmed": ("confirmed",),
    "shipped": ("confirmed", "shipped"),
    "delivered": ("confirmed", "shipped", "delivered"),
    "cancelled": ("cancelled",),
}


@pytest.mark.parametrize("before", list(GoodsStatus))
async def test_the_service_takes_the_steps_that_may_follow_and_refuses_the_others(
    order, move, staff, customer, shelf, before
) -> None:
    for after in GoodsStatus:
        item = await shelf.add(stock=5)
        placed = await move(await order((item, 2)), *WAYS[before])
        path = f"orders/{placed['id']}"
        legal = (before, after) in ALLOWED
        # The owner may cancel, and is told so before anything else is considered.
        by_owner, _, _ = await customer("PATCH", path, json={"status": after}, headers=ANY)
        if after is not GoodsStatus.CANCELLED:
            assert by_owner == 403
            by_owner, said, _ = await staff("PATCH", path, json={"status": after}, headers=ANY)
            assert legal or said["error"]["code"] == "CONFLICT"
        assert by_owner == (200 if legal else 409)
        _, now, _ = await staff("GET", path)
        assert now["data"]["status"] == (after if legal else before)
        assert now["data"]["version"] == placed["version"] + legal
        cancelled = now["data"]["status"] == "cancelled"
        assert await shelf.stock(item) == (5 if cancelled else 3)


async def test_a_cancelled_order_says_why(order, customer, staff) -> None:
    for who, reason in ((customer, "cancelled by the customer"), (staff, "cancelled by the staff")):
        placed = await order()
        path = f"orders/{placed['id']}"
        _, body, _ = await who("PATCH", path, json={"status": "cancelled"}, headers=ANY)
        assert body["data"]["cancel_reason"] == reason


@pytest.mark.parametrize("headers", [ANY, None], ids=["any version", "the version seen"])
@pytest.mark.parametrize(
    ("way", "step"), [((), "cancelled"), (("confirmed",), "shipped"), (("confirmed",), "cancelled")]
)
async def test_of_the_same_step_many_times_at_once_one_is_taken(
    order, move, staff, shelf, orders_db, way, step, headers
) -> None:
    item = await shelf.add(stock=5)
    placed = await move(await order((item, 2)), *way)
    sent = headers or {"If-Match": f'"{placed["version"]}"'}
    answers = await asyncio.gather(
        *(
            staff("PATCH", f"orders/{placed['id']}", json={"status": step}, headers=sent)
            for _ in range(5)
        )
    )
    statuses = sorted(status for status, _, _ in answers)
    assert statuses == [200] + [409 if headers else 412] * 4
    assert await shelf.stock(item) == (5 if step == "cancelled" else 3)
    told = await orders_db.fetchval("SELECT count(*) FROM outbox WHERE kind = $1", f"order.{step}")
    assert told == 1


async def test_shipping_and_cancelling_at_once_leaves_one_of_them(
    order, move, staff, customer, shelf
) -> None:
    for _ in range(5):
        item = await shelf.add(stock=5)
        placed = await move(await order((item, 2)), "confirmed")
        path = f"orders/{placed['id']}"
        shipped, cancelled = await asyncio.gather(
            staff("PATCH", path, json={"status": "shipped"}, headers=ANY),
            customer("PATCH", path, json={"status": "cancelled"}, headers=ANY),
        )
        assert sorted((shipped[0], cancelled[0])) == [200, 409]
        assert await shelf.stock(item) == (3 if shipped[0] == 200 else 5)


async def test_each_status_is_told_once_in_order_with_all_that_others_need(
    order, move, orders_db, customer, staff
) -> None:
    placed = await move(await order(), "confirmed", "shipped", "delivered")
    rows = await orders_db.fetch(
        "SELECT kind, topic, event_key, payload FROM outbox ORDER BY position"
    )
    told = [tuple(row) for row in rows]
    assert [kind for kind, *_ in told] == [
        "order.created",
        "order.confirmed",
        "order.shipped",
        "order.delivered",
        "order.settled",
    ]
    assert {(topic, key) for _, topic, key, _ in told} == {("orders", placed["id"])}
    assert told[3][3] == (
        f'{{"order_id":"{placed["id"]}","user_id":"{customer.subject}","status":"delivered",'
        f'"total":"{placed["total"]}","currency":"EUR","actor":"{staff.subject}"}}'
    )
    assert json.loads(told[0][3])["actor"] == customer.subject
