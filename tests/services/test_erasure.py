"""After a user deletes their account, no table and no Redis key contains their data."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from devstack.testing.wait import eventually
from services.user.maintenance import Keep, forget_old
from tests.conftest import NewDatabase
from tests.services.calling import by_hand
from tests.services.marketplace import (
    LATITUDE,
    LONGITUDE,
    PERSONAL,
    Marketplace,
    new_order,
    running_marketplace,
)

ANN = "ann.privat@example.com"
# What the user service keeps for a while, in case the deletion was no will of the owner's.
FOR_A_WHILE = {("user.account", "address"), ("user.account", "last name")}


@pytest.fixture
async def marketplace(
    new_database: NewDatabase, own_redis_url: str, tmp_path
) -> AsyncIterator[Marketplace]:
    async with running_marketplace(new_database, own_redis_url, tmp_path) as marketplace:
        yield marketplace


async def keep_house(url: str) -> None:
    async with by_hand(url) as db:
        await forget_old(db, Keep(audit_days=730, address_days=90, deleted_days=30))


async def test_who_deletes_their_account_is_found_in_no_table_and_no_stream(
    marketplace: Marketplace,
) -> None:
    ann = await marketplace.signed_in(ANN, last_name="Zwiebelturm", phone_number=PERSONAL["phone"])
    bob = await marketplace.provider("bob@example.com")
    await marketplace.ordered(ann, bob)
    assert {what for _, what in await marketplace.traces()} == set(PERSONAL), "the search finds all"

    await marketplace.call("user", "DELETE", "users/me", ann, None, 204)

    async def only_what_is_kept_for_a_while() -> bool:
        return await marketplace.traces() <= FOR_A_WHILE

    try:
        await eventually(only_what_is_kept_for_a_while)
    except TimeoutError:
        assert await marketplace.traces() <= FOR_A_WHILE

    # A token outlives the account by minutes: what it is used for is erased with the rest.
    place = {"longitude": LONGITUDE, "latitude": LATITUDE}
    late = new_order(location=place, description=PERSONAL["description"])
    await marketplace.call("order", "POST", "service-orders", ann, late, 201)
    assert ("order.service_order", "description") in await marketplace.traces()

    await keep_house(marketplace.databases["user"])
    assert await marketplace.traces() >= FOR_A_WHILE, "before its time nothing goes"
    sql = marketplace.world.db
    await sql.execute(
        "UPDATE account SET deleted_at = now() - interval '31 days' WHERE email = $1", ANN
    )
    await keep_house(marketplace.databases["user"])

    async def nothing_is_left() -> bool:
        return await marketplace.traces() == set()

    try:
        await eventually(nothing_is_left)
    except TimeoutError:
        assert await marketplace.traces() == set()
    others = {"other": "bob@example.com", "what he needs": "O'Neil"}
    assert {what for _, what in await marketplace.traces(others)} == set(others)
    # What there is to count stays: a job that was done and what it was rated.
    order = await asyncpg.connect(marketplace.databases["order"])
    assert (
        await order.fetchval("SELECT count(*) FROM review WHERE rating = 5 AND comment = ''") == 1
    )
    await order.close()


async def test_a_provider_who_is_gone_leaves_no_place_and_no_personal_id(
    marketplace: Marketplace,
) -> None:
    bob = await marketplace.provider("bob@example.com")
    await marketplace.works_from(bob)
    of_bob = {**{name: PERSONAL[name] for name in ("longitude", "latitude")}, "id": "12345678901"}
    of_bob |= {"street": "Zwiebelturm Street", "end of the id": "78901"}
    # No part of the number is in clear, not even while he is here.
    assert {what for _, what in await marketplace.traces(of_bob)} == of_bob.keys() - {
        "id", "end of the id",
    }  # fmt: skip
    await marketplace.call("user", "DELETE", "users/me", bob, None, 204)

    async def nothing_is_left() -> bool:
        return await marketplace.traces(of_bob) == set()

    await eventually(nothing_is_left)


async def test_addresses_of_clients_leave_the_audit_trail_before_it_goes(
    marketplace: Marketplace,
) -> None:
    """The actors of the audit trail stay; their addresses are deleted sooner."""
    await marketplace.signed_in(ANN)
    sql = marketplace.world.db
    seen = "SELECT DISTINCT address FROM audit_entry"
    assert [row[0] for row in await sql.fetch(seen)] == ["127.0.0.1"]
    await sql.execute("ALTER TABLE audit_entry DISABLE TRIGGER USER")
    await sql.execute("UPDATE audit_entry SET at = now() - interval '91 days'")
    await sql.execute("ALTER TABLE audit_entry ENABLE TRIGGER USER")
    before = await sql.fetchval("SELECT count(*) FROM audit_entry")
    await keep_house(marketplace.databases["user"])
    assert [row[0] for row in await sql.fetch(seen)] == [""]
    assert await sql.fetchval("SELECT count(*) FROM audit_entry") == before
    for change in (
        "UPDATE audit_entry SET address = '192.0.2.1'",
        "UPDATE audit_entry SET actor = 'b', address = ''",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
            await sql.execute(change)
