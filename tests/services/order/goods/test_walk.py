"""The length of an order's way through the services, counted in calls and in forms."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from io import BytesIO
from typing import Final

import pytest
import structlog

from lib import log
from lib.limits.memory import MemoryStore
from tests.services.calling import Caller
from tests.services.order.goods.conftest import Shelf
from tests.services.order.goods.walk import Walk, walking

# With the three requests that an order of goods consists of: order, reserve, confirm.
MOVES: Final = 193
FORMS: Final = 7


@pytest.fixture
def production_log(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Write log lines as a process in production does."""
    before = structlog.get_config()
    monkeypatch.setattr(log, "_shortcut", None)
    log.configure("order", stream=BytesIO())
    yield
    structlog.configure(**before)


@pytest.fixture
async def walk(
    production_log: None, monkeypatch: pytest.MonkeyPatch, customer: Caller, shelf: Shelf
) -> Walk:
    """One order of one line, after others: connections are open and tokens are known."""
    # Runs once a second, for the request that comes then.
    monkeypatch.setattr(MemoryStore, "_evict", lambda *_: None)
    product_id = await shelf.add(stock=100)

    async def order(number: int) -> None:
        status, answer, _ = await customer(
            "POST",
            "orders",
            json={"lines": [{"product_id": product_id, "quantity": 1}]},
            headers={"Idempotency-Key": f"order-{number}"},
        )
        assert status == 201, answer

    # Several at once: both services have connections to spare then, whatever runs beside.
    await asyncio.gather(*map(order, range(4)))
    with walking(product_id) as walk:
        await order(4)
    return walk


async def test_an_order_makes_few_calls_between_files(walk: Walk) -> None:
    assert walk.moves.total() <= MOVES, sorted(walk.moves.items())


async def test_an_order_line_has_few_forms(walk: Walk) -> None:
    assert len(walk.forms) <= FORMS, sorted(walk.forms)
