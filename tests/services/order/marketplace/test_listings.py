"""The lists of a provider and of a customer, open orders, and open orders nearby."""

from __future__ import annotations

import random
from uuid import UUID

import pytest

from lib.resource.lists import Sort
from services.order.marketplace.model.box import rounded
from services.order.marketplace.model.caller import Caller
from services.order.marketplace.model.lists import ListServiceOrders
from services.order.marketplace.model.places import Location
from services.order.marketplace.service import listings
from tests.services.order.conftest import CUSTOMER, PROVIDER
from tests.services.order.marketplace.conftest import NOBODY, after, expect
from tests.services.order.marketplace.test_box import away, kilometres

BERLIN_PLACE = Location(longitude=13.4, latitude=52.5)


async def listed(caller, path: str) -> list[str]:
    status, body, _ = await caller("GET", path)
    assert status == 200, body
    assert body["meta"]["total_count"] == len(body["data"])
    return [row["id"] for row in body["data"]]


LISTS = [
    "providers/{}/offers", "providers/{}/jobs", "providers/{}/reviews",
    "customers/{}/service-orders", "customers/{}/jobs", "customers/{}/reviews",
]  # fmt: skip


async def test_both_sides_find_what_they_have_to_do_with(market, staff, moderator, admin) -> None:
    job = await market.done()
    review = {"job_id": job["id"], "rating": 5}
    by_customer = (await expect(201, market.customer("POST", "reviews", json=review)))["id"]
    by_provider = (await expect(201, market.provider("POST", "reviews", json=review)))["id"]
    expected = {
        "providers/{}/offers": [job["offer_id"]],
        "providers/{}/jobs": [job["id"]],
        "providers/{}/reviews": [by_customer],
        "providers/{}/reviews?direction=written": [by_provider],
        "customers/{}/service-orders": [job["order_id"]],
        "customers/{}/jobs": [job["id"]],
        "customers/{}/reviews": [by_provider],
        "customers/{}/reviews?direction=written": [by_customer],
    }
    for path, ids in expected.items():
        own, who = (
            (market.provider, PROVIDER) if path.startswith("p") else (market.customer, CUSTOMER)
        )
        for caller, whose in (
            (own, "me"),
            (own, who),
            (staff, who),
            (moderator, who),
            (admin, who),
        ):
            assert await listed(caller, path.format(whose)) == ids, path
        assert await listed(admin, path.format(NOBODY)) == []


async def test_who_may_see_a_list(
    anyone, customer, provider, other_customer, other_provider, subtests
) -> None:
    for path in LISTS:
        of_providers = path.startswith("providers")
        is_public = path == "providers/{}/reviews"
        who, other = (PROVIDER, other_provider) if of_providers else (CUSTOMER, other_customer)
        role, wrong_role = (provider, customer) if of_providers else (customer, provider)
        for caller, whose, expected in (
            (anyone, who, 200 if is_public else 401),
            (anyone, "me", 401),
            (other, who, 200 if is_public else 403),
            (other, "me", 200),
            (role, who, 200),
            (wrong_role, "me", 403),
            (role, "7", 400),
        ):
            with subtests.test(path=path, whose=whose, caller=caller.subject):
                assert (await caller("GET", path.format(whose)))[0] == expected


async def test_what_a_provider_has_written_is_not_public(
    anyone, customer, other_provider, provider
) -> None:
    path = f"providers/{PROVIDER}/reviews?direction=written"
    for caller, expected in (
        (anyone, 401),
        (customer, 403),
        (other_provider, 403),
        (provider, 200),
    ):
        assert (await caller("GET", path))[0] == expected


