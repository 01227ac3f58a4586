"""Outbox, relay and consumers on a real PostgreSQL and Redis, in addition to test_brokers."""

from __future__ import annotations

import asyncio
import importlib
import time
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from devstack.testing.redis import TestRedis
from devstack.testing.wait import DEADLINE, eventually
from lib import context, trace
from lib.db import Database, Executor
from lib.events import (
    Consumer,
    ConsumerPolicy,
    DomainEvents,
    Event,
    Handler,
    Relay,
    background,
    maintenance,
    publish,
    streams,
)
from lib.events.event import dead_letters_of, stream_of
from lib.events.outbox import LANES, lane_of
from lib.events.store import outbox
from lib.events.streams import Group, RedisStreams
from lib.redis import RedisOptions, open_redis
from lib.store import inbox
from tests.lib.events.steps import Step, drain, effect, effects, write

FAST = ConsumerPolicy(
    attempts=2, retry_wait=0.01, block_seconds=0.02, take_over_seconds=0.2, deliveries=3
)


def consumer(
    db: Database, redis: Redis, topic: str, handler: Handler = effect, **more: Any
) -> Consumer:
    named: dict[str, Any] = {"group": "group", "name": "member", "policy": FAST} | more
    return Consumer(db, RedisStreams(redis), handlers={topic: {"step.taken": handler}}, **named)


async def settle(member: Consumer) -> None:
    while await member.step():
        pass


async def test_events_that_wait_together_are_handled_in_one_transaction(
    db: Database, redis: Redis, topic: str
) -> None:
    transactions: list[Executor] = []

    async def note(tx: Executor, event: Event) -> None:
        transactions.append(tx)
        await effect(tx, event)

    await write(db, topic, "a", range(5))
    await drain(Relay(db, RedisStreams(redis)))
    await settle(consumer(db, redis, topic, note))
    assert (await effects(db, "a"), len(set(map(id, transactions)))) == ([0, 1, 2, 3, 4], 1)


async def test_an_event_that_fails_among_others_takes_none_of_them_along(
    db: Database, redis: Redis, topic: str
) -> None:
    async def fail_at_two(tx: Executor, event: Event) -> None:
        await effect(tx, event)
        if event.decode(Step).number == 2:
            raise ValueError("two")

    await write(db, topic, "a", range(5))
    await drain(Relay(db, RedisStreams(redis)))
    await settle(consumer(db, redis, topic, fail_at_two))
    assert await effects(db, "a") == [0, 1, 3, 4]
    assert await redis.xlen(dead_letters_of(topic)) == 1


async def test_what_nobody_works_on_is_taken_over_from_behind_what_others_work_on(
    redis: Redis, topic: str
) -> None:
    busy, other = (Group(redis, topic, "group", name) for name in ("busy", "other"))
    await busy.create()
    ids = [await redis.xadd(stream_of(topic), {"n": n}) for n in range(30)]
    await busy.read_new(30, 0.02)
    # As if its member had been silent about the last for a minute.
    await redis.xclaim(stream_of(topic), "group", "busy", 0, [ids[-1]], idle=60_000)
    taken = await other.claim_idle(30.0)
    assert taken is not None
    assert taken.id == ids[-1].decode()
    assert await other.claim_idle(30.0) is None


async def test_an_event_of_a_transaction_that_failed_never_leaves(
    db: Database, redis: Redis, topic: str
) -> None:
    async def fail() -> None:
        async with db.transaction() as tx:
            await publish(tx, topic=topic, key="a", kind="step.taken", payload=Step(1))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert await Relay(db, RedisStreams(redis)).publish_batch() == 0
    assert not await redis.exists(stream_of(topic))


async def test_a_lane_held_by_a_relay_neither_stops_writers_nor_other_lanes(
    db: Database, redis: Redis, topic: str
) -> None:
    await write(db, topic, "a", range(1))
    async with db.transaction() as tx:
        assert await outbox(tx).claim_lanes() == [lane_of("a")]
        async with asyncio.timeout(DEADLINE):
            await write(db, topic, "a", range(1, 2))
            other = next(key for key in "bcdefgh" if lane_of(key) != lane_of("a"))
            await write(db, topic, other, range(1))
            assert await Relay(db, RedisStreams(redis)).publish_batch() == 1
            assert await Relay(db, RedisStreams(redis)).publish_batch() == 0
    assert await Relay(db, RedisStreams(redis)).publish_batch() == 2


