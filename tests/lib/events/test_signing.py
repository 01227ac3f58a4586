"""An event is accepted only from the producer of its topic, not from other Redis clients."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

import msgspec
import pytest
from pydantic import ValidationError
from redis.asyncio import Redis

from lib.clock import utc_now
from lib.db import Database, Executor
from lib.events import Consumer, Event, Relay, publish, stream_of
from lib.events.event import dead_letters_of
from lib.events.signing import (
    MOST_AGE,
    ConsumerSettings,
    EventSigner,
    ProducerSettings,
    TrustedProducers,
    parse_public_keys,
)
from lib.events.streams import RedisStreams
from lib.ids import new_id


def key() -> EventSigner:
    return EventSigner.of(base64.b64encode(secrets.token_bytes(32)).decode())


ORDER, NEXT, CATALOG = key(), key(), key()
KEYS = f"order:{ORDER.public}, order:{NEXT.public},catalog:{CATALOG.public}"


@dataclass
class World:
    """A consumer of the topic of orders, and functions to put entries into its stream."""

    db: Database
    redis: Redis
    topic: str
    beliefs: TrustedProducers | None
    heard: list[str] = field(default_factory=list)

    def event(self, payload: str = "1", **changes: object) -> Event:
        made = Event(new_id(), self.topic, "k", "order.completed", payload, "", "", utc_now())
        return msgspec.structs.replace(made, **changes)

    async def put(self, event: Event, signature: str | None = None, **changes: str) -> None:
        signed = {} if signature is None else {"signature": signature}
        await self.redis.xadd(stream_of(self.topic), {**event.fields(), **signed, **changes})

    async def handled(self) -> tuple[list[str], list[str]]:
        """Return the payloads of handled events, and the reasons of dead letters."""

        async def hear(_: Executor, event: Event) -> None:
            self.heard.append(event.payload)

        consumer = Consumer(
            self.db,
            RedisStreams(self.redis),
            group="g",
            name="one",
            handlers={self.topic: {"order.completed": hear}},
            beliefs=self.beliefs,
        )
        while await consumer.step():
            pass
        letters = await self.redis.xrange(dead_letters_of(self.topic))
        # What is wrong in a batch is tried one by one, after all of it was taken back.
        return list(dict.fromkeys(self.heard)), [
            fields[b"dead_reason"].decode() for _, fields in letters
        ]


@pytest.fixture
def world(db: Database, redis: Redis, topic: str) -> World:
    return World(db, redis, topic, TrustedProducers(parse_public_keys(KEYS), {topic: "order"}))


# What another service, or whoever has Redis' password, may put into the stream.
FORGED: Mapping[str, Callable[[World, Event], tuple[str | None, dict[str, str], str]]] = {
    "unsigned": lambda w, e: (None, {}, "not signed by order"),
    "signed by another service": lambda w, e: (CATALOG.sign(e), {}, "not signed by order, or"),
    "no signature at all": lambda w, e: ("?", {}, "not signed by order, or"),
    "another payload": lambda w, e: (ORDER.sign(e), {"payload": "9"}, "not signed by order, or"),
    "another key": lambda w, e: (ORDER.sign(e), {"key": "other"}, "not signed by order, or"),
    "another id": lambda w, e: (ORDER.sign(e), {"id": str(new_id())}, "not signed by order, or"),
}


async def test_a_forged_event_is_a_dead_letter_with_its_reason(world: World) -> None:
    """Valid events beside it are handled all the same."""
    expected = []
    for how, forge in FORGED.items():
        event, true = world.event("forged"), world.event(f"true beside {how}")
        signature, changes, reason = forge(world, event)
        await world.put(event, signature, **changes)
        await world.put(true, ORDER.sign(true))
        expected.append((true.payload, f"not believed: {reason}"))
    heard, reasons = await world.handled()
    assert heard == [payload for payload, _ in expected]
    for reason, (_, said) in zip(reasons, expected, strict=True):
        assert reason.startswith(said)


async def test_without_keys_whoever_reaches_redis_is_believed(world: World) -> None:
    """The attack itself: it worked in earlier versions, and still works without keys."""
    world.beliefs = None
    await world.put(world.event("forged"))
    assert await world.handled() == (["forged"], [])


async def test_a_topic_that_nobody_is_believed_on_is_not_consumed(world: World) -> None:
    world.beliefs = TrustedProducers(parse_public_keys(KEYS), {})
    with pytest.raises(ValueError, match=f"topics without a known producer: {world.topic}"):
        await world.handled()


async def test_an_event_of_another_topic_is_not_played_to_this_one(world: World) -> None:
    event = world.event(topic="elsewhere")
    await world.put(event, ORDER.sign(event))
    assert await world.handled() == ([], ["not believed: signed for another topic: elsewhere"])


async def test_what_the_inbox_may_have_forgotten_is_not_played_again(world: World) -> None:
    event = world.event(created_at=utc_now() - MOST_AGE - timedelta(minutes=1))
    await world.put(event, ORDER.sign(event))
    assert await world.handled() == ([], ["not believed: signed more than 14 days ago"])


async def test_a_producer_changes_its_key_while_both_are_believed(world: World) -> None:
    for signer, payload in ((ORDER, "old"), (NEXT, "new")):
        event = world.event(payload)
        await world.put(event, signer.sign(event))
    assert await world.handled() == (["old", "new"], [])


async def test_what_was_there_before_anybody_signed_is_still_handled(world: World) -> None:
    """The arrival time comes from Redis: nobody can add an entry before the existing ones."""
    assert world.beliefs is not None
    await world.put(world.event("old"))
    seconds, micros = await world.redis.time()
    since = utc_now().fromtimestamp(seconds + micros / 1e6 + 0.002, utc_now().tzinfo)
    world.beliefs = replace(world.beliefs, signed_since=since)
    later = int(since.timestamp() * 1000) + 1
    fields = {**world.event("forged").fields()}
    await world.redis.xadd(stream_of(world.topic), fields, id=f"{later}-0")
    assert await world.handled() == (["old"], ["not believed: not signed by order"])


@pytest.mark.parametrize(("days", "heard"), [(0, ["old"]), (8, [])])
async def test_a_stream_that_is_begun_anew_is_no_way_to_the_time_before_signatures(
    world: World, days: int, heard: list[str]
) -> None:
    """IDs ascend while the stream exists.

    When old entries are no longer possible, none counts as old.
    """
    assert world.beliefs is not None
    true = world.event("true")
    await world.put(true, ORDER.sign(true))
    world.beliefs = replace(world.beliefs, signed_since=utc_now() - timedelta(days=days))
    await world.redis.delete(stream_of(world.topic))
    await world.redis.xadd(stream_of(world.topic), {**world.event("old").fields()}, id="1-1")
    assert (await world.handled())[0] == heard


async def test_an_event_is_handled_once_however_its_entry_is_written(world: World) -> None:
    """A reader of the stream has the signature, and may encode the same signature differently."""
    event = world.event("true")
    signature = ORDER.sign(event)
    await world.put(event, signature)
    await world.handled()
    for changes in (
        {"id": str(event.id).upper()},
        {"signature": signature + "===="},
        {"signature": signature + "\n"},
        {},
        {"for_group": "g"},
    ) * 2:
        fields = {**event.fields(), "signature": signature, **changes}
        await world.redis.xadd(stream_of(world.topic), fields)
        await world.handled()
    assert world.heard == ["true"]


async def test_what_the_relay_takes_to_the_stream_is_signed(world: World) -> None:
    async with world.db.transaction() as tx:
        payload = {"amount": 1, "é": "\U0001f600"}
        await publish(tx, topic=world.topic, key="k", kind="order.completed", payload=payload)
    await Relay(world.db, RedisStreams(world.redis), signer=ORDER).publish_batch()
    assert await world.handled() == (['{"amount":1,"é":"\U0001f600"}'], [])


def test_keys_that_are_none_are_named_and_production_asks_for_them() -> None:
    for given in (
        {"EVENTS_SIGNING_KEY": "x"},
        {"EVENTS_SIGNING_KEY": base64.b64encode(b"1").decode()},
    ):
        with pytest.raises(ValidationError, match="must be 32 bytes"):
            ProducerSettings(_env_file=None, **given)
    for text in ("order", "order:x", f":{ORDER.public}"):
        with pytest.raises(ValidationError):
            ConsumerSettings(_env_file=None, EVENTS_PUBLIC_KEYS=text)
    for settings in (ProducerSettings, ConsumerSettings):
        with pytest.raises(ValidationError, match=r"is not set|has no default"):
            settings(_env_file=None, ENVIRONMENT="production")
