"""Service orders over HTTP: the window, the terms, the status, and who sees what."""

from __future__ import annotations

import asyncio

from lib.auth import Role
from tests.services.calling import caller_with
from tests.services.order.conftest import CUSTOMER
from tests.services.order.marketplace.conftest import (
    NOBODY,
    SERVICE,
    after,
    expect,
    new_offer,
    new_order,
    refused,
)

OTHER_SERVICE = "01890000-0000-7000-8000-00000000c402"


async def test_an_order_is_its_customer_s_own_whatever_the_body_says(market) -> None:
    status, body, headers = await market.customer("POST", "service-orders", json=new_order())
    order = body["data"]
    assert (status, headers["ETag"][:3]) == (201, '"1-')
    assert headers["Location"] == f"service-orders/{order['id']}"
    assert (order["customer_id"], order["status"]) == (CUSTOMER, "PENDING")
    assert order["location"] == {"longitude": 13.4, "latitude": 52.5}
    assert "distance_km" not in order
    for name in ("customer_id", "user_id", "status"):
        _, body, _ = await market.customer(
            "POST", "service-orders", json=new_order(**{name: NOBODY})
        )
        assert [detail["field"] for detail in body["error"]["details"]] == [name]


async def test_what_is_no_order_is_refused_by_field(market, subtests) -> None:
    for changes, fields in [
        ({"time_end": after(days=1)}, ["time_end"]),
        ({"time_start": after(days=3)}, ["time_end"]),
        ({"time_start": after(hours=-1)}, ["time_start"]),
        ({"time_start": after(hours=-2), "time_end": after(hours=-3)}, ["time_start", "time_end"]),
        ({"time_end": after(days=367)}, ["time_end"]),
        ({"time_start": "0001-01-01T00:00:00+12:00"}, ["time_start"]),
        ({"time_end": "9999-12-31T23:59:59-12:00"}, ["time_end"]),
        ({"time_start": "2030-01-01T00:00:00"}, ["time_start"]),
        ({"description": ""}, ["description"]),
        ({"description": " \n\u200b "}, ["description"]),
        ({"description": "x" * 2001}, ["description"]),
        ({"location": {"longitude": 180.1, "latitude": 0}}, ["location.longitude"]),
        ({"location": {"longitude": 0, "latitude": -90.5}}, ["location.latitude"]),
        ({"location": "POINT(1 2)"}, ["location"]),
        ({"service_id": 7}, ["service_id"]),
    ]:  # fmt: skip
        with subtests.test(changes=changes):
            body = new_order(**{"time_start": after(days=1), **changes})
            status, answer, _ = await market.customer("POST", "service-orders", json=body)
            assert (status, answer["error"]["code"]) == (400, "VALIDATION_ERROR")
            assert [detail["field"] for detail in answer["error"]["details"]] == fields


async def test_what_is_left_out_of_a_change_stays(market) -> None:
    order = await market.order()
    path = f"service-orders/{order['id']}"
    changes = {
        "service_id": OTHER_SERVICE,
        "location": {"longitude": -180, "latitude": 90},
        "description": "  It floods ",
        "time_end": after(days=3),
    }
    for name, value in changes.items():
        changed = await expect(200, market.customer("PATCH", path, json={name: value}))
        kept = {key: changed[key] for key in order if key not in (name, "version", "updated_at")}
        assert kept == {key: order[key] for key in kept}
        assert changed["version"] == order["version"] + 1
        order = changed
    assert (order["description"], order["service_id"]) == ("It floods", OTHER_SERVICE)
    assert order["location"] == {"longitude": -180.0, "latitude": 90.0}
    same = await expect(200, market.customer("PATCH", path, json={}))
    assert same == order


async def test_a_change_keeps_the_window_a_window(market) -> None:
    order = await market.order()
    path = f"service-orders/{order['id']}"
    for changes, field in (
        ({"time_start": after(days=5)}, "time_end"),
        ({"time_end": after(hours=2)}, "time_end"),
        ({"time_start": after(days=-1)}, "time_start"),
    ):
        status, body, _ = await market.customer("PATCH", path, json=changes)
        assert (status, body["error"]["details"][0]["field"]) == (400, field)


