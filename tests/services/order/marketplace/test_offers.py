"""Offers over HTTP: who may make them, on which orders, and which changes are allowed."""

from __future__ import annotations

import asyncio

import pytest

from lib.auth import Role
from tests.services.calling import caller_with
from tests.services.order.conftest import PROVIDER
from tests.services.order.marketplace.conftest import (
    NOBODY,
    USD,
    after,
    expect,
    new_offer,
    refused,
)


async def test_an_offer_is_the_provider_s_own_whatever_the_body_says(market, sql) -> None:
    order = await market.order()
    status, body, headers = await market.provider("POST", "offers", json=new_offer(order))
    offer = body["data"]
    assert (status, headers["Location"], headers["ETag"]) == (201, f"offers/{offer['id']}", '"1"')
    assert (offer["provider_id"], offer["price"], offer["currency"]) == (PROVIDER, "80.00", "EUR")
    assert offer["status"] == "PENDING"
    imposed = new_offer(order, provider_id=NOBODY)
    _, body, _ = await market.provider("POST", "offers", json=imposed)
    assert [detail["field"] for detail in body["error"]["details"]] == ["provider_id"]


async def test_what_is_no_offer_is_refused_by_field(market, subtests) -> None:
    order = await market.order()
    for changes, field in [
        ({"price": "0"}, "price"),
        ({"price": "0.00"}, "price"),
        ({"price": "-1"}, "price"),
        ({"price": 80}, "price"),
        ({"price": "1.234"}, "price"),
        ({"price": "99999999999"}, "price"),
        ({"book_time": "2020-01-01T00:00:00Z"}, "book_time"),
        ({"book_time": "9999-12-31T23:59:59-12:00"}, "book_time"),
        ({"book_time": "0001-01-01T00:00:00+12:00"}, "book_time"),
        ({"book_time": "2030-01-01T00:00:00"}, "book_time"),
        ({"currency_id": "EUR"}, "currency_id"),
        ({"order_id": 7}, "order_id"),
    ]:
        with subtests.test(changes=changes):
            status, body, _ = await market.provider(
                "POST", "offers", json=new_offer(order, **changes)
            )
            assert (status, body["error"]["code"]) == (400, "VALIDATION_ERROR")
            assert [detail["field"] for detail in body["error"]["details"]] == [field]


async def test_the_time_lies_within_the_window_its_ends_included(market) -> None:
    order = await market.order()
    path = f"offers/{(await market.offer(order))['id']}"
    for book_time, expected in (
        (order["time_start"], 200),
        (order["time_end"], 200),
        (after(hours=23), 400),
        (after(hours=49), 400),
    ):
        answer = await market.provider("PATCH", path, json={"book_time": book_time})
        assert answer[0] == expected, (book_time, answer)


async def test_order_and_currency_must_be_there(market) -> None:
    order = await market.order()
    for changes, noun in (
        ({"order_id": NOBODY}, "service order"),
        ({"currency_id": NOBODY}, "currency"),
    ):
        answer = await refused(market.provider("POST", "offers", json=new_offer(order, **changes)))
        assert answer == (404, "NOT_FOUND", f"{noun} not found")


async def test_nobody_offers_on_their_own_order(market, client, issuer) -> None:
    order = await market.order()
    both = caller_with(client, issuer, market.customer.subject, Role.PROVIDER)
    answer = await refused(both("POST", "offers", json=new_offer(order)))
    assert answer[:2] == (403, "FORBIDDEN")


@pytest.mark.parametrize("status", ["PAUSED", "CANCELLED"])
async def test_an_order_that_is_not_open_takes_no_offers(market, status) -> None:
    order = await market.order()
    path = f"service-orders/{order['id']}"
    await expect(200, market.customer("PATCH", path, json={"status": status}))
    answer = await refused(market.provider("POST", "offers", json=new_offer(order)))
    assert answer == (409, "CONFLICT", f"the service order is {status.lower()}")


async def test_an_order_that_is_assigned_or_over_takes_no_offers(
    market, other_provider, sql
) -> None:
    order = await market.order()
    late = await market.order()
    await market.accept(await market.offer(order))
    answer = await refused(other_provider("POST", "offers", json=new_offer(order)))
    assert answer == (409, "CONFLICT", "the service order is assigned")
    await sql.execute(
        "UPDATE service_order SET time_start = now() - '1 h'::interval, time_end = now()"
    )
    answer = await refused(other_provider("POST", "offers", json=new_offer(late)))
    assert answer == (409, "CONFLICT", "the time window of the service order has passed")


async def test_of_many_offers_of_one_provider_at_once_one_stands(market, sql) -> None:
    order = await market.order()
    answers = await asyncio.gather(
        *(market.provider("POST", "offers", json=new_offer(order)) for _ in range(6))
    )
    assert sorted(status for status, _, _ in answers) == [201] + [409] * 5
    messages = {body["error"]["message"] for status, body, _ in answers if status == 409}
    assert messages == {"you already have an active offer on this order"}
    assert await sql.fetchval("SELECT count(*) FROM offer") == 1
    assert await sql.fetchval("SELECT count(*) FROM outbox WHERE kind = 'offer.made'") == 1


