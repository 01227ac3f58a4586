"""What the marketplace is for, from a registration to a review, through the gateway."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import ClientSession, DummyCookieJar

from devstack.testing.wait import eventually
from tests.e2e.conftest import Stack
from tests.e2e.people import Person, somebody

# Of the demo data.
SMOKE_DETECTOR = "01890000-0000-7000-8000-000000000a06"
STEP_LADDER = "01890000-0000-7000-8000-000000000a07"  # none left
BERLIN = {"longitude": 13.405, "latitude": 52.52}
# A service of the demo catalogue, and where its customer lives: 6 km from the middle of Berlin.
TAP = "Replace a kitchen tap"
HOME = {"longitude": 13.45, "latitude": 52.47}
TOMORROW = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
PATIENCE = 30.0  # seconds, for what travels as an event


@pytest.fixture
async def http(stack: Stack) -> AsyncIterator[ClientSession]:
    """Without cookies: each of these people has a token of their own."""
    async with ClientSession(stack.url, cookie_jar=DummyCookieJar()) as session:
        yield session


@pytest.fixture
def mails(stack: Stack) -> Path:
    return Path(stack.environ["RUN_DIR"]) / "mail"


@pytest.fixture
async def petra(http: ClientSession, mails: Path) -> Person:
    """A provider in Berlin who replaces taps."""
    petra = somebody(http, "Petra")
    await petra.joins("provider", mails, personal_id_number="01234567890")
    (service,) = await petra.get(f"catalogs/v1/services?search={TAP}")
    await petra.post("catalogs/v1/providers/me/services", {"service_id": service["id"]})
    (city,) = await petra.get("orders/v1/cities?search=Berlin")
    place = {"city_id": city["id"], "address": "Torstraße 1"}
    await petra.post("orders/v1/providers/me/location", place)
    return petra


@pytest.fixture
async def carl(http: ClientSession, mails: Path) -> Person:
    """A customer."""
    carl = somebody(http, "Carl")
    await carl.joins("customer", mails)
    return carl


@pytest.fixture
def staff(stack: Stack, http: ClientSession) -> Person:
    return Person(http, "Admin", "admin@example.com", headers=stack.authorized())


async def post_order(customer: Person) -> Any:
    """Look for the service in the catalogue and say where and when it is wanted."""
    (service,) = await customer.get(f"catalogs/v1/services?search={TAP}")
    wanted = {
        "service_id": service["id"],
        "location": HOME,
        "time_start": TOMORROW.isoformat(),
        "time_end": (TOMORROW + timedelta(hours=8)).isoformat(),
        "description": "It drips, all night.",
    }
    return await customer.post("orders/v1/service-orders", wanted)


async def make_offer(provider: Person, order: Any) -> Any:
    """Offer to do it for 85 euros, an hour into the window."""
    (euro,) = await provider.get("orders/v1/currencies?search=EUR")
    offer = {
        "order_id": order["id"],
        "price": "85.00",
        "currency_id": euro["id"],
        "book_time": (TOMORROW + timedelta(hours=1)).isoformat(),
    }
    return await provider.post("orders/v1/offers", offer)


async def channel_about(person: Person, subject: Any) -> str:
    """Return the channel that an event opens for an order or a job."""
    found: list[Any] = []

    async def opened() -> bool:
        found[:] = await person.get(f"chats/v1/channels?subject_id={subject['id']}")
        return bool(found)

    await eventually(opened, within=PATIENCE)
    (channel,) = found
    return str(channel["id"])


async def until_points_are(person: Person, points: int) -> None:
    """Wait for the event that brings them; whether it brings more, the caller looks."""

    async def enough() -> bool:
        return (await person.points())[0] >= points

    await eventually(enough, within=PATIENCE)


async def stock_of(person: Person, product_id: str) -> int:
    return int((await person.get(f"products/v1/products/{product_id}"))["stock"])


async def test_a_tap_is_replaced_talked_about_reviewed_and_thanked_for_and_goods_are_bought(
    petra: Person, carl: Person, staff: Person
) -> None:
    order = await post_order(carl)

    # Petra looks for work around her.
    near = await petra.get(
        f"orders/v1/service-orders?near={BERLIN['longitude']},{BERLIN['latitude']}&radius_km=10"
        f"&service_id={order['service_id']}&page_size=100"
    )
    (seen,) = [one for one in near if one["id"] == order["id"]]
    assert 5 < seen["distance_km"] < 7
    offer = await make_offer(petra, order)

    # Carl reads what is offered, and accepts.
    (offered,) = await carl.get(f"orders/v1/service-orders/{order['id']}/offers")
    assert (offered["id"], offered["price"]) == (offer["id"], "85.00")
    job = await carl.post(f"orders/v1/offers/{offer['id']}/accept", None)
    assert (job["status"], job["price"], job["provider_id"]) == ("PENDING", "85.00", petra.id)

    # Both talk about it.
    channel = await channel_about(carl, job)
    async with petra.in_channel(channel) as hers, carl.in_channel(channel) as his:
        await his.says("Shall I turn the water off?")
        assert await hers.hears() == "Shall I turn the water off?"
        await hers.says("No, I will. See you tomorrow!")
        assert await his.hears() == "No, I will. See you tomorrow!"
    kept = await carl.get(f"chats/v1/channels/{channel}/messages")
    assert [message["sequence"] for message in kept["messages"]] == [2, 1]

    # Petra comes and does it; Carl confirms that she has.
    for side, status in ((petra, "IN_PROGRESS"), (petra, "DONE"), (carl, "COMPLETED")):
        moved = await side.patch(f"orders/v1/jobs/{job['id']}", {"status": status})
        assert moved["status"] == status
    done = await carl.get(f"orders/v1/service-orders/{order['id']}")
    assert done["status"] == "COMPLETED"

    # Each says what the other was like, once.
    praise = {"job_id": job["id"], "rating": 4.5, "comment": "Quick and tidy."}
    await carl.post("orders/v1/reviews", praise)
    await petra.post("orders/v1/reviews", {"job_id": job["id"], "rating": 5})
    assert await carl.is_refused("POST", "orders/v1/reviews", praise) == "409 CONFLICT"
    (review,) = await carl.get(f"orders/v1/providers/{petra.id}/reviews")
    assert (review["rating"], review["comment"]) == (4.5, "Quick and tidy.")

    # Both have points for it, and the ledger says why.
    reason = f"job {job['id']} completed"
    await until_points_are(petra, 10)
    await until_points_are(carl, 8)
    assert await petra.points() == (10, [f"10 {reason}"])
    assert await carl.points() == (8, [f"8 {reason}"])

    # Carl orders smoke detectors, too, and presses the button twice.
    left = await stock_of(carl, SMOKE_DETECTOR)
    wanted = {"lines": [{"product_id": SMOKE_DETECTOR, "quantity": 3}]}
    key = str(uuid4())
    goods = await carl.post("orders/v1/orders", wanted, idempotency_key=key)
    assert (goods["total"], goods["status"]) == ("74.97", "pending")
    again = await carl.post("orders/v1/orders", wanted, idempotency_key=key)
    assert again["id"] == goods["id"]
    assert await stock_of(carl, SMOKE_DETECTOR) == left - 3

    # They are sent, and he is thanked once more.
    path = f"orders/v1/orders/{goods['id']}"
    for status in ("confirmed", "shipped", "delivered"):
        assert (await staff.patch(path, {"status": status}))["status"] == status
    assert (await carl.get(path))["status"] == "delivered"
    assert await stock_of(carl, SMOKE_DETECTOR) == left - 3
    await until_points_are(carl, 15)
    assert await carl.points() == (15, [f"8 {reason}", f"7 order {goods['id']} delivered"])
    assert await petra.points() == (10, [f"10 {reason}"])


async def test_what_is_between_two_people_is_nobody_elses(
    petra: Person, carl: Person, http: ClientSession, mails: Path
) -> None:
    order = await post_order(carl)
    offer = await make_offer(petra, order)
    job = await carl.post(f"orders/v1/offers/{offer['id']}/accept", None)
    channel = await channel_about(petra, job)
    eve = somebody(http, "Eve")
    await eve.joins("customer", mails)

    not_there = [
        f"chats/v1/channels/{channel}",
        f"chats/v1/channels/{channel}/messages",
        f"orders/v1/service-orders/{order['id']}",
        f"orders/v1/offers/{offer['id']}",
        f"orders/v1/jobs/{job['id']}",
    ]
    for path in not_there:
        assert await eve.is_refused("GET", path) == "404 NOT_FOUND", path
        assert await somebody(http, "Nobody").is_refused("GET", path) == "401 UNAUTHORIZED", path
    for path in (f"users/v1/users/{carl.id}/points", f"orders/v1/customers/{carl.id}/jobs"):
        assert await eve.is_refused("GET", path) == "403 FORBIDDEN", path

    said = {"client_id": "1", "text": "Let me in"}
    path = f"chats/v1/channels/{channel}/messages"
    assert await eve.is_refused("POST", path, said) == "404 NOT_FOUND"
    done = {"status": "COMPLETED"}
    assert await eve.is_refused("PATCH", f"orders/v1/jobs/{job['id']}", done) == "404 NOT_FOUND"
    # Starting the work is hers, not his.
    begun = {"status": "IN_PROGRESS"}
    assert await carl.is_refused("PATCH", f"orders/v1/jobs/{job['id']}", begun) == "403 FORBIDDEN"
    assert (await petra.get(f"orders/v1/jobs/{job['id']}"))["status"] == "PENDING"


async def test_an_order_for_more_than_there_is_is_refused_and_changes_nothing(
    carl: Person,
) -> None:
    left = await stock_of(carl, SMOKE_DETECTOR)
    wanted = {
        "lines": [
            {"product_id": SMOKE_DETECTOR, "quantity": 1},
            {"product_id": SMOKE_DETECTOR.replace("a06", "a05"), "quantity": 10_000},
        ]
    }
    assert await carl.is_refused("POST", "orders/v1/orders", wanted) == "409 CONFLICT"
    none_left = {"lines": [{"product_id": STEP_LADDER, "quantity": 1}]}
    assert await carl.is_refused("POST", "orders/v1/orders", none_left) == "409 CONFLICT"
    assert await stock_of(carl, SMOKE_DETECTOR) == left
    assert await carl.get("orders/v1/orders") == []
