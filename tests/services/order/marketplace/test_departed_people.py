"""After the user service reports an ended account, its pending work is cancelled once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta

import msgspec
import pytest
from aiohttp.test_utils import TestClient, TestServer
from pydantic import SecretStr
from redis.asyncio import Redis

from devstack.testing.wait import eventually
from lib.clock import utc_now
from lib.events import stream_of
from services.order.app import create_app
from tests.services import telling
from tests.services.order.marketplace.conftest import BERLIN, Market, expect, refused

GONE = ["user.deleted", "user.deactivated"]
NO_PROVIDER = [*((kind, {}) for kind in GONE), ("user.role_changed", {"role": "CUSTOMER"})]

Tell = Callable[..., Awaitable[None]]


@pytest.fixture
async def client(new_config, own_redis_url) -> AsyncIterator[TestClient]:
    """The service with its consumer."""
    config = new_config(redis_url=SecretStr(own_redis_url))
    async with TestClient(TestServer(create_app(config))) as client:
        yield client


@pytest.fixture
def tell(redis: Redis) -> Tell:
    """Publish an event about a person."""

    def told(
        kind: str, person: str, *, at: datetime | None = None, times: int = 1, **payload: str
    ) -> Awaitable[None]:
        payload["id"] = person
        return telling.tell(redis, "users", kind, payload, at=at, times=times)

    return told


@pytest.fixture
def told_to(redis: Redis) -> Callable[..., Awaitable[list[tuple[str, str, str]]]]:
    """Return the jobs that were reported as cancelled, the responsible party, and the actor."""

    async def told(topic: str, kind: str) -> list[tuple[str, str, str]]:
        async def any_are_there() -> bool:
            return bool(await found())

        async def found() -> list[dict]:
            events = [fields for _, fields in await redis.xrange(stream_of(topic))]
            return [
                msgspec.json.decode(event[b"payload"])
                for event in events
                if event[b"kind"].decode() == kind
            ]

        await eventually(any_are_there)
        return [(one["job_id"], one["by"], one["actor"]) for one in await found()]

    return told


async def _seen(market: Market, path: str) -> tuple[str, int]:
    found = await expect(200, market.customer("GET", path))
    return found["status"], found["version"]


@pytest.mark.parametrize(("kind", "payload"), NO_PROVIDER)
async def test_offers_of_a_provider_who_is_gone_cannot_be_accepted(
    market, other_provider, tell, kind, payload
) -> None:
    order = await market.order()
    offer = await market.offer(order)
    other = await market.offer(order, by=other_provider)
    await tell(kind, market.provider.subject, times=2, **payload)
    assert await _seen(market, f"offers/{offer['id']}") == ("CANCELLED", 2)
    answer = await refused(market.accepting(offer))
    assert answer == (409, "CONFLICT", "the offer is cancelled")
    await market.accept(other)


JOBS = [(), ("IN_PROGRESS",), ("IN_PROGRESS", "PAUSED")]


@pytest.mark.parametrize("statuses", JOBS)
async def test_jobs_of_a_provider_who_is_gone_are_off_and_their_orders_open_again(
    market, other_provider, tell, statuses, told_to
) -> None:
    job = await market.job(*statuses)
    await tell("user.deleted", market.provider.subject, times=2)
    await tell("user.deactivated", market.provider.subject)
    assert await _seen(market, f"jobs/{job['id']}") == ("CANCELLED", job["version"] + 1)
    assert await _seen(market, f"offers/{job['offer_id']}") == ("CANCELLED", 3)
    order = await expect(200, market.customer("GET", f"service-orders/{job['order_id']}"))
    assert (order["status"], order["version"]) == ("PENDING", 3)
    assert await told_to("jobs", "job.cancelled") == [(job["id"], "provider", "order")]
    await market.accept(await market.offer(order, by=other_provider))


@pytest.mark.parametrize("statuses", JOBS)
async def test_jobs_of_a_customer_who_is_gone_are_off_with_their_orders(
    market, tell, statuses, told_to
) -> None:
    job = await market.job(*statuses)
    await tell("user.deactivated", market.customer.subject, times=2)
    assert await _seen(market, f"jobs/{job['id']}") == ("CANCELLED", job["version"] + 1)
    assert (await _seen(market, f"service-orders/{job['order_id']}"))[0] == "CANCELLED"
    assert await told_to("jobs", "job.cancelled") == [(job["id"], "customer", "order")]


async def test_jobs_that_are_done_outlast_who_did_them(market, tell) -> None:
    job = await market.done()
    for person in (market.provider, market.customer):
        await tell("user.deleted", person.subject)
    assert await _seen(market, f"jobs/{job['id']}") == ("COMPLETED", job["version"])


async def test_nobody_is_sent_to_a_provider_who_is_gone(market, tell) -> None:
    new = {"city_id": BERLIN, "address": "Ring 1"}
    await expect(201, market.provider("POST", "providers/me/location", json=new))
    await tell("user.deactivated", market.provider.subject)
    path = f"providers/{market.provider.subject}/location"
    assert (await refused(market.customer("GET", path)))[0] == 404


@pytest.mark.parametrize("kind", GONE)
async def test_what_a_customer_who_is_gone_wanted_is_called_off(market, tell, kind) -> None:
    order, paused, job = await market.order(), await market.order(), await market.job()
    offer = await market.offer(order)
    path = f"service-orders/{paused['id']}"
    await expect(200, market.customer("PATCH", path, json={"status": "PAUSED"}))
    await tell(kind, market.customer.subject, times=2)
    erased = kind == "user.deleted"  # which is a change of its own
    assert await _seen(market, f"service-orders/{order['id']}") == ("CANCELLED", 2 + erased)
    assert await _seen(market, path) == ("CANCELLED", 3 + erased)
    assert await _seen(market, f"offers/{offer['id']}") == ("REJECTED", 2)
    assert await _seen(market, f"jobs/{job['id']}") == ("CANCELLED", 2)
    found = await _seen(market, f"service-orders/{job['order_id']}")
    assert found == ("CANCELLED", 3 + erased)


async def test_what_is_no_departure_or_came_after_it_changes_nothing(market, tell) -> None:
    before = utc_now() - timedelta(minutes=1)
    offer, job = await market.offer(await market.order()), await market.job()
    provider, customer = market.provider.subject, market.customer.subject
    await tell("user.role_changed", provider, role="PROVIDER")
    await tell("user.role_changed", customer, role="STAFF")
    await tell("user.updated", provider)
    for person in (provider, customer):
        await tell("user.deactivated", person, at=before)
    assert await _seen(market, f"offers/{offer['id']}") == ("PENDING", 1)
    assert await _seen(market, f"jobs/{job['id']}") == ("PENDING", 1)
    assert (await _seen(market, f"service-orders/{offer['order_id']}"))[0] == "PENDING"