async def test_lists_are_filtered_by_status_and_ordered(market, other_provider) -> None:
    first = await market.order(time_start=after(days=5), time_end=after(days=6))
    second = await market.order(time_start=after(days=4), time_end=after(days=6))
    dear = await market.offer(first, price="90")
    cheap = await market.offer(second, price="10")
    jobs = [await market.accept(cheap)]
    orders = "customers/me/service-orders"
    assert await listed(market.customer, orders) == [first["id"], second["id"]]
    assert await listed(market.customer, f"{orders}?sort=desc") == [second["id"], first["id"]]
    by_start = await listed(market.customer, f"{orders}?order_by=time_start")
    assert by_start == [second["id"], first["id"]]
    by_start = await listed(market.customer, f"{orders}?order_by=time_start&sort=desc")
    assert by_start == [first["id"], second["id"]]
    assert await listed(market.customer, f"{orders}?status=ASSIGNED") == [second["id"]]
    assert await listed(market.customer, f"{orders}?service_id={NOBODY}") == []
    offers = "providers/me/offers"
    by_price = await listed(market.provider, f"{offers}?order_by=price")
    assert by_price == [cheap["id"], dear["id"]]
    by_price = await listed(market.provider, f"{offers}?order_by=price&sort=desc")
    assert by_price == [dear["id"], cheap["id"]]
    assert await listed(market.provider, f"{offers}?sort=desc") == [cheap["id"], dear["id"]]
    assert await listed(market.provider, f"{offers}?status=PENDING") == [dear["id"]]
    jobs.append(await market.accept(dear))
    ids = [job["id"] for job in jobs]
    assert await listed(market.provider, "providers/me/jobs") == ids
    assert await listed(market.provider, "providers/me/jobs?sort=desc") == ids[::-1]
    assert await listed(market.customer, "customers/me/jobs?order_by=book_time") == ids
    assert (
        await listed(market.customer, "customers/me/jobs?order_by=book_time&sort=desc") == ids[::-1]
    )
    assert await listed(market.customer, "customers/me/jobs?status=COMPLETED") == []


async def test_reviews_are_ordered_by_their_stars(market, anyone) -> None:
    written = []
    for rating in (3, 5, 0.5):
        body = {"job_id": (await market.done())["id"], "rating": rating}
        written.append((await expect(201, market.customer("POST", "reviews", json=body)))["id"])
    path = f"providers/{PROVIDER}/reviews"
    by_stars = [written[2], written[0], written[1]]
    assert await listed(anyone, path) == written
    assert await listed(anyone, f"{path}?order_by=rating") == by_stars
    assert await listed(anyone, f"{path}?order_by=rating&sort=desc") == by_stars[::-1]
    _, body, _ = await anyone("GET", f"{path}?page=2&page_size=2")
    assert [row["id"] for row in body["data"]] == written[2:]
    assert body["meta"] == {"page": 2, "page_size": 2, "total_count": 3, "total_pages": 2}


async def test_everybody_sees_the_orders_that_concern_them(
    market, other_customer, other_provider, staff
) -> None:
    open_one, paused, assigned = [await market.order() for _ in range(3)]
    body = {"status": "PAUSED"}
    await expect(200, market.customer("PATCH", f"service-orders/{paused['id']}", json=body))
    await market.accept(await market.offer(assigned))
    everything = [open_one["id"], paused["id"], assigned["id"]]
    for caller, expected in (
        (market.customer, everything),
        (staff, everything),
        (other_customer, []),
        (market.provider, everything[:1]),
        (other_provider, everything[:1]),
    ):
        assert await listed(caller, "service-orders") == expected
    assert await listed(staff, "service-orders?status=PAUSED") == [paused["id"]]
    assert await listed(market.provider, "service-orders?status=PAUSED") == []
    assert await listed(market.provider, "service-orders?status=PENDING") == [open_one["id"]]
    near = "service-orders?near=13.4,52.5"
    assert await listed(market.provider, near) == [open_one["id"]]
    assert await listed(market.provider, f"{near}&status=PAUSED") == []
    assert await listed(market.provider, f"{near}&service_id={NOBODY}") == []
    assert await listed(staff, near) == [open_one["id"]]


