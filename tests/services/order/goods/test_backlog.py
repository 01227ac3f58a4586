"""Waiting orders are counted, from the time when they began to wait."""

from __future__ import annotations

from uuid import UUID

from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import CollectorRegistry

from devstack.testing.wait import eventually
from lib.ids import new_id
from services.order.app import create_app
from services.order.goods.backlog import BacklogGauges
from services.order.goods.store import drafts
from tests.services.order.goods.fakes import ALICE, Trouble


async def _measured(db) -> tuple[float, float]:
    registry = CollectorRegistry()
    await BacklogGauges(db, registry).refresh()
    values = [registry.get_sample_value(f"orders_{name}") for name in ("waiting", "oldest_seconds")]
    return values[0], values[1]


async def test_an_order_that_has_all_it_needs_does_not_wait(order, orders_db) -> None:
    placed = await order()
    await orders_db.execute("UPDATE goods_order SET updated_at = now() - interval '1 hour'")
    assert placed["pending_validation"] is False

    async def done() -> bool:
        return await _measured(orders_db) == (0, 0)

    await eventually(done)


async def test_an_order_waits_from_when_something_was_left_however_often_it_was_tried(
    order, users, orders_db
) -> None:
    users.trouble = Trouble.BROKEN
    await order()
    await orders_db.execute(
        "UPDATE goods_order SET updated_at = now() - interval '1 hour', due_at = now()"
    )

    async def tried_again() -> bool:
        return await orders_db.fetchval("SELECT due_at > now() FROM goods_order")

    await eventually(tried_again)
    waiting, oldest = await _measured(orders_db)
    assert waiting == 1
    assert 3600 <= oldest < 4200


async def test_a_draft_that_nobody_could_place_waits(orders_db) -> None:
    await drafts.add_draft(
        orders_db,
        id=new_id(),
        user_id=UUID(ALICE),
        pending_validation=False,
        created_by=ALICE,
        request_key=None,
        lease_seconds=3600.0,
        most=1,
        product_ids=[new_id()],
        quantities=[1],
    )
    await orders_db.execute("UPDATE goods_draft SET created_at = now() - interval '2 hours'")
    waiting, oldest = await _measured(orders_db)
    assert waiting == 1
    assert 7200 <= oldest < 7800


async def test_the_service_shows_what_it_found_waiting(order, users, new_config) -> None:
    users.trouble = Trouble.BROKEN
    await order()
    async with TestClient(TestServer(create_app(new_config()))) as another:

        async def shown() -> bool:
            async with another.get("/metrics") as answer:
                return "\norders_waiting 1.0\n" in await answer.text()

        await eventually(shown)
