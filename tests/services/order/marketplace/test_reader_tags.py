"""An `ETag` depends on the contents that its reader sees, so 304 hides no change."""

from __future__ import annotations

from typing import Any

from tests.services.order.conftest import PROVIDER
from tests.services.order.marketplace.conftest import expect
from tests.services.order.marketplace.test_places import ABOUT, EXACT, WORKPLACE
from tests.services.order.marketplace.test_reviews import review_of


async def read(caller: Any, path: str, *tags: str) -> tuple[int, Any, str]:
    """Return the status, data and tag of an object for a reader with these tags."""
    headers = {"If-None-Match": ", ".join(tags)} if tags else {}
    status, body, answered = await caller("GET", path, headers=headers)
    return status, body and body["data"], answered["ETag"]


async def test_a_workplace_has_another_tag_while_a_job_shows_its_exact_place(market) -> None:
    await expect(201, market.provider("POST", "providers/me/location", json=WORKPLACE))
    path = f"providers/{PROVIDER}/location"
    offer = await market.offer(await market.order())
    status, place, rounded = await read(market.customer, path)
    assert (status, place["location"]) == (200, ABOUT)
    job = await market.accept(offer)
    status, place, exact = await read(market.customer, path, rounded)
    assert (status, place["location"], place["version"]) == (200, EXACT, 1)
    assert (await read(market.customer, path, rounded, exact))[0] == 304
    for step in ("IN_PROGRESS", "COMPLETED"):
        caller = market.provider if step == "IN_PROGRESS" else market.customer
        await expect(200, caller("PATCH", f"jobs/{job['id']}", json={"status": step}))
    status, place, after = await read(market.customer, path, exact)
    assert (status, place["location"], after) == (200, ABOUT, rounded)


async def test_an_order_has_a_tag_for_each_place_that_it_is_shown_with(market) -> None:
    order = await market.order(location=EXACT)
    path = f"service-orders/{order['id']}"
    offer = await market.offer(order)
    _, whole, exact = await read(market.customer, path)
    status, seen, rounded = await read(market.provider, path, exact)
    assert (status, seen["location"], seen["version"]) == (200, ABOUT, whole["version"])
    assert (await read(market.provider, path, rounded))[0] == 304
    await market.accept(offer)
    status, seen, _ = await read(market.provider, path, rounded, exact)
    assert (status, seen["location"]) == (200, EXACT)


async def test_a_review_has_another_tag_for_its_parties_than_for_strangers(market, anyone) -> None:
    review = await expect(
        201, market.customer("POST", "reviews", json=review_of(await market.done()))
    )
    path = f"reviews/{review['id']}"
    _, known, of_party = await read(market.customer, path)
    status, public, of_stranger = await read(anyone, path, of_party)
    assert (status, "job_id" in known, "job_id" in public) == (200, True, False)
    assert (await read(market.customer, path, of_stranger))[0] == 200
    assert (await read(anyone, path, of_stranger))[0] == 304


async def test_if_match_compares_the_version_of_a_tag_with_a_digest(market) -> None:
    order = await market.order(location=EXACT)
    path = f"service-orders/{order['id']}"
    _, _, tag = await read(market.customer, path)
    body, seen = {"description": "Other"}, {"If-Match": tag}
    assert (await market.customer("PATCH", path, json=body, headers=seen))[0] == 200
    assert (await market.customer("PATCH", path, json=body, headers=seen))[0] == 412
    for wrong in (f"W/{tag}", tag.replace("-", "-0"), tag.replace("-", "_"), '"2-"'):
        answer = await market.customer("PATCH", path, json=body, headers={"If-Match": wrong})
        assert answer[0] == 412, wrong
