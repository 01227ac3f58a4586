"""Properties of events on every broker: one suite for Redis Streams and JetStream."""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from devstack.testing.wait import DEADLINE, eventually
from lib.clock import utc_now
from lib.db import Database, Executor
from lib.errors import AppError, Code
from lib.events import (
    Consumer,
    ConsumerPolicy,
    Event,
    Handler,
    Relay,
    background,
    maintenance,
)
from lib.events.broker import Broker
from lib.events.brokers import open_broker
from lib.events.signing import EventSigner, TrustedProducers, parse_public_keys
from lib.events.store import outbox
from lib.ids import new_id
from tests.lib.events.steps import Step, drain, effect, effects, write

FAST = ConsumerPolicy(
    attempts=2, retry_wait=0.01, block_seconds=0.05, take_over_seconds=0.4, deliveries=3
)
LONG = 1000


@dataclass
class World:
    """A broker and the processes that use it; each has its own connection."""

    url: str
    topic: str
    db: Database

    @asynccontextmanager
    async def process(self, silent: float = FAST.take_over_seconds) -> AsyncIterator[Broker]:
        """Return a process that counts as ended after this silence; on Redis as in `FAST`."""
        url = self.url
        if url.startswith("nats"):
            url += f"{'&' if '?' in url else '?'}ack_seconds={silent}"
        async with open_broker(url, name="test") as broker:
            yield broker

    async def write(self, key: str, numbers: range) -> None:
        await write(self.db, self.topic, key, numbers)

    async def effects(self, key: str) -> list[int]:
        return await effects(self.db, key)

    def consumer(self, broker: Broker, handler: Handler | None = None, **more: Any) -> Consumer:
        named: dict[str, Any] = {"group": "group", "name": "member", "policy": FAST} | more
        handlers = {self.topic: {"step.taken": handler or effect}}
        return Consumer(self.db, broker, handlers=handlers, **named)


@pytest.fixture(
    params=[
        "redis_server",
        "redis_cluster",
        "redis_cluster?lanes=3",
        pytest.param("redis_sentinels", marks=pytest.mark.long),
        "nats_server",
        pytest.param("nats_cluster", marks=pytest.mark.long),
    ],
)
def world(request: pytest.FixtureRequest, db: Database, topic: str) -> World:
    server, mark, query = request.param.partition("?")
    return World(request.getfixturevalue(server).url + mark + query, topic, db)


