"""Exactly one accepted offer becomes a job, with any concurrent actions."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from lib.auth import Role
from tests.services.calling import caller_with
from tests.services.order.marketplace.conftest import NOBODY, USD, agreed, expect, refused

SECOND_JOB = """
INSERT INTO job (
    id, order_id, offer_id, customer_id, provider_id, service_id, price, currency, book_time
)
SELECT
    gen_random_uuid(), order_id, $1, customer_id, provider_id, service_id, price, currency,
    book_time
FROM job
"""


async def test_an_accepted_offer_becomes_a_job_and_rejects_the_others(
    market, other_provider
) -> None:
    order = await market.order()
    other = await market.offer(order, by=other_provider, price="70")
    offer = await market.offer(order)
    status, body, headers = await market.accepting(offer)
    job = body["data"]
    assert (status, headers["Location"], headers["ETag"]) == (201, f"jobs/{job['id']}", '"1"')
    expected = {
        "order_id": order["id"],
        "offer_id": offer["id"],
        "customer_id": market.customer.subject,
        "provider_id": market.provider.subject,
        "service_id": order["service_id"],
        "price": "80.00",
        "currency": "EUR",
        "book_time": offer["book_time"],
        "status": "PENDING",
    }
    assert {name: job[name] for name in expected} == expected
    found = await expect(200, market.customer("GET", f"service-orders/{order['id']}/offers"))
    assert {row["id"]: row["status"] for row in found} == {
        offer["id"]: "ACCEPTED",
        other["id"]: "REJECTED",
    }
    order = await expect(200, market.customer("GET", f"service-orders/{order['id']}"))
    assert (order["status"], order["version"]) == ("ASSIGNED", 2)


async def test_a_job_may_be_asked_for_by_its_offer(market) -> None:
    offer = await market.offer(await market.order())
    job = await expect(201, market.customer("POST", "jobs", json=agreed(offer)))
    assert job["offer_id"] == offer["id"]
    again = await refused(market.customer("POST", "jobs", json=agreed(offer)))
    assert again == (409, "CONFLICT", "the service order is assigned")


async def test_of_many_acceptances_at_once_one_makes_a_job(market, client, issuer, sql) -> None:
    order = await market.order()
    offers = []
    for n in range(6):
        subject = f"01890000-0000-7000-8000-0000000a000{n}"
        one = caller_with(client, issuer, subject, Role.PROVIDER)
        offers.append(await market.offer(order, by=one))
    answers = await asyncio.gather(*(market.accepting(offer) for offer in offers * 2))
    assert sorted(status for status, _, _ in answers) == [201] + [409] * 11
    assert await sql.fetchval("SELECT count(*) FROM job") == 1
    statuses = await sql.fetch("SELECT status FROM offer")
    assert sorted(row["status"] for row in statuses) == ["ACCEPTED"] + ["REJECTED"] * 5
    kinds = await sql.fetch("SELECT kind FROM outbox WHERE topic = 'jobs'")
    assert [row["kind"] for row in kinds] == ["job.created"]


async def test_the_schema_itself_refuses_a_second_accepted_offer_and_a_second_job(
    market, other_provider, sql
) -> None:
    order = await market.order()
    other = await market.offer(order, by=other_provider)
    job = await market.accept(await market.offer(order))
    for statement, refusal in (
        ("UPDATE offer SET status = 'ACCEPTED' WHERE id = $1", "offer_accepted_key"),
        (SECOND_JOB, "job_order_key"),
    ):
        with pytest.raises(asyncpg.UniqueViolationError, match=refusal):
            await sql.execute(statement, other["id"])
    assert job["status"] == "PENDING"


async def test_an_offer_that_was_changed_is_not_accepted_unseen(market) -> None:
    offer = await market.offer(await market.order())
    path = f"offers/{offer['id']}"
    await expect(200, market.provider("PATCH", path, json={"price": "800.00"}))
    stale = market.customer("POST", f"{path}/accept", headers={"If-Match": '"1"'})
    assert (await refused(stale))[:2] == (412, "PRECONDITION_FAILED")
    seen = market.customer("POST", f"{path}/accept", headers={"If-Match": '"2"'})
    assert (await expect(201, seen))["price"] == "800.00"


@pytest.mark.parametrize("change", [{"price": "8000.00"}, {"currency_id": USD}])
async def test_terms_changed_after_they_were_read_are_not_accepted(market, sql, change) -> None:
    """Bait and switch: a cheap offer becomes expensive while the customer decides."""
    offer = await market.offer(await market.order())
    path = f"offers/{offer['id']}"
    await expect(200, market.provider("PATCH", path, json=change))
    for answer in (
        market.accepting(offer),
        market.customer("POST", "jobs", json=agreed(offer)),
        market.customer("POST", "jobs", json=agreed(offer), headers={"If-Match": '"2"'}),
    ):
        assert (await refused(answer))[:2] == (412, "PRECONDITION_FAILED")
    now = await expect(200, market.customer("GET", path))
    assert await sql.fetchval("SELECT count(*) FROM job") == 0
    assert (await expect(201, market.customer("POST", "jobs", json=agreed(now))))["id"]


async def test_an_acceptance_that_names_no_terms_is_refused(market, sql) -> None:
    offer = await market.offer(await market.order())
    path, any_version = f"offers/{offer['id']}/accept", {"If-Match": "*"}
    by_id = {"offer_id": offer["id"]}
    for answer in (
        market.customer("POST", path),
        market.customer("POST", path, headers=any_version),
        market.customer("POST", "jobs", json=by_id),
        market.customer("POST", "jobs", json=by_id, headers=any_version),
    ):
        assert (await refused(answer))[:2] == (428, "PRECONDITION_REQUIRED")
    for half, missing in (("price", "currency"), ("currency", "price")):
        body = {**by_id, half: offer[half]}
        status, answer, _ = await market.customer("POST", "jobs", json=body)
        assert (status, answer["error"]["details"][0]["field"]) == (400, missing)
    assert await sql.fetchval("SELECT count(*) FROM job") == 0


async def test_only_the_customer_of_the_order_accepts(
    market, other_customer, other_provider, staff, admin, anyone
) -> None:
    offer = await market.offer(await market.order())
    for caller, expected in (
        (anyone, 401),
        (other_customer, 404),
        (other_provider, 404),
        (market.provider, 403),
        (staff, 403),
        (admin, 403),
    ):
        assert (await refused(market.accepting(offer, by=caller)))[0] == expected
        assert (await refused(caller("POST", "jobs", json=agreed(offer))))[0] == expected
    missing = await refused(market.accepting({"id": NOBODY, "version": 1}))
    assert missing == (404, "NOT_FOUND", "offer not found")


@pytest.mark.parametrize(
    ("status", "message"),
    [
        ("PAUSED", "the service order is paused"),
        ("CANCELLED", "the service order is cancelled"),
    ],
)
async def test_an_order_that_takes_no_offers_has_none_accepted(market, status, message) -> None:
    order = await market.order()
    offer = await market.offer(order)
    path = f"service-orders/{order['id']}"
    await expect(200, market.customer("PATCH", path, json={"status": status}))
    answer = await refused(market.accepting(offer))
    assert answer == (409, "CONFLICT", message)


async def test_an_order_whose_time_has_passed_has_none_accepted(market, sql) -> None:
    order = await market.order()
    offer = await market.offer(order)
    await sql.execute(
        "UPDATE service_order SET time_start = now() - '2 h'::interval, time_end = now()"
    )
    answer = await refused(market.accepting(offer))
    assert answer == (409, "CONFLICT", "the time window of the service order has passed")


async def test_accepting_and_something_else_at_once_end_as_one_after_the_other(market, sql) -> None:
    """The order is cancelled, the offer is withdrawn, or its price changes: one action is first."""
    for _ in range(3):
        order = await market.order()
        offer = await market.offer(order)
        path = f"offers/{offer['id']}"
        accepted, cancelled = await asyncio.gather(
            market.accepting(offer),
            market.customer("PATCH", f"service-orders/{order['id']}", json={"status": "CANCELLED"}),
        )
        assert (accepted[0], cancelled[0]) in {(201, 409), (409, 200)}

        offer = await market.offer(await market.order())
        path = f"offers/{offer['id']}"
        accepted, withdrawn = await asyncio.gather(
            market.accepting(offer), market.provider("DELETE", path)
        )
        assert (accepted[0], withdrawn[0]) in {(201, 409), (404, 204)}

        offer = await market.offer(await market.order())
        path = f"offers/{offer['id']}"
        accepted, changed = await asyncio.gather(
            market.accepting(offer),
            market.provider("PATCH", path, json={"price": "99.00"}),
        )
        # Whoever was first, nobody has a job at a price that they have not seen.
        assert (accepted[0], changed[0]) in {(412, 200), (201, 409)}
    assert (
        await sql.fetchval(
            "SELECT count(*) FROM job JOIN offer ON offer.id = offer_id"
            " WHERE job.price <> offer.price"
        )
        == 0
    )
