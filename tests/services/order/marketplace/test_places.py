"""Where a customer lives: exact only for those who have to go there."""

from __future__ import annotations

import math

from lib.auth import Role
from tests.services.calling import caller_with
from tests.services.order.conftest import PROVIDER
from tests.services.order.marketplace.conftest import expect

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
    """Two places that round alike answer alike from everywhere, at every radius."""
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