async def test_a_passing_failure_is_tried_again_in_place(
    db: Database, redis: Redis, topic: str
) -> None:
    failures = iter([True, False, False])

    async def flaky(tx: Executor, event: Event) -> None:
        await effect(tx, event)
        if next(failures):
            raise ValueError("once")

    await write(db, topic, "a", range(2))
    await drain(Relay(db, RedisStreams(redis)))
    await settle(consumer(db, redis, topic, flaky))
    assert await effects(db, "a") == [0, 1]


async def test_dead_letters_are_bounded_and_the_newest_are_kept(
    redis: Redis, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "MAX_DEAD_LETTERS", 3)
    group = Group(redis, topic, "group", "member")
    await group.create()
    for number in range(5):
        await redis.xadd(stream_of(topic), {"number": number})
    for entry in await group.read_new(5, 0.02):
        await group.move_to_dead_letters(entry, "no event")
    kept = await redis.xrange(dead_letters_of(topic))
    assert [fields[b"number"] for _, fields in kept] == [b"2", b"3", b"4"]


async def test_a_batch_that_takes_longer_than_the_lease_stays_with_its_member(
    db: Database, redis: Redis, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test uses its own clocks, one here and one for Redis."""
    policy, passed = ConsumerPolicy(), 0.0
    taken: list[streams.Entry | None] = []
    other = Group(redis, topic, "group", "other")

    async def pass_time(seconds: float) -> None:
        nonlocal passed
        passed += seconds
        stream = stream_of(topic)
        for one in await redis.xpending_range(stream, "group", "-", "+", 100):
            idle = one["time_since_delivered"] + int(seconds * 1000)
            await redis.xclaim(
                stream, "group", "member", 0, [one["message_id"]], idle=idle, justid=True
            )

    async def slow(tx: Executor, event: Event) -> None:
        together = not taken
        await pass_time(policy.take_over_seconds * (2 if together else 1) / 3)
        taken.append(await other.claim_idle(policy.take_over_seconds))
        if together:
            raise TimeoutError  # and now one by one
        await effect(tx, event)

    ours = SimpleNamespace(monotonic=lambda: time.monotonic() + passed)
    monkeypatch.setattr("lib.clock.time", ours)
    await write(db, topic, "a", range(8))
    await drain(Relay(db, RedisStreams(redis)))
    await settle(consumer(db, redis, topic, slow, policy=policy))
    assert taken == [None] * 9
    assert await effects(db, "a") == list(range(8))


async def test_events_of_one_topic_do_not_wait_for_another_that_has_none(
    db: Database, redis: Redis, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, waits = streams.Group.read_new, []

    async def noted(group: Group, count: int, block_seconds: float) -> list[streams.Entry]:
        waits.append(block_seconds)
        return await read(group, count, block_seconds)

    monkeypatch.setattr(streams.Group, "read_new", noted)
    handlers = {name: {"step.taken": effect} for name in (f"{topic}-idle", topic)}
    policy = replace(FAST, batch=2)
    member = Consumer(
        db, RedisStreams(redis), handlers=handlers, group="group", name="member", policy=policy
    )
    await write(db, topic, "a", range(4))
    await drain(Relay(db, RedisStreams(redis)))
    await settle(member)
    assert await effects(db, "a") == list(range(4))
    each = policy.block_seconds / 2
    # Two rounds with events, of which the first did not know of any, and one without.
    assert waits == [each, each, 0, 0, 0, 0]


async def test_members_that_are_gone_are_forgotten_unless_they_left_something(
    redis: Redis, topic: str
) -> None:
    members = {name: Group(redis, topic, "group", name) for name in ("idle", "left")}
    await members["idle"].create()
    for name, member in members.items():
        await redis.xadd(stream_of(topic), {"number": 1})
        (entry,) = await member.read_new(1, 0.01)
        if name != "left":
            await member.acknowledge(entry.id)

    async def silent() -> bool:
        found = await redis.xinfo_consumers(stream_of(topic), "group")
        return min(one["idle"] for one in found) > 500

    await eventually(silent)
    assert await RedisStreams(redis).forget_members(topic, idle_seconds=0.4) == 1
    (left,) = await redis.xinfo_consumers(stream_of(topic), "group")
    assert left["name"] == b"left"
    # A living one that only seemed to be gone is back with its next event.
    await redis.xadd(stream_of(topic), {"number": 1})
    assert await members["idle"].read_new(1, 0.01)


async def test_a_kind_nobody_handles_is_passed_over(db: Database, redis: Redis, topic: str) -> None:
    async with db.transaction() as tx:
        await publish(tx, topic=topic, key="a", kind="other", payload={})
    await drain(Relay(db, RedisStreams(redis)))
    await settle(consumer(db, redis, topic))
    assert (await redis.xpending(stream_of(topic), "group"))["pending"] == 0
    assert await redis.xlen(dead_letters_of(topic)) == 0


async def test_a_slow_handler_is_ended_and_its_effect_undone(
    db: Database, redis: Redis, topic: str
) -> None:
    async def slow(tx: Executor, event: Event) -> None:
        await effect(tx, event)
        await asyncio.Event().wait()

    policy = ConsumerPolicy(attempts=1, handle_seconds=0.05, block_seconds=0.02)
    await write(db, topic, "a", range(1))
    await drain(Relay(db, RedisStreams(redis)))
    await settle(consumer(db, redis, topic, slow, policy=policy))
    assert await effects(db, "a") == []
    assert await redis.xlen(dead_letters_of(topic)) == 1


async def test_request_id_and_trace_travel_with_the_event(
    db: Database, redis: Redis, topic: str
) -> None:
    seen: list[str] = []

    async def handler(tx: Executor, event: Event) -> None:
        seen.extend((context.request_id.get(), trace.current()))

    parent = f"00-{'a' * 32}-{'b' * 16}-01"
    context.request_id.set("request-0001")
    with trace.span("request", parent={"traceparent": parent}):
        await write(db, topic, "a", range(1))
    await drain(Relay(db, RedisStreams(redis)))
    context.request_id.set("")
    await settle(consumer(db, redis, topic, handler))
    assert seen == ["request-0001", parent]


async def test_nothing_is_lost_while_redis_is_away(
    db: Database, killable_redis: TestRedis, topic: str
) -> None:
    async with open_redis(RedisOptions(killable_redis.url)) as client:
        registry = CollectorRegistry()
        member = consumer(db, client, topic)
        async with Relay(db, RedisStreams(client), registry=registry).running(), member.running():
            await write(db, topic, "a", range(5))

            async def first() -> bool:
                return await effects(db, "a") == list(range(5))

            await eventually(first)
            killable_redis.kill()
            await write(db, topic, "a", range(5, 10))

            async def waits_in_the_outbox() -> bool:
                failed = registry.get_sample_value(
                    "background_step_failures_total", {"loop": "outbox-relay"}
                )
                # Of those before, the last may just have been on its way out.
                return bool(failed) and (await outbox(db).measure_backlog()).events == 5

            await eventually(waits_in_the_outbox)
            killable_redis.start()  # empty: the group is made anew as well

            async def second() -> bool:
                return await effects(db, "a") == list(range(10))

            await eventually(second)


async def test_a_stream_that_nobody_reads_is_cleared_of_what_is_old(
    db: Database, redis: Redis, topic: str
) -> None:
    await write(db, topic, "a", range(4))
    patient, hasty = (
        Relay(db, RedisStreams(redis)),
        Relay(db, RedisStreams(redis), keep=timedelta(0)),
    )
    assert await patient.publish_batch() == 4
    assert await patient.clear_away() == 0
    # Not its own: another relay's to clear away.
    assert await hasty.clear_away() == 0
    await write(db, topic, "a", range(1))
    await drain(hasty)

    async def is_clear() -> bool:
        await hasty.clear_away()
        return await redis.xlen(stream_of(topic)) == 0

    await eventually(is_clear)


async def test_no_stream_grows_beyond_its_length_whether_it_is_read_or_not(
    db: Database, redis: Redis, topic: str
) -> None:
    await redis.xgroup_create(stream_of(topic), "gone", id="0", mkstream=True)
    registry = CollectorRegistry()
    await write(db, topic, "a", range(250))

    async with Relay(db, RedisStreams(redis), max_length=100, registry=registry).running():

        async def all_sent() -> bool:
            return await db.fetchval("SELECT count(*) FROM outbox") == 0

        await eventually(all_sent)
    entries = await redis.xrange(stream_of(topic))
    kept = [Event.from_fields(fields).decode(Step).number for _, fields in entries]
    # Redis drops nodes of a hundred entries.
    assert 100 <= len(kept) <= 200
    assert kept == list(range(250))[-len(kept) :]
    assert registry.get_sample_value("events_stream_length", {"topic": topic}) is not None


async def test_the_inbox_forgets_only_the_old(db: Database, redis: Redis, topic: str) -> None:
    await write(db, topic, "a", range(2))
    await drain(Relay(db, RedisStreams(redis)))
    await settle(consumer(db, redis, topic))
    hour = timedelta(hours=1)
    for before, forgotten in ((-hour, 0), (hour, 1), (hour, 1), (hour, 0)):
        moment = datetime.now(UTC) + before
        assert await inbox.forget_handled(db, before=moment, at_most=1) == forgotten


async def test_arrears_of_the_inbox_are_forgotten_in_one_sweep_of_short_statements(
    db: Database, redis: Redis, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.import_module("lib.events.maintenance"), "_AT_ONCE", 1)
    await write(db, topic, "a", range(3))
    await drain(Relay(db, RedisStreams(redis)))
    await settle(consumer(db, redis, topic))

    async def is_empty() -> bool:
        return await db.fetchval("SELECT count(*) FROM inbox") == 0

    hour = timedelta(hours=1)
    async with maintenance(db, RedisStreams(redis), [topic], keep=timedelta(0), every=hour):
        await eventually(is_empty)


async def test_housekeeping_clears_up_what_is_over(
    db: Database, redis: Redis, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # By its name: in `lib.events` the function hides the module.
    module = importlib.import_module("lib.events.maintenance")
    monkeypatch.setattr(module, "_GONE", timedelta(milliseconds=20))
    await write(db, topic, "a", range(3))
    await drain(Relay(db, RedisStreams(redis)))
    await settle(consumer(db, redis, topic))
    await redis.xadd(dead_letters_of(topic), {"number": 1})
    soon = timedelta(milliseconds=20)

    async def is_clear() -> bool:
        kept = await db.fetchval("SELECT count(*) FROM inbox")
        members = await redis.xinfo_consumers(stream_of(topic), "group")
        # The last entry is the group's place in the stream.
        letters = await redis.xlen(dead_letters_of(topic))
        last = await redis.xlen(stream_of(topic)) == 1
        return kept == 0 and not members and not letters and last

    async with maintenance(db, RedisStreams(redis), [topic, "absent"], keep=soon, every=soon):
        await eventually(is_clear)


def test_lanes_are_all_used_and_never_change() -> None:
    assert {lane_of(str(number)) for number in range(200)} == set(range(LANES))
    assert [lane_of(key) for key in ("a", "user-1", "")] == [3, 4, 0]


async def test_domain_events_run_in_the_unit_of_work(db: Database) -> None:
    events, seen = DomainEvents(), []

    async def note(tx: Executor, event: Step) -> None:
        seen.append(event.number)
        await tx.execute("INSERT INTO effect (key, number) VALUES ('d', $1)", event.number)

    async def refuse(tx: Executor, event: Step) -> None:
        if event.number == 2:
            raise ValueError

    events.on(Step, note)
    events.on(Step, refuse)
    async with db.transaction() as tx:
        await events.publish(tx, Step(1))
        await events.publish(tx, object())
    with pytest.raises(ValueError):
        async with db.transaction() as tx:
            await events.publish(tx, Step(2))
    assert seen == [1, 2]
    assert await effects(db, "d") == [1]


async def test_a_consumer_that_waits_for_events_ends_at_once(
    db: Database, redis_url: str, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = replace(FAST, block_seconds=5 * DEADLINE)
    # Its step would be cancelled later than this waits for the end.
    unhurried = partial(background.repeating, stop_seconds=4 * DEADLINE)
    monkeypatch.setattr("lib.events.consumer.repeating", unhurried)
    options = RedisOptions(redis_url, io_seconds=6 * DEADLINE)
    async with AsyncExitStack() as stack:
        redis = await stack.enter_async_context(open_redis(options))
        await stack.enter_async_context(consumer(db, redis, topic, policy=patient).running())
        await write(db, topic, "a", range(1))
        await drain(Relay(db, RedisStreams(redis)))
        await eventually(lambda: effects(db, "a"))
        async with asyncio.timeout(DEADLINE):
            await stack.aclose()


async def test_what_a_consumer_is_given_while_it_hangs_up_is_handled(
    db: Database, redis: Redis, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = asyncio.Event()
    read = Group.read_new

    async def hear_too_late(group: Group, count: int, block_seconds: float) -> list[streams.Entry]:
        entries = await read(group, count, block_seconds)
        given.set()
        await asyncio.sleep(3600)
        return entries

    monkeypatch.setattr(Group, "read_new", hear_too_late)
    await write(db, topic, "a", range(3))
    await drain(Relay(db, RedisStreams(redis)))
    async with consumer(db, redis, topic).running():
        await given.wait()
    assert await effects(db, "a") == [0, 1, 2]
