"""More buyers than items, through both services: each item is sold once, and none is lost."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from devstack.testing.wait import eventually
from lib.auth import Role
from tests.services.calling import caller_with

# As many as may ask the product service at once: none is turned away for the crowd.
BUYERS, THINGS = 48, 20


@pytest.fixture
def new_config(new_config):
    """A configuration with enough time for every buyer to get a definite response."""

    def new(**settings):
        given = {"user_seconds": 60.0, "product_seconds": 60.0, "request_seconds": 120.0}
        given |= {"lease_seconds": 120.0, "db_acquire_seconds": 60.0}
        return new_config(**(given | settings))

    return new


@pytest.fixture
def buyers(client, issuer, users):
    found = []
    for number in range(BUYERS):
        subject = f"01890000-0000-7000-8000-0000000b{number:04}"
        users.people[subject] = "active"
        found.append(caller_with(client, issuer, subject, Role.CUSTOMER))
    return found


async def test_of_many_who_want_the_last_things_as_many_get_one_as_there_are(
    buyers, shelf, orders_db
) -> None:
    item = await shelf.add(stock=THINGS)
    body = {"lines": [{"product_id": item, "quantity": 1}]}
    answers = await asyncio.gather(*(buyer("POST", "orders", json=body) for buyer in buyers))
    assert Counter(status for status, _, _ in answers) == {201: THINGS, 409: BUYERS - THINGS}
    assert await shelf.stock(item) == 0
    assert await shelf.reservations() == ["confirmed"] * THINGS
    assert await orders_db.fetchval("SELECT count(*) FROM goods_order") == THINGS
    assert await orders_db.fetchval("SELECT count(*) FROM goods_draft") == 0


async def test_what_is_cancelled_is_sold_again_and_never_twice(buyers, shelf, orders_db) -> None:
    """Buyers order, half of the successful ones cancel, and everybody tries again."""
    item = await shelf.add(stock=THINGS)
    body = {"lines": [{"product_id": item, "quantity": 1}]}

    async def buy(number: int) -> None:
        buyer = buyers[number]
        status, said, _ = await buyer("POST", "orders", json=body)
        if status == 201 and number % 2:
            path = f"orders/{said['data']['id']}"
            changed = {"status": "cancelled"}
            status, _, _ = await buyer("PATCH", path, json=changed, headers={"If-Match": "*"})
            assert status == 200

    await asyncio.gather(*(buy(number) for number in range(BUYERS)))
    kept = await orders_db.fetchval("SELECT count(*) FROM goods_order WHERE status = 'pending'")

    async def agree() -> bool:
        return await shelf.stock(item) == THINGS - kept

    await eventually(agree)
    answers = await asyncio.gather(*(buyer("POST", "orders", json=body) for buyer in buyers))
    assert sum(status == 201 for status, _, _ in answers) == THINGS - kept
    assert await shelf.stock(item) == 0
