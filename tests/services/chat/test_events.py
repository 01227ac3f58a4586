"""Offers and jobs give their two people one channel, even if events are repeated."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from devstack.testing.wait import eventually
from lib.clock import utc_now
from lib.events.event import Event, dead_letters_of, stream_of
from lib.ids import new_id
from tests.services.chat.talking import CUSTOMER, ORDER, PROVIDER, STRANGER

JOB = "01890000-0000-7000-8000-0000000000e1"
OFFER = "01890000-0000-7000-8000-0000000000f2"


def event(topic: str, kind: str, key: str, payload: dict[str, Any]) -> Event:
    text = msgspec.json.encode(payload).decode()
    return Event(new_id(), topic, key, kind, text, "r-1", "", utc_now())


def offer_made(provider: str = PROVIDER) -> Event:
    payload = {
        "offer_id": OFFER,
        "order_id": ORDER,
        "customer_id": CUSTOMER,
        "provider_id": provider,
    }
    return event("offers", "offer.made", ORDER, payload)


def job_created() -> Event:
    payload = {
        "job_id": JOB,
        "order_id": ORDER,
        "offer_id": OFFER,
        "customer_id": CUSTOMER,
        "provider_id": PROVIDER,
    }
    return event("jobs", "job.created", JOB, payload)


@pytest.fixture
def tell(client, redis):
    """Publish events to their streams, as the order service's relay does."""

    async def put(*events: Event) -> None:
        for one in events:
            await redis.xadd(stream_of(one.topic), one.fields())

    return put


@pytest.fixture
def channels_of(call):
    async def found(user: str) -> list[tuple[str, str]]:
        _, body = await call(user, "GET", "channels")
        return sorted((one["kind"], one["subject_id"]) for one in body["data"])

    return found


async def test_an_offer_and_a_job_each_open_a_channel(tell, channels_of) -> None:
    await tell(offer_made(), job_created())
    both = [("job", JOB), ("order", ORDER)]

    async def opened() -> bool:
        return await channels_of(CUSTOMER) == both

    await eventually(opened)
    assert await channels_of(PROVIDER) == both
    assert await channels_of(STRANGER) == []


async def test_each_provider_has_a_channel_of_their_own(tell, channels_of, call) -> None:
    await tell(offer_made(), offer_made(STRANGER))

    async def opened() -> bool:
        return len(await channels_of(CUSTOMER)) == 2

    await eventually(opened)
    assert await channels_of(STRANGER) == await channels_of(PROVIDER) == [("order", ORDER)]
    ids = {
        (await call(user, "GET", "channels"))[1]["data"][0]["id"] for user in (STRANGER, PROVIDER)
    }
    assert len(ids) == 2


async def test_what_is_told_twice_opens_one_channel(tell, channels_of, redis) -> None:
    first = offer_made()
    await tell(first, first, offer_made(), job_created())

    async def last() -> bool:
        return ("job", JOB) in await channels_of(CUSTOMER)

    await eventually(last)
    # The two topics are read one after the other: offers are done when jobs are.
    assert await channels_of(CUSTOMER) == [("job", JOB), ("order", ORDER)]
    assert await redis.xlen(dead_letters_of("offers")) == 0


async def test_what_makes_no_sense_is_set_aside_and_stops_nothing(tell, channels_of, redis) -> None:
    await tell(
        event("offers", "offer.made", ORDER, {"order_id": "no"}),
        offer_made(provider=CUSTOMER),
        event("offers", "offer.withdrawn", ORDER, {}),
        offer_made(),
    )

    async def opened() -> bool:
        return await channels_of(PROVIDER) == [("order", ORDER)]

    await eventually(opened)
    assert await redis.xlen(dead_letters_of("offers")) == 2


async def test_the_new_members_talk_at_once(tell, connect, call) -> None:
    customer, provider = await connect(CUSTOMER), await connect(PROVIDER)
    await tell(offer_made())

    async def opened() -> bool:
        return bool((await call(CUSTOMER, "GET", "channels"))[1]["data"])

    await eventually(opened)
    channel = (await call(CUSTOMER, "GET", "channels"))[1]["data"][0]["id"]
    await customer.send(channel, "hello")
    assert (await provider.expect("message"))["text"] == "hello"
