"""Only callers who must go to a place see its exact coordinates."""

from __future__ import annotations

import math

from lib.auth import Role
from tests.services.calling import caller_with
from tests.services.order.conftest import CUSTOMER, PROVIDER
from tests.services.order.marketplace.conftest import BERLIN, expect

EXACT = {"longitude": 13.377704, "latitude": 52.516275}
ABOUT = {"longitude": 13.38, "latitude": 52.52}


async def seen(caller, order: dict) -> dict:
    return (await expect(200, caller("GET", f"service-orders/{order['id']}")))["location"]


async def test_a_place_is_rounded_for_providers_until_their_offer_is_accepted(
    market, other_provider, staff, client, issuer
) -> None:
    unverified = caller_with(client, issuer, PROVIDER, Role.PROVIDER, verified=False)
    order = await market.order(location=EXACT)
    assert order["location"] == EXACT
    for caller, place in ((market.customer, EXACT), (staff, EXACT), (market.provider, ABOUT)):
        assert await seen(caller, order) == place
    offer = await market.offer(order)
    other = await market.offer(order, by=other_provider)
    assert other["order_id"] == order["id"]
    assert await seen(market.provider, order) == ABOUT
    job = await market.accept(offer)
    assert await seen(market.provider, order) == EXACT
    assert await seen(other_provider, order) == ABOUT
    assert await seen(unverified, order) == ABOUT
    path = f"jobs/{job['id']}"
    await expect(200, market.customer("PATCH", path, json={"status": "CANCELLED"}))
    assert await seen(market.provider, order) == ABOUT


async def test_lists_show_rounded_places_to_providers_and_exact_ones_to_the_customer(
    market, staff
) -> None:
    await market.order(location=EXACT)
    for caller, path, place in (
        (market.provider, "service-orders", ABOUT),
        (market.provider, "service-orders?near=13.4,52.5", ABOUT),
        (market.customer, "service-orders", EXACT),
        (market.customer, "customers/me/service-orders", EXACT),
        (staff, "service-orders", EXACT),
    ):
        (row,) = await expect(200, caller("GET", path))
        assert row["location"] == place, path


async def test_distances_and_radii_do_not_locate_a_place_better_than_the_rounded_one(
    market, sql
) -> None:
    """Two places with equal rounded values give equal responses everywhere, at every radius."""
    near = [13.0 + n / 7 for n in range(6)]
    answers = []
    for place in (EXACT, {"longitude": 13.3849, "latitude": 52.5151}):
        await sql.execute("DELETE FROM service_order")
        await market.order(location=place)
        told = []
        for longitude in near:
            where = f"service-orders?near={longitude:.4f},52.5&radius_km=500"
            (row,) = await expect(200, market.provider("GET", where))
            radius = math.floor(row["distance_km"] * 100) / 100 - 0.5
            closer = f"service-orders?near={longitude:.4f},52.5&radius_km={radius:.2f}"
            told.append((row["distance_km"], await expect(200, market.provider("GET", closer))))
        answers.append(told)
    assert answers[0] == answers[1]


WORKPLACE = {"city_id": BERLIN, "address": "Torstraße 1", "location": EXACT}


async def workplace(caller, path: str) -> tuple[dict, str | None]:
    """Return the place and the address of the only provider that an endpoint returns."""
    shown = await expect(200, caller("GET", path))
    if isinstance(shown, list):
        (shown,) = shown
    return shown["location"], shown.get("address")


async def test_workplaces_are_rounded_without_a_job_under_way(
    market, other_provider, staff, client, issuer
) -> None:
    await expect(201, market.provider("POST", "providers/me/location", json=WORKPLACE))
    unverified = caller_with(client, issuer, CUSTOMER, Role.CUSTOMER, verified=False)
    path = f"providers/{PROVIDER}/location"
    exactly, about = (EXACT, "Torstraße 1"), (ABOUT, None)
    offer = await market.offer(await market.order())
    for caller, expected in (
        (market.provider, exactly),
        (staff, exactly),
        (market.customer, about),
        (other_provider, about),
    ):
        assert await workplace(caller, path) == expected
    job = f"jobs/{(await market.accept(offer))['id']}"
    assert await workplace(market.customer, path) == exactly
    assert await workplace(unverified, path) == about
    assert await workplace(other_provider, path) == about
    await expect(200, market.provider("PATCH", job, json={"status": "IN_PROGRESS"}))
    assert await workplace(market.customer, path) == exactly
    await expect(200, market.customer("PATCH", job, json={"status": "COMPLETED"}))
    assert await workplace(market.customer, path) == about


async def test_lists_of_workplaces_are_rounded_except_for_their_owner_and_the_staff(
    market, staff
) -> None:
    await expect(201, market.provider("POST", "providers/me/location", json=WORKPLACE))
    await market.job("IN_PROGRESS")
    for path in (
        "providers/nearest?longitude=13.4&latitude=52.5",
        f"cities/{BERLIN}/providers",
    ):
        for caller in (market.provider, staff):
            assert await workplace(caller, path) == (EXACT, "Torstraße 1")
        assert await workplace(market.customer, path) == (ABOUT, None)


async def test_distances_do_not_locate_a_workplace_better_than_the_rounded_one(market) -> None:
    """Two places with equal rounded values give equal responses everywhere, at every radius."""
    own = "providers/me/location"
    await expect(201, market.provider("POST", own, json=WORKPLACE))
    answers = []
    for place in (EXACT, {"longitude": 13.3849, "latitude": 52.5151}):
        await expect(200, market.provider("PATCH", own, json={"location": place}))
        told = []
        for n in range(6):
            where = f"providers/nearest?longitude={13.0 + n / 7:.4f}&latitude=52.5"
            (row,) = await expect(200, market.customer("GET", f"{where}&radius_km=500"))
            radius = math.floor(row["distance_km"] * 100) / 100 - 0.5
            closer = await expect(200, market.customer("GET", f"{where}&radius_km={radius:.2f}"))
            told.append((row["distance_km"], len(closer)))
        answers.append(told)
    assert answers[0] == answers[1]