async def test_the_version_that_was_seen_decides(market) -> None:
    order = await market.order()
    path = f"service-orders/{order['id']}"
    _, _, headers = await market.customer("GET", path)
    tag = headers["ETag"]
    assert tag.startswith('"1-')
    status, _, _ = await market.customer("GET", path, headers={"If-None-Match": tag})
    assert status == 304
    body = {"description": "Other"}
    answers = await asyncio.gather(
        *(market.customer("PATCH", path, json=body, headers={"If-Match": '"1"'}) for _ in range(5))
    )
    assert sorted(status for status, _, _ in answers) == [200] + [412] * 4
    for method in ("PATCH", "DELETE"):
        answer = market.customer(method, path, json=body, headers={"If-Match": '"1"'})
        assert (await refused(answer))[:2] == (412, "PRECONDITION_FAILED")


async def test_terms_hold_while_an_offer_waits(market) -> None:
    order = await market.order()
    offer = await market.offer(order)
    path = f"service-orders/{order['id']}"
    for changes in ({"time_end": after(days=3)}, {"description": "More"}, {"service_id": NOBODY}):
        status, code, message = await refused(market.customer("PATCH", path, json=changes))
        assert (status, code) == (409, "CONFLICT")
        assert message.startswith("the order has offers, so its terms are fixed")
    await expect(204, market.provider("DELETE", f"offers/{offer['id']}"))
    await expect(200, market.customer("PATCH", path, json={"description": "More"}))


STATUSES = ("PENDING", "PAUSED", "ASSIGNED", "COMPLETED", "CANCELLED")
GRANTED = {
    ("PENDING", "PENDING"), ("PENDING", "PAUSED"), ("PENDING", "CANCELLED"),
    ("PAUSED", "PENDING"), ("PAUSED", "PAUSED"), ("PAUSED", "CANCELLED"),
    ("CANCELLED", "CANCELLED"),
}  # fmt: skip


async def test_a_customer_pauses_resumes_and_cancels_as_the_table_says(market, sql) -> None:
    path = f"service-orders/{(await market.order())['id']}"
    for status in STATUSES:
        for wanted in ("PENDING", "PAUSED", "CANCELLED"):
            await sql.execute("UPDATE service_order SET status = $1", status)
            answer = await market.customer("PATCH", path, json={"status": wanted})
            granted = (status, wanted) in GRANTED
            assert answer[0] == (200 if granted else 409), (status, wanted)
            now = await sql.fetchval("SELECT status FROM service_order")
            assert now == (wanted if granted else status)
        for wanted in ("ASSIGNED", "COMPLETED", "DONE"):
            assert (await market.customer("PATCH", path, json={"status": wanted}))[0] == 400
    for status in STATUSES[2:]:
        await sql.execute("UPDATE service_order SET status = $1", status)
        answer = await refused(market.customer("PATCH", path, json={"description": "Other"}))
        assert answer == (409, "CONFLICT", f"the service order is {status.lower()}")


async def test_a_cancelled_order_rejects_what_waited(market) -> None:
    order = await market.order()
    offer = await market.offer(order)
    path = f"service-orders/{order['id']}"
    await expect(200, market.customer("PATCH", path, json={"status": "CANCELLED"}))
    found = await expect(200, market.provider("GET", f"offers/{offer['id']}"))
    assert found["status"] == "REJECTED"


async def test_only_an_order_without_offers_is_removed(market) -> None:
    order = await market.order()
    path = f"service-orders/{order['id']}"
    await market.offer(order)
    answer = await refused(market.customer("DELETE", path))
    assert answer[:2] == (409, "CONFLICT")
    other = f"service-orders/{(await market.order())['id']}"
    await expect(204, market.customer("DELETE", other, headers={"If-Match": '"1"'}))
    assert (await refused(market.customer("GET", other)))[0] == 404
    assert (await refused(market.customer("DELETE", other)))[0] == 404