async def test_what_is_over_is_not_open(market, sql) -> None:
    order = await market.order()
    assert await listed(market.provider, "service-orders") == [order["id"]]
    await sql.execute(
        "UPDATE service_order SET time_start = now() - '1 h'::interval, time_end = now()"
    )
    assert await listed(market.provider, "service-orders") == []
    assert await listed(market.provider, "service-orders?near=13.4,52.5") == []
    assert await listed(market.customer, "service-orders") == [order["id"]]


async def test_open_orders_near_a_place_are_those_that_brute_force_finds(market, sql) -> None:
    dice = random.Random(11)
    centres = [(13.4, 52.5), (179.99, 0.0), (10.0, 89.9)]
    orders = {}
    for centre in centres:
        for _ in range(40):
            there = away(centre, dice.uniform(0, 360), dice.uniform(0, 300))
            orders[f"01890000-0000-7000-8000-{len(orders):012x}"] = there
    await sql.executemany(
        "INSERT INTO service_order (id, customer_id, service_id, longitude, latitude, time_start,"
        " time_end, description) VALUES ($1, $2, $2, $3, $4, now(), now() + '1 h'::interval, 'x')",
        [(key, NOBODY, *place) for key, place in orders.items()],
    )
    for longitude, latitude in centres:
        distances = {
            key: kilometres((longitude, latitude), (rounded(place[0]), rounded(place[1])))
            for key, place in orders.items()
        }
        expected = sorted(
            (key for key in distances if distances[key] <= 120), key=distances.__getitem__
        )
        found, page = [], 1
        while True:
            path = f"service-orders?near={longitude},{latitude}&radius_km=120&page_size=7"
            _, body, _ = await market.provider("GET", f"{path}&page={page}")
            assert body["meta"]["total_count"] == len(expected)
            if not body["data"]:
                break
            found += body["data"]
            page += 1
        assert [row["id"] for row in found] == expected
        for row in found:
            assert row["distance_km"] == pytest.approx(distances[row["id"]], abs=0.002)


async def test_an_index_finds_what_is_open_nearby_and_what_is_newest(sql, explaining) -> None:
    await sql.execute(
        """
        INSERT INTO service_order (id, customer_id, service_id, longitude, latitude, time_start,
            time_end, description, created_at, status)
        SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), random() * 360 - 180,
            random() * 180 - 90, now(), now() + '1 h'::interval, 'x', now() - n * '1 s'::interval,
            CASE WHEN n % 20 = 0 THEN 'PENDING' ELSE 'COMPLETED' END::service_order_status
        FROM generate_series(1, 5000) AS n
        """
    )
    await sql.execute("ANALYZE service_order")
    wanted = ListServiceOrders(sort=Sort.DESC)
    await listings.orders_near(explaining, BERLIN_PLACE, wanted)
    assert " service_order_open_place " in explaining.plan
    await listings.orders_for(explaining, wanted, Caller(id=UUID(PROVIDER), is_provider=True))
    assert " service_order_status_created_at " in explaining.plan
    await listings.orders_for(explaining, wanted, Caller(sees_all=True))
    assert " service_order_created_at " in explaining.plan


async def test_what_is_no_list_is_refused_by_field(provider, subtests) -> None:
    for query, field in [
        ("near=13.4", "near"),
        ("near=200,10", "near"),
        ("near=10,99", "near"),
        ("near=nan,nan", "near"),
        ("near=1,2&radius_km=1000", "radius_km"),
        ("status=OPEN", "status"),
        ("order_by=description", "order_by"),
        ("service_id=7", "service_id"),
    ]:
        with subtests.test(query=query):
            status, body, _ = await provider("GET", f"service-orders?{query}")
            assert (status, body["error"]["details"][0]["field"]) == (400, field)


async def test_looking_around_is_for_providers_and_the_staff(customer, anyone, provider) -> None:
    for caller, expected in ((anyone, 401), (customer, 403), (provider, 200)):
        assert (await caller("GET", "service-orders?near=1,2"))[0] == expected
