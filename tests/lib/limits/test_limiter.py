"""The limiter on a real Redis: shared, atomic, and of use while Redis is away."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from lib.limits import Limiter, TokenBucket, Window
from lib.limits.memory import MemoryStore
from lib.limits.redis_store import PREFIX, RedisStore
from lib.redis import RedisOptions, open_redis
from lib.testing.redis import TestRedis


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with open_redis(RedisOptions(redis_url)) as client:
        yield client


def key() -> str:
    return f"test:{uuid4()}"


async def test_replicas_share_one_bucket(redis: Redis) -> None:
    rule, name = TokenBucket(rate=0.01, burst=50), key()
    replicas = [Limiter(redis) for _ in range(5)]
    decisions = await asyncio.gather(
        *(replica.take(rule, name) for replica in replicas for _ in range(40))
    )
    assert sum(decision.allowed for decision in decisions) == 50


async def test_replicas_share_one_window(redis: Redis) -> None:
    rule, name = Window(limit=30, seconds=3600.0), key()
    replicas = [Limiter(redis) for _ in range(5)]
    decisions = await asyncio.gather(
        *(replica.take(rule, name) for replica in replicas for _ in range(20))
    )
    assert sum(decision.allowed for decision in decisions) == 30


@pytest.mark.parametrize("rule", [TokenBucket(0.5, 5), TokenBucket(100.0, 3), Window(5, 3600.0)])
async def test_the_script_decides_as_the_arithmetic_does(
    redis: Redis, rule: TokenBucket | Window
) -> None:
    store, memory, name = RedisStore(redis), MemoryStore(), key()
    for _ in range(9):
        shared, own = await store.take(rule, name), memory.take(rule, name)
        if isinstance(rule, TokenBucket) and rule.rate > 10:
            continue  # the two are asked a moment apart; only slow rules compare exactly
        assert (shared.allowed, shared.remaining) == (own.allowed, own.remaining)
        assert math.isclose(shared.reset_after, own.reset_after, abs_tol=0.5)
        assert math.isclose(shared.retry_after, own.retry_after, abs_tol=0.5)


@pytest.mark.parametrize("rule", [TokenBucket(100.0, 200), Window(5, 2.0)])
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
        assert time.monotonic() - began < 3.0  # an absent Redis does not cost each request
        assert sum(decision.allowed for decision in decisions) == 3
        assert counted("memory", "refused") == 297
        assert not limiter.is_shared
        killable_redis.start()
        deadline = time.monotonic() + 15
        while not limiter.is_shared and time.monotonic() < deadline:
            await limiter.take(rule, "ip:b")
            await asyncio.sleep(0.05)
        assert limiter.is_shared
        before = counted("redis", "allowed")
        assert (await limiter.take(rule, "ip:c")).allowed
        assert counted("redis", "allowed") == before + 1


async def test_a_limiter_without_redis_works() -> None:
    limiter = Limiter(None)
    rule = TokenBucket(rate=0.01, burst=2)
    assert [(await limiter.take(rule, "ip:a")).allowed for _ in range(3)] == [True, True, False]
    assert not limiter.is_shared
