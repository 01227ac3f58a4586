"""The limiter on a real Redis: shared, atomic, and still active if Redis is unavailable."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis
from redis.exceptions import RedisError

from devstack.embedded.ports import free_port
from devstack.testing.clock import Clock
from devstack.testing.proxy import proxy
from devstack.testing.redis import TestRedis
from devstack.testing.redis_groups import TestCluster
from devstack.testing.wait import eventually
from lib.limits import Limiter, TokenBucket, Window
from lib.limits.leases import LeasedStore
from lib.limits.memory import MemoryStore
from lib.limits.redis_store import PREFIX, Grant, RedisStore
from lib.redis import RedisOptions, ReplicatedWriter, open_redis, ping


@pytest.fixture
async def redis(any_redis_url: str) -> AsyncIterator[Redis]:
    # Patient: how long an answer takes is not what is asked here.
    async with open_redis(RedisOptions(any_redis_url, io_seconds=30, acquire_seconds=30)) as client:
        yield client


def key() -> str:
    return f"test:{uuid4()}"


def five_replicas(redis: Redis) -> list[LeasedStore]:
    # The stores of limiters, which raise where those would count by themselves, and on a clock
    # that stands: after half a second a lease ends with what it has left, and the sum is less.
    return [LeasedStore(RedisStore(redis), clock=Clock(1000.0)) for _ in range(5)]


async def test_replicas_share_one_bucket(redis: Redis) -> None:
    rule, name = TokenBucket(rate=0.01, burst=50), key()
    replicas = five_replicas(redis)
    decisions = await asyncio.gather(
        *(replica.take(rule, name) for replica in replicas for _ in range(40))
    )
    assert sum(decision.allowed for decision in decisions) == 50


async def test_replicas_share_one_window(redis: Redis) -> None:
    rule, name = Window(limit=30, seconds=3600.0), key()
    replicas = five_replicas(redis)
    decisions = await asyncio.gather(
        *(replica.take(rule, name) for replica in replicas for _ in range(20))
    )
    assert sum(decision.allowed for decision in decisions) == 30


@pytest.mark.parametrize("rule", [TokenBucket(0.01, 5), TokenBucket(100.0, 3), Window(5, 3600.0)])
async def test_the_script_decides_as_the_arithmetic_does(
    redis: Redis, rule: TokenBucket | Window
) -> None:
    store, memory, name = RedisStore(redis), MemoryStore(), key()
    for _ in range(9):
        shared, own = (await store.take(rule, name)).decision, memory.take(rule, name)
        if isinstance(rule, TokenBucket) and rule.rate > 10:
            continue  # the two are asked a moment apart; only slow rules compare exactly
        assert (shared.allowed, shared.remaining) == (own.allowed, own.remaining)
        # Of a hundred seconds and more; a stall may lie between the two.
        assert math.isclose(shared.reset_after, own.reset_after, abs_tol=20)
        assert math.isclose(shared.retry_after, own.retry_after, abs_tol=20)


@pytest.mark.parametrize("rule", [TokenBucket(0.01, 10), Window(10, 3600.0)])
async def test_a_part_is_granted_where_not_all_fits(
    redis: Redis, rule: TokenBucket | Window
) -> None:
    store, name = RedisStore(redis), key()
    grants = [await store.take(rule, name, 4) for _ in range(4)]
    assert [grant.count for grant in grants] == [4, 4, 2, 0]
    assert [grant.decision.remaining for grant in grants] == [6, 2, 0, 0]
    assert grants[3].decision.retry_after > 0


async def test_a_busy_key_is_asked_for_seldom_a_quiet_one_singly(redis: Redis) -> None:
    store, clock = CountingStore(redis), Clock(1000.0)
    leases, rule = LeasedStore(store, clock=clock), TokenBucket(0.01, 1000)
    busy, quiet = key(), key()
    for _ in range(500):
        assert (await leases.take(rule, busy)).allowed
    assert store.asked <= 12
    store.asked = 0
    for _ in range(5):
        await leases.take(rule, quiet)
        clock.now += 1.0
    assert store.asked == 5
    assert (await RedisStore(redis).take(rule, quiet)).decision.remaining == 994


async def test_a_known_refusal_is_not_asked_for_again_until_it_ends(redis: Redis) -> None:
    store, clock = CountingStore(redis), Clock(1000.0)
    leases, rule, name = (
        LeasedStore(store, clock=clock),
        TokenBucket(0.01, 1),
        key(),
    )
    assert (await leases.take(rule, name)).allowed
    refusals = [await leases.take(rule, name) for _ in range(100)]
    assert not any(refusal.allowed for refusal in refusals)
    assert store.asked == 2
    await redis.delete(PREFIX + name)  # as if the time had gone by there, too
    clock.now += refusals[-1].retry_after
    assert (await leases.take(rule, name)).allowed


async def test_many_at_once_share_what_is_asked_for(redis: Redis) -> None:
    store = CountingStore(redis)
    leases = LeasedStore(store, clock=Clock(1000.0))
    rule, name = Window(1000, 3600.0), key()
    decisions = await asyncio.gather(*(leases.take(rule, name) for _ in range(300)))
    assert all(decision.allowed for decision in decisions)
    assert store.asked <= 12


async def test_leases_are_bounded(redis: Redis) -> None:
    leases = LeasedStore(RedisStore(redis), max_keys=10)
    for _ in range(30):
        await leases.take(TokenBucket(), key())
    assert len(leases._leases) == 10


class CountingStore(RedisStore):
    asked = 0

    async def take(
        self, rule: TokenBucket | Window, key: str, wanted: int = 1, **returning: int
    ) -> Grant:
        self.asked += 1
        return await super().take(rule, key, wanted, **returning)


@pytest.mark.parametrize("rule", [TokenBucket(1.0, 200), Window(5, 200.0)])
async def test_an_idle_key_expires_by_itself(redis: Redis, rule: TokenBucket | Window) -> None:
    name = key()
    await RedisStore(redis).take(rule, name)
    assert 0 < await redis.pttl(PREFIX + name) <= rule.idle_seconds * 1000 + 1


async def test_without_redis_the_process_limits_alone_and_then_shares_again(
    killable_redis: TestRedis,
) -> None:
    registry, rule = CollectorRegistry(), TokenBucket(rate=0.01, burst=3)

    def counted(store: str, outcome: str) -> float:
        labels = {"store": store, "outcome": outcome}
        return registry.get_sample_value("rate_limit_decisions_total", labels) or 0.0

    async with open_redis(RedisOptions(killable_redis.url)) as client:
        limiter = Limiter(client, registry=registry)
        assert (await limiter.take(rule, "ip:a")).allowed
        killable_redis.kill()
        began = time.monotonic()
        decisions = [await limiter.take(rule, "ip:a") for _ in range(300)]
        assert time.monotonic() - began < 20  # an absent Redis does not cost each request
        assert sum(decision.allowed for decision in decisions) == 3
        assert counted("memory", "refused") == 297
        assert not limiter.is_shared
        killable_redis.start()

        async def is_shared() -> bool:
            await limiter.take(rule, "ip:b")
            return limiter.is_shared

        await eventually(is_shared)
        before = counted("redis", "allowed")
        assert (await limiter.take(rule, "ip:c")).allowed
        assert counted("redis", "allowed") == before + 1


async def test_a_redis_that_hangs_costs_a_busy_process_next_to_nothing(
    redis_url: str,
) -> None:
    port = int(redis_url.rpartition(":")[2].partition("/")[0])
    async with proxy("127.0.0.1", port) as chaos:
        url = redis_url.replace(f":{port}/", f":{chaos.port}/")
        async with open_redis(RedisOptions(url, io_seconds=0.1)) as client:
            limiter, name = Limiter(client), key()
            for _ in range(2000):  # what went well before must not hide what fails now
                await limiter.take(TokenBucket(1000.0, 1000), name)
            chaos.stalled = True
            began = time.monotonic()
            for number in range(200):
                await limiter.take(TokenBucket(), f"{name}:{number}")
            assert time.monotonic() - began < 15  # with the limit of each, 20
            assert not limiter.is_shared


async def test_a_redis_that_hangs_costs_a_quiet_process_one_request(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, take = 0, RedisStore.take

    async def counting(self: RedisStore, *given: Any, **named: Any) -> Grant:
        nonlocal asked
        asked += 1
        return await take(self, *given, **named)

    monkeypatch.setattr(RedisStore, "take", counting)
    port = int(redis_url.rpartition(":")[2].partition("/")[0])
    async with proxy("127.0.0.1", port) as chaos:
        url = redis_url.replace(f":{port}/", f":{chaos.port}/")
        async with open_redis(RedisOptions(url, io_seconds=0.2)) as client:
            limiter, name = Limiter(client), key()
            await limiter.take(TokenBucket(), name)
            chaos.stalled, asked = True, 0
            for number in range(5):
                assert (await limiter.take(TokenBucket(), f"{name}:{number}")).allowed
                # Quiet: longer than a breaker would remember a failure that came alone.
                await asyncio.sleep(0.6)
            assert asked == 1
            chaos.stalled = False
            await eventually(lambda: limiter.is_shared)
            await limiter.take(TokenBucket(), key())
            assert asked == 2
            await limiter.aclose()


async def test_a_limiter_knows_what_a_lease_can_decide_and_counts_it(redis: Redis) -> None:
    registry, rule, name = CollectorRegistry(), TokenBucket(rate=0.001, burst=100), key()
    limiter = Limiter(redis, registry=registry)
    assert limiter.known(rule, name) is None
    taken = 0
    while (decision := limiter.known(rule, name)) is None:
        taken += (await limiter.take(rule, name)).allowed
    assert decision.remaining == 100 - taken - 1
    labels = {"store": "redis", "outcome": "allowed"}
    assert registry.get_sample_value("rate_limit_decisions_total", labels) == taken + 1
    await limiter.aclose()


async def test_a_limiter_without_redis_knows_every_decision() -> None:
    limiter, rule = Limiter(None), TokenBucket(rate=0.01, burst=2)
    decisions = [limiter.known(rule, "ip:a") for _ in range(3)]
    assert [decision and decision.allowed for decision in decisions] == [True, True, False]


async def test_a_limiter_without_redis_works() -> None:
    limiter = Limiter(None)
    rule = TokenBucket(rate=0.01, burst=2)
    assert [(await limiter.take(rule, "ip:a")).allowed for _ in range(3)] == [True, True, False]
    assert not limiter.is_shared


async def test_a_cluster_that_is_away_as_a_whole_is_away_as_one_server_is() -> None:
    async with open_redis(RedisOptions(f"redis+cluster://127.0.0.1:{free_port()}")) as client:
        limiter, rule = Limiter(client), TokenBucket(rate=0.01, burst=3)
        assert [(await limiter.take(rule, "a")).allowed for _ in range(4)] == [True] * 3 + [False]
        with pytest.raises(RedisError):
            await ping(client)
        with pytest.raises(RedisError):
            await ReplicatedWriter(client).write({"a": [("SET", "a", "x")]})


async def test_a_failover_gives_at_most_one_limit_anew_to_each_process_and_one_to_all(
    redis_cluster: TestCluster,
) -> None:
    rule, name, processes = Window(limit=40, seconds=3600.0), key(), 2
    allowed = 0
    async with open_redis(RedisOptions(redis_cluster.url)) as redis:
        replicas = [Limiter(redis) for _ in range(processes)]

        async def ask() -> None:
            nonlocal allowed
            for replica in replicas:
                allowed += (await replica.take(rule, name)).allowed

        for _ in range(rule.limit):
            await ask()
        assert allowed == rule.limit
        replacing = asyncio.create_task(
            asyncio.to_thread(redis_cluster.replace_primary_of, PREFIX + name)
        )
        while not replacing.done():
            await ask()
            await asyncio.sleep(0.005)
        await replacing
        await eventually(lambda: _shared_again(replicas, rule))
        for _ in range(rule.limit):
            await ask()
    redis_cluster.wait_whole()
    # Whoever still has room is never refused; what is let through too much is bounded.
    assert rule.limit <= allowed <= rule.limit * (1 + processes + 1)


async def _shared_again(replicas: list[Limiter], rule: Window) -> bool:
    for replica in replicas:
        await replica.take(rule, key())
    return all(replica.is_shared for replica in replicas)
