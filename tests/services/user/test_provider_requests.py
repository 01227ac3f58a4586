"""A customer applies to become a provider, and a moderator decides."""

from __future__ import annotations

import asyncio

import pytest

from lib.auth import Role
from tests.services.user.cast import actor

ASK = "/api/v1/users/me/provider-request"
WAITING = "/api/v1/provider-requests"
NUMBER = {"personal_id_number": "01001012345"}


async def role_of(world, who) -> str:
    return await world.db.fetchval("SELECT role::text FROM account WHERE id = $1", who.id)


async def test_a_customer_becomes_a_provider_when_a_moderator_says_yes(world) -> None:
    customer, moderator = await actor(world, Role.CUSTOMER), await actor(world, Role.MODERATOR)
    assert (await customer.call("GET", ASK)).status == 404
    asked = await customer.call("POST", ASK, NUMBER)
    assert (asked.status, asked.data["status"]) == (201, "pending")
    assert (await customer.call("POST", ASK, NUMBER)).status == 409
    (waiting,) = (await moderator.call("GET", WAITING)).data
    assert (waiting["account_id"], waiting["name"]) == (customer.id, "Customer Tester")
    one = f"{WAITING}/{customer.id}"
    assert (await moderator.call("PUT", one, {"approved": True})).status == 204
    assert (await moderator.call("PUT", one, {"approved": True})).status == 404
    assert await role_of(world, customer) == "PROVIDER"
    # What they had signed in with says another role: they sign in again.
    assert (await customer.call("GET", ASK)).status == 403
    assert (await moderator.call("GET", WAITING)).data == []
    assert await world.audited("provider.approved") == 1
    sent = await world.db.fetch(
        "SELECT kind FROM outbox WHERE event_key = $1 ORDER BY position", customer.id
    )
    assert [row["kind"] for row in sent] == ["user.sessions_ended", "user.role_changed"]


async def test_after_a_no_with_its_reason_one_may_ask_again(world) -> None:
    customer, moderator = await actor(world, Role.CUSTOMER), await actor(world, Role.MODERATOR)
    await customer.call("POST", ASK, NUMBER)
    no = {"approved": False, "reason": "the number is of somebody else"}
    assert (await moderator.call("PUT", f"{WAITING}/{customer.id}", no)).status == 204
    found = (await customer.call("GET", ASK)).data
    assert (found["status"], found["reason"]) == ("declined", no["reason"])
    assert await role_of(world, customer) == "CUSTOMER"
    assert await world.db.fetchval("SELECT count(*) FROM provider") == 0
    assert (await customer.call("POST", ASK, NUMBER)).status == 201


async def test_of_two_decisions_at_once_one_is_taken(world) -> None:
    customer, moderator = await actor(world, Role.CUSTOMER), await actor(world, Role.MODERATOR)
    await customer.call("POST", ASK, NUMBER)
    one = f"{WAITING}/{customer.id}"
    answers = await asyncio.gather(
        *(moderator.call("PUT", one, {"approved": yes}) for yes in (True, False, True))
    )
    assert sorted(answer.status for answer in answers) == [204, 404, 404]


@pytest.mark.parametrize("role", [Role.PROVIDER, Role.STAFF, Role.MODERATOR])
async def test_only_customers_ask(world, role) -> None:
    assert (await (await actor(world, role)).call("POST", ASK, NUMBER)).status == 403


async def test_nobody_decides_about_themselves_or_unverified(world) -> None:
    customer = await actor(world, Role.CUSTOMER)
    await customer.call("POST", ASK, NUMBER)
    for path in (WAITING, f"{WAITING}/{customer.id}"):
        method = "GET" if path == WAITING else "PUT"
        assert (await customer.call(method, path, {"approved": True})).status == 403
    new = await actor(world, Role.CUSTOMER, "new", verified=False)
    assert (await new.call("POST", ASK, NUMBER)).status == 403
