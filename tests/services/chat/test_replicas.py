"""Two replicas as processes: one is killed, drained or without Redis; no message is lost."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from devstack.testing.wait import eventually
from lib.auth import Role
from tests.services.chat.replicas import Mover, Replica, replicas
from tests.services.chat.talking import CUSTOMER, ORDER, PROVIDER, open_between

WITHIN = 60.0
ORDERS = (ORDER, ORDER[:-1] + "2", ORDER[:-1] + "3")


@pytest.fixture
async def channels(db) -> list[str]:
    return [await open_between(db, order) for order in ORDERS]


@pytest.fixture
async def pair(tmp_path: Path, database_url, own_redis_url, issuer):
    with replicas(2, tmp_path, database_url, own_redis_url, issuer) as started:
        for one in started:
            await one.ready()
        yield started


@pytest.fixture
async def movers(pair: list[Replica], channels, issuer):
    """The customer and the provider, at different replicas, each on two devices."""
    urls = [one.url for one in pair]
    made = [
        Mover(urls, issuer.authorized(subject=user, role=Role.CUSTOMER), channels, start)
        for user in (CUSTOMER, PROVIDER)
        for start in (0, 1)
    ]
    await eventually(lambda: all(mover.connections for mover in made), within=WITHIN)
    yield made
    for mover in made:
        await mover.stop()


async def one_at_each(started: list[Replica], issuer, channels: list[str]) -> list[Mover]:
    """Return the customer and the provider, each at their own replica."""
    for one in started:
        await one.ready()
    return [
        Mover([one.url], issuer.authorized(subject=user, role=Role.CUSTOMER), channels)
        for user, one in zip((CUSTOMER, PROVIDER), started, strict=True)
    ]


async def talk(movers: list[Mover], channels: list[str], count: int, name: str) -> None:
    """Each user sends `count` messages in every channel."""
    for number in range(count):
        for who, mover in enumerate(movers):
            for channel in channels:
                client_id = f"{name}-{who}-{number}-{channel[-4:]}"
                await mover.send(channel, client_id, f"text {client_id}")
        await asyncio.sleep(0.01)


async def agreed(movers: list[Mover], channels: list[str]) -> None:
    """Wait until all messages are acknowledged and received; then check that all clients agree."""

    def done() -> bool:
        if not all(mover.settled() for mover in movers):
            return False
        sent = {client_id: at for mover in movers for client_id, at in mover.acked.items()}
        return all(
            len(mover.sequences(channel)) >= sum(at[0] == channel for at in sent.values())
            for mover in movers
            for channel in channels
        )

    try:
        await eventually(done, within=WITHIN)
    except TimeoutError:
        state = [(len(m.acked), {c: len(h) for c, h in m.had.items()}, m.codes) for m in movers]
        raise AssertionError(f"not everybody has everything: {state}") from None
    for channel in channels:
        first = movers[0].had[channel]
        assert [sequence for sequence, _ in first] == list(range(1, len(first) + 1))
        assert len({client_id for _, client_id in first}) == len(first)
        for mover in movers:
            assert mover.had[channel] == first
    for mover in movers:
        for client_id, (channel, sequence) in mover.acked.items():
            assert mover.had[channel][sequence - 1] == (sequence, client_id)


async def test_a_replica_killed_in_traffic_loses_nothing(pair, movers, channels) -> None:
    await talk(movers, channels, 20, "before")
    talking = asyncio.create_task(talk(movers, channels, 60, "during"))
    await asyncio.sleep(0.2)
    pair[0].end(signal.SIGKILL)
    await talking
    await talk(movers, channels, 5, "after")
    await agreed(movers, channels)
    assert all(mover.connections >= 2 for mover in (movers[0], movers[2]))


async def test_a_drained_replica_sends_its_clients_elsewhere(pair, movers, channels) -> None:
    await talk(movers, channels, 3, "before")
    pair[0].end(signal.SIGTERM)
    talking = asyncio.create_task(talk(movers, channels, 30, "during"))
    assert await asyncio.to_thread(pair[0].process.wait, 30) == 0, pair[0].log[-4000:]
    await talking
    await agreed(movers, channels)
    for mover in (movers[0], movers[2]):
        assert mover.codes[0] == 1012


async def test_without_redis_messages_are_stored_and_arrive_a_little_later(
    tmp_path, database_url, killable_redis, issuer, channels
) -> None:
    with replicas(2, tmp_path, database_url, killable_redis.url, issuer) as started:
        movers = await one_at_each(started, issuer, channels)
        try:
            await talk(movers, channels, 5, "before")
            await agreed(movers, channels)
            killable_redis.kill()
            await talk(movers, channels, 10, "without")
            # Each replica asks the database while Redis is away.
            await agreed(movers, channels)
            killable_redis.start()
            await talk(movers, channels, 10, "after")
            await agreed(movers, channels)
            for one in started:
                await eventually(lambda one=one: works(one), within=WITHIN)
            assert [mover.connections for mover in movers] == [1, 1]
        finally:
            for mover in movers:
                await mover.stop()


async def works(replica: Replica) -> bool:
    return "chat_fanout_up 1.0" in await replica.get("metrics")