async def test_who_may_do_what_with_an_order(
    market, anyone, other_customer, other_provider, staff, moderator, admin
) -> None:
    order = await market.order()
    path, body = f"service-orders/{order['id']}", {"status": "PENDING"}
    # caller: GET, offers, PATCH, DELETE; None: not tried
    for caller, expected in (
        (anyone, (401, 401, 401, 401)),
        (other_customer, (404, 404, 404, 404)),
        (market.provider, (200, 200, 403, 403)),
        (staff, (200, 200, 403, 403)),
        (moderator, (200, 200, 403, 403)),
        (market.customer, (200, 200, 200, None)),
        (admin, (200, 200, 200, 204)),
    ):
        found = (
            (await caller("GET", path))[0],
            (await caller("GET", f"{path}/offers"))[0],
            (await caller("PATCH", path, json=body))[0],
            None if expected[3] is None else (await caller("DELETE", path))[0],
        )
        assert found == expected, caller.subject
    assert (await refused(other_provider("GET", path)))[0] == 404


async def test_providers_see_what_is_open_and_what_they_have_offered_on(
    market, other_provider
) -> None:
    order = await market.order()
    path = f"service-orders/{order['id']}"
    mine = await market.offer(order)
    theirs = await market.offer(order, by=other_provider)
    for caller, offer in ((market.provider, mine), (other_provider, theirs)):
        found = await expect(200, caller("GET", f"{path}/offers"))
        assert [row["id"] for row in found] == [offer["id"]]
    await market.accept(mine)
    for caller in (market.provider, other_provider):
        assert (await expect(200, caller("GET", path)))["status"] == "ASSIGNED"


async def test_who_may_order(client, issuer, subtests) -> None:
    for role, verified, expected in (
        (Role.CUSTOMER, True, 201),
        (Role.CUSTOMER, False, 403),
        (Role.PROVIDER, True, 403),
        (Role.ADMIN, True, 403),
    ):
        with subtests.test(role=role, verified=verified):
            caller = caller_with(client, issuer, NOBODY, role, verified=verified)
            assert (await caller("POST", "service-orders", json=new_order()))[0] == expected


async def test_only_so_many_orders_of_a_customer_are_open(market, sql) -> None:
    order = await market.order()
    await sql.execute(
        """
        INSERT INTO service_order (id, customer_id, service_id, longitude, latitude, time_start,
            time_end, description)
        SELECT gen_random_uuid(), customer_id, service_id, longitude, latitude, time_start,
            time_end, description
        FROM service_order, generate_series(1, 99)
        """
    )
    answer = await refused(market.customer("POST", "service-orders", json=new_order()))
    assert answer == (409, "CONFLICT", "you can have at most 100 open service orders")
    path = f"service-orders/{order['id']}"
    await expect(200, market.customer("PATCH", path, json={"status": "CANCELLED"}))
    # One may be, also of several at once.
    answers = await asyncio.gather(
        *(market.customer("POST", "service-orders", json=new_order()) for _ in range(8))
    )
    assert sorted(status for status, _, _ in answers) == [201] + [409] * 7
    # What is over no longer counts.
    await sql.execute(
        "UPDATE service_order SET time_start = now() - '1 h'::interval, time_end = now()"
    )
    assert (await market.order())["service_id"] == SERVICE


async def test_an_offer_made_while_the_terms_change_is_on_one_version_of_them(market) -> None:
    """Either the order keeps the terms that the offer saw, or there is no offer."""
    for _ in range(5):
        order = await market.order()
        path = f"service-orders/{order['id']}"
        later = {"time_start": after(days=10), "time_end": after(days=11)}
        (changed, _, _), (offered, _, _) = await asyncio.gather(
            market.customer("PATCH", path, json=later),
            market.provider("POST", "offers", json=new_offer(order)),
        )
        assert (changed, offered) in {(200, 400), (409, 201)}