async def test_an_offer_is_changed_while_it_waits(market) -> None:
    offer = await market.offer(await market.order())
    path = f"offers/{offer['id']}"
    changes = {"price": "90.5", "currency_id": USD}
    status, body, headers = await market.provider(
        "PATCH", path, json=changes, headers={"If-Match": '"1"'}
    )
    assert (status, headers["ETag"]) == (200, '"2"')
    assert (body["data"]["price"], body["data"]["currency"]) == ("90.50", "USD")
    same = await expect(200, market.provider("PATCH", path, json={}))
    assert same["version"] == 2
    stale = market.provider("PATCH", path, json={"price": "1"}, headers={"If-Match": '"1"'})
    assert (await refused(stale))[0] == 412
    missing = market.provider("PATCH", path, json={"currency_id": NOBODY})
    assert (await refused(missing))[2] == "currency not found"


async def test_a_settled_offer_stays_as_it_is(market, other_provider) -> None:
    order = await market.order()
    rejected = await market.offer(order, by=other_provider)
    accepted = await market.offer(order)
    await market.accept(accepted)
    for offer, caller, status in (
        (accepted, market.provider, "accepted"),
        (rejected, other_provider, "rejected"),
    ):
        for method, body in (("PATCH", {"price": "1"}), ("DELETE", None)):
            answer = await refused(caller(method, f"offers/{offer['id']}", json=body))
            assert answer == (409, "CONFLICT", f"the offer is {status}")


async def test_who_took_an_offer_back_may_make_another(market) -> None:
    order = await market.order()
    offer = await market.offer(order)
    path = f"offers/{offer['id']}"
    stale = market.provider("DELETE", path, headers={"If-Match": '"7"'})
    assert (await refused(stale))[0] == 412
    await expect(204, market.provider("DELETE", path, headers={"If-Match": '"1"'}))
    assert (await refused(market.provider("GET", path)))[0] == 404
    assert (await market.offer(order))["id"] != offer["id"]


async def test_who_may_do_what_with_an_offer(
    market, anyone, other_customer, other_provider, staff, moderator, admin
) -> None:
    offer = await market.offer(await market.order())
    path = f"offers/{offer['id']}"
    # caller: GET, PATCH, DELETE
    for caller, expected in (
        (anyone, (401, 401, 401)),
        (other_customer, (404, 403, 404)),
        (other_provider, (404, 404, 404)),
        (market.customer, (200, 403, 403)),
        (staff, (200, 403, 403)),
        (moderator, (200, 403, 403)),
        (market.provider, (200, 200, None)),
        (admin, (200, 403, 204)),
    ):
        found = (
            (await caller("GET", path))[0],
            (await caller("PATCH", path, json={"price": "81"}))[0],
            None if expected[2] is None else (await caller("DELETE", path))[0],
        )
        assert found == expected, caller.subject


async def test_who_may_make_an_offer(market, client, issuer, subtests) -> None:
    for role, verified, expected in (
        (Role.PROVIDER, True, 201),
        (Role.PROVIDER, False, 403),
        (Role.CUSTOMER, True, 403),
        (Role.ADMIN, True, 403),
        (Role.STAFF, True, 403),
    ):
        with subtests.test(role=role, verified=verified):
            order = await market.order()
            caller = caller_with(client, issuer, NOBODY, role, verified=verified)
            assert (await caller("POST", "offers", json=new_offer(order)))[0] == expected


async def test_only_so_many_offers_of_a_provider_wait(market, sql) -> None:
    order, *several = [await market.order() for _ in range(7)]
    for _ in range(2):
        await sql.execute(
            """
            WITH more AS (
                INSERT INTO service_order (id, customer_id, service_id, longitude, latitude,
                    time_start, time_end, description)
                SELECT gen_random_uuid(), customer_id, service_id, longitude, latitude, time_start,
                    time_end, description
                FROM service_order, generate_series(1, 250) WHERE id = $1
                RETURNING id, time_start
            )
            INSERT INTO offer (id, order_id, provider_id, price, currency_id, currency, book_time)
            SELECT gen_random_uuid(), more.id, $2, 1, currency.id, code, time_start
            FROM more, currency WHERE code = 'EUR'
            """,
            order["id"],
            PROVIDER,
        )
    answer = await refused(market.provider("POST", "offers", json=new_offer(order)))
    assert answer == (409, "CONFLICT", "you can have at most 500 pending offers")
    # One more may, also of several at once.
    await sql.execute("DELETE FROM offer WHERE id = (SELECT id FROM offer LIMIT 1)")
    answers = await asyncio.gather(
        *(market.provider("POST", "offers", json=new_offer(one)) for one in several)
    )
    assert sorted(status for status, _, _ in answers) == [201] + [409] * 5
    # What can no longer be accepted does not count.
    await sql.execute("UPDATE offer SET book_time = now()")
    assert (await market.offer(order))["status"] == "PENDING"