@pytest.fixture(autouse=True)
def patience_with_nats(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test here expects a failure, so a late response still counts."""
    monkeypatch.setattr("lib.events.jetstream._ANSWER_SECONDS", DEADLINE)


@pytest.fixture
async def broker(world: World) -> AsyncIterator[Broker]:
    async with world.process() as opened:
        yield opened


async def settle(member: Consumer, done: Callable[[], Any]) -> None:
    """Step until a condition holds, because brokers deliver entries at any time."""

    async def stepped() -> bool:
        await member.step()
        return bool(await done())

    try:
        await eventually(stepped)
    finally:
        await member.close()


async def test_events_arrive_once_and_in_the_order_of_their_key(
    world: World, broker: Broker
) -> None:
    keys = [f"key-{number}" for number in range(10)]
    await asyncio.gather(*(world.write(key, range(20)) for key in keys))
    relays = [Relay(world.db, broker, batch_size=7) for _ in range(4)]
    await asyncio.gather(*(drain(relay) for relay in relays))
    await drain(relays[0])

    async def all_there() -> bool:
        return [await world.effects(key) for key in keys] == [list(range(20))] * 10

    await settle(world.consumer(broker), all_there)
    assert (await outbox(world.db).measure_backlog()).events == 0


async def test_an_event_sent_twice_has_one_effect(world: World, broker: Broker) -> None:
    event = Event(new_id(), world.topic, "a", "step.taken", '{"number":0}', "", "", utc_now())
    last = msgspec.structs.replace(event, id=new_id(), payload='{"number":1}')
    for _ in range(2):
        await broker.publish({world.topic: [event.fields()]}, max_length=LONG)
    await broker.publish({world.topic: [last.fields()]}, max_length=LONG)

    async def arrived() -> bool:
        return 1 in await world.effects("a")

    registry = CollectorRegistry()
    await settle(world.consumer(broker, registry=registry), arrived)
    assert await world.effects("a") == [0, 1]
    if world.url.startswith("redis"):  # JetStream knows the second before anybody is given it
        labels = {"group": "group", "topic": world.topic, "outcome": "duplicate"}
        assert registry.get_sample_value("events_handled_total", labels) == 1


async def test_each_group_gets_every_event_and_sees_how_far_behind_it_is(
    world: World, broker: Broker
) -> None:
    await world.write("a", range(3))
    await drain(Relay(world.db, broker))
    for times, group in enumerate(("first", "second"), 1):
        registry = CollectorRegistry()
        member = world.consumer(broker, group=group, registry=registry)

        async def all_there(times: int = times) -> bool:
            return await world.effects("a") == [0, 1, 2] * times

        await settle(member, all_there)
        own = broker.subscription(world.topic, group, "other")

        async def finished(own: Any = own) -> bool:
            backlog = await own.backlog()
            return (backlog.lag, backlog.pending, backlog.dead) == (0, 0, 0)

        await eventually(finished)
        labels = {"group": group, "topic": world.topic}
        assert registry.get_sample_value("events_lag", labels) is not None


async def test_what_cannot_be_handled_is_a_dead_letter_and_can_be_redriven_to_its_group(
    world: World, broker: Broker
) -> None:
    broken = True
    heard: list[str] = []

    async def handler(tx: Executor, event: Event) -> None:
        await effect(tx, event)
        if broken and event.decode(Step).number == 1:
            raise ValueError("never")

    async def other(tx: Executor, event: Event) -> None:
        heard.append(event.payload)

    async def others_heard() -> bool:
        return len(heard) >= 3 + (not broken)

    await world.write("a", range(3))
    await drain(Relay(world.db, broker))
    await settle(world.consumer(broker, other, group="other"), others_heard)
    member = world.consumer(broker, handler)

    async def two_and_a_letter() -> bool:
        return await world.effects("a") == [0, 2]

    await settle(member, two_and_a_letter)
    (letter,), count = await broker.dead_letters(world.topic, 10)
    assert (letter[b"dead_reason"], letter[b"dead_group"], count) == (
        b"ValueError('never')", b"group", 1,
    )  # fmt: skip
    broken = False
    assert await broker.redrive(world.topic, keep_seconds=-60) == (0, 1)  # too old: it stays
    assert await broker.redrive(world.topic, keep_seconds=60) == (1, 0)

    async def all_there() -> bool:
        return await world.effects("a") == [0, 2, 1]

    await settle(member, all_there)
    assert await broker.dead_letters(world.topic, 10) == ([], 0)
    # The redriven one is not for this group, which would not know any more that it has had it.
    await world.db.execute("DELETE FROM inbox WHERE consumer = 'other'")
    await world.write("a", range(3, 4))
    await drain(Relay(world.db, broker))
    await settle(world.consumer(broker, other, group="other"), others_heard)
    assert heard == [f'{{"number":{number}}}' for number in range(4)]


async def test_dead_letters_that_are_too_old_are_forgotten(world: World, broker: Broker) -> None:
    async def never(tx: Executor, event: Event) -> None:
        raise ValueError

    async def buried() -> bool:
        return (await broker.dead_letters(world.topic, 1))[1] == 1

    await world.write("a", range(1))
    await drain(Relay(world.db, broker))
    await settle(world.consumer(broker, never), buried)
    assert await broker.trim_dead_letters(world.topic, keep_seconds=60) == 0
    assert await broker.trim_dead_letters(world.topic, keep_seconds=-60) == 1


async def test_what_brings_its_process_down_each_time_is_a_dead_letter_in_the_end(
    world: World, broker: Broker
) -> None:
    async def poison(tx: Executor, event: Event) -> None:
        await effect(tx, event)
        if event.decode(Step).number == 0:
            raise asyncio.CancelledError

    await world.write("a", range(2))
    await drain(Relay(world.db, broker))

    async def buried() -> bool:
        async with world.process() as own:
            with suppress(asyncio.CancelledError):
                await world.consumer(own, poison).step()
        return (await broker.dead_letters(world.topic, 1))[1] == 1

    await eventually(buried)
    (letter,), _ = await broker.dead_letters(world.topic, 1)
    assert letter[b"dead_reason"] == b"delivered too often"

    async def the_next_is_handled() -> bool:
        return await world.effects("a") == [1]

    await settle(world.consumer(broker, poison), the_next_is_handled)


async def test_what_is_away_is_waited_for_however_long(world: World, broker: Broker) -> None:
    down = True

    async def handler(tx: Executor, event: Event) -> None:
        if down:
            raise AppError(Code.SERVICE_UNAVAILABLE, "mail server")
        await effect(tx, event)

    await world.write("a", range(3))
    await drain(Relay(world.db, broker))
    member = world.consumer(broker, handler)
    for _ in range(FAST.deliveries * 3):
        with pytest.raises(AppError, match="mail server"):
            await _step_for_ever(member)
    down = False

    async def all_there() -> bool:
        return await world.effects("a") == [0, 1, 2]

    await settle(member, all_there)
    assert (await broker.dead_letters(world.topic, 1))[1] == 0


async def _step_for_ever(member: Consumer) -> None:
    while True:
        await member.step()


async def test_events_of_a_member_that_is_gone_are_taken_over(world: World, broker: Broker) -> None:
    begun = asyncio.Event()

    async def hang(tx: Executor, event: Event) -> None:
        await effect(tx, event)
        begun.set()
        await asyncio.Event().wait()

    async def all_there() -> bool:
        return await world.effects("a") == [0, 1, 2, 3, 4]

    await world.write("a", range(5))
    await drain(Relay(world.db, broker))
    async with world.process() as gone:
        # A step may have been given nothing yet.
        working = asyncio.create_task(_step_for_ever(world.consumer(gone, hang, name="gone")))
        await asyncio.wait_for(begun.wait(), DEADLINE)
        working.cancel()
        await asyncio.wait([working])
        if world.url.startswith("nats"):
            # As a killed process: it gives nothing back, and is not heard any more.
            (lanes,) = gone._open  # type: ignore[attr-defined]
            lanes._beating.cancel()
        await settle(world.consumer(broker, name="other"), all_there)


async def test_a_handler_that_takes_long_keeps_its_event(world: World, broker: Broker) -> None:
    by: list[str] = []

    def slow(name: str, seconds: float) -> Handler:
        async def handler(tx: Executor, event: Event) -> None:
            by.append(name)
            await asyncio.sleep(seconds)
            await effect(tx, event)

        return handler

    # Longer than a stall: to be silent, and to hold an event on Redis, told between events only.
    silent, policy = 3.0, replace(FAST, batch=1, take_over_seconds=30.0)
    takes = 1.2 * silent if world.url.startswith("nats") else 0.5
    registry = CollectorRegistry()
    await world.write("a", range(1))
    await drain(Relay(world.db, broker))

    async def arrived() -> bool:
        return await world.effects("a") == [0]

    async with world.process(silent) as one, world.process(silent) as another:
        first = world.consumer(one, slow("first", takes), name="first", policy=policy)
        other = world.consumer(
            another, slow("other", 0), name="other", policy=policy, registry=registry
        )
        working = asyncio.create_task(settle(first, arrived))
        await eventually(lambda: bool(by))
        while not working.done():
            await other.step()
        await working
    assert by == ["first"]
    # Nor was it given away: the inbox would have told the other that it is done.
    labels = {"group": "group", "topic": world.topic, "outcome": "duplicate"}
    assert registry.get_sample_value("events_handled_total", labels) is None


async def test_a_slow_reader_is_given_no_more_than_it_can_hold(
    world: World, broker: Broker
) -> None:
    policy = replace(FAST, batch=5)
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(tx: Executor, event: Event) -> None:
        begun.set()
        await go_on.wait()
        await effect(tx, event)

    await world.write("a", range(40))
    await drain(Relay(world.db, broker))
    member = world.consumer(broker, slow, policy=policy)

    async def all_there() -> bool:
        return await world.effects("a") == list(range(40))

    working = asyncio.create_task(settle(member, all_there))
    await asyncio.wait_for(begun.wait(), DEADLINE)
    backlog = await broker.subscription(world.topic, "group", "looks").backlog()
    assert backlog.pending <= policy.batch
    if world.url.startswith("nats"):  # Redis says it from version 7 on
        assert backlog.lag + backlog.pending == 40
    go_on.set()
    await working


async def test_what_is_no_event_is_a_dead_letter_and_what_comes_behind_it_is_handled(
    world: World, broker: Broker
) -> None:
    good = Event(new_id(), world.topic, "a", "step.taken", '{"number":0}', "", "", utc_now())
    wrong: dict[str, dict[str, str]] = {"x": {}, "y": {"created_at": "now"}, "z": {"kind": ""}}
    entries = [{**fields, "id": name, "key": "a"} for name, fields in wrong.items()]
    await broker.publish({world.topic: [*entries, good.fields()]}, max_length=LONG)

    async def all_there() -> bool:
        return (await broker.dead_letters(world.topic, 1))[1] == 3 and await world.effects("a")

    await settle(world.consumer(broker), all_there)
    letters, _ = await broker.dead_letters(world.topic, 10)
    assert all(letter[b"dead_reason"].startswith(b"malformed: ") for letter in letters)
    assert {letter[b"id"] for letter in letters} == {b"x", b"y", b"z"}


async def test_only_what_everybody_has_finished_and_is_old_is_cleared_away(
    world: World, broker: Broker
) -> None:
    await world.write("a", range(4))
    await drain(Relay(world.db, broker))
    for group in ("slow", "fast"):
        await broker.subscription(world.topic, group, "m").create()

    async def all_there() -> bool:
        return await world.effects("a") == [0, 1, 2, 3]

    await settle(world.consumer(broker, group="fast"), all_there)
    # The slow one has the first in hand, and so all.
    slow = broker.subscription(world.topic, "slow", "m")
    (entry, *others) = await slow.read_new(2, 5.0)
    await slow.acknowledge(*(other.id for other in others))
    assert await broker.trim(world.topic, keep_seconds=-60) == 0
    assert await broker.length(world.topic) == 4
    await slow.close()
    async with world.process() as other:
        await settle(
            world.consumer(other, group="slow", name="m"), _effects(world, "a", 8 - len(others))
        )
    await eventually(lambda: _cleared(world, broker))
    assert entry.deliveries == 1


def _effects(world: World, key: str, count: int) -> Callable[[], Any]:
    async def arrived() -> bool:
        return len(await world.effects(key)) >= count

    return arrived


async def _cleared(world: World, broker: Broker) -> bool:
    assert await broker.trim(world.topic, keep_seconds=3600) == 0
    await broker.trim(world.topic, keep_seconds=-60)
    return await broker.length(world.topic) <= 1


async def test_a_stream_that_nobody_reads_is_cleared_by_age_and_bounded(
    world: World, broker: Broker
) -> None:
    await world.write("a", range(30))
    relay = Relay(world.db, broker, max_length=200)
    await drain(relay)
    assert await broker.trim(world.topic, keep_seconds=3600) == 0
    assert await broker.length(world.topic) == 30
    assert await broker.trim(world.topic, keep_seconds=-60) == 30
    for _ in range(4):
        await world.write("a", range(100))
        await drain(relay)
    assert 200 <= await broker.length(world.topic) < 400


async def test_housekeeping_takes_topics_that_are_not_there(world: World, broker: Broker) -> None:
    soon = timedelta(milliseconds=10)
    await world.write("a", range(2))
    await drain(Relay(world.db, broker))

    async def is_clear() -> bool:
        return await broker.length(world.topic) == 0

    async with maintenance(world.db, broker, ["absent", world.topic], keep=soon, every=soon):
        await eventually(is_clear)


async def test_events_are_believed_of_their_producer_alone(world: World, broker: Broker) -> None:
    signer = EventSigner.of(base64.b64encode(secrets.token_bytes(32)).decode())
    beliefs = TrustedProducers(parse_public_keys(f"order:{signer.public}"), {world.topic: "order"})
    await world.write("a", range(2))
    await drain(Relay(world.db, broker, signer=signer))
    await world.write("a", range(2, 3))
    await drain(Relay(world.db, broker))

    async def buried() -> bool:
        return (await broker.dead_letters(world.topic, 1))[1] == 1

    await settle(world.consumer(broker, beliefs=beliefs), buried)
    assert await world.effects("a") == [0, 1]
    (letter,), _ = await broker.dead_letters(world.topic, 1)
    assert letter[b"dead_reason"] == b"not believed: not signed by order"
    # By when an entry arrived, which the broker says, it is seen who need not have signed.
    since = replace(beliefs, signed_since=utc_now() + timedelta(minutes=1))
    assert await broker.redrive(world.topic, keep_seconds=60) == (1, 0)

    async def all_there() -> bool:
        return await world.effects("a") == [0, 1, 2]

    await settle(world.consumer(broker, beliefs=since), all_there)


async def test_a_consumer_that_waits_for_events_ends_at_once(
    world: World, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.write("a", range(1))
    await drain(Relay(world.db, broker))
    patient = replace(FAST, block_seconds=0.3)
    # Its step would be cancelled later than this waits for the end.
    unhurried = partial(background.repeating, stop_seconds=4 * DEADLINE)
    monkeypatch.setattr("lib.events.consumer.repeating", unhurried)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(world.consumer(broker, policy=patient).running())
        await eventually(lambda: world.effects("a"))
        async with asyncio.timeout(DEADLINE):
            await stack.aclose()


async def test_a_process_that_ends_gives_back_what_it_has_not_finished(
    world: World, broker: Broker
) -> None:
    await world.write("a", range(3))
    await drain(Relay(world.db, broker))
    async with world.process() as ending:
        subscription = ending.subscription(world.topic, "group", "member")
        await subscription.create()
        assert await subscription.read_new(1, 5.0)

    async def all_there() -> bool:
        return await world.effects("a") == [0, 1, 2]

    await settle(world.consumer(broker), all_there)
