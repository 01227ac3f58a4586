"""Orders that are moved together although some of them cannot move."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from lib.ids import new_id
from services.order.marketplace.service import orders
from services.order.marketplace.service.steps import OrderStep
from services.order.marketplace.store.models import ServiceOrder, ServiceOrderStatus
from tests.services.calling import by_hand

WHEN = datetime(2026, 11, 1, tzinfo=UTC)
ORDER = ServiceOrder(
    id=new_id(), customer_id=new_id(), service_id=new_id(), longitude=13.377704,
    latitude=52.516275, time_start=WHEN, time_end=WHEN, description="the key is under the mat",
    status=ServiceOrderStatus.COMPLETED, version=3, created_at=WHEN, updated_at=WHEN,
    request_key=None,
)  # fmt: skip


async def test_a_step_that_not_every_order_can_take_names_ids_and_statuses_only(
    database_url: str,
) -> None:
    open_order = replace(ORDER, id=new_id(), status=ServiceOrderStatus.PENDING)
    wanted = f"not every order can expire: {ORDER.id} COMPLETED, {open_order.id} PENDING"
    async with by_hand(database_url) as db, db.transaction() as tx:
        with pytest.raises(AssertionError, match=f"^{re.escape(wanted)}$"):
            await orders.take(tx, [ORDER, open_order], OrderStep.EXPIRE)
