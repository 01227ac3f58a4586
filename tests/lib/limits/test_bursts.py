"""The stated limit holds within two per cent for bursts of any shape."""

from __future__ import annotations

import asyncio
from importlib.resources import files
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from devstack.testing.clock import Clock
from lib.limits import Limiter, TokenBucket, Window
from lib.limits.leases import LeasedStore
from lib.limits.memory import MemoryStore
from lib.limits.redis_store import PREFIX, Grant, RedisStore

# As `USER_RATE_LIMIT` and `USER_RATE_SECONDS` are by default.
RULE = Window(limit=600, seconds=60.0)
TOLERANCE = RULE.limit * 2 // 100
SHAPES = st.lists(
    st.tuples(st.sampled_from([0.0, 0.01, 0.4, 0.6, 2.0, 9.0, 31.0]), st.integers(1, 150)),
    min_size=1,
    max_size=25,
)


class VirtualStore(RedisStore):
    """The real script with a clock of the test."""

    def __init__(self, redis: Redis, clock: Clock) -> None:
        text = files("lib.limits").joinpath("take.lua").read_text(encoding="utf-8")
        _, found, rest = text.partition("tonumber(time[2]) / 1000000\n")
        assert found
        self._timed = redis.register_script(f"local now = tonumber(ARGV[7])\n{rest}")
        self._clock = clock

    async def _script(self, *, keys, args):
        return await self._timed(keys=keys, args=(*args, self._clock.now))


async def run(url: str, shape: list[tuple[float, int]], rule: Window | TokenBucket) -> None:
    """Send requests in this shape; compare with the exact rule at every request."""
    clock, name = Clock(1_000_000.0), f"test:{uuid4()}"
    async with Redis.from_url(url) as redis:
        leases = LeasedStore(VirtualStore(redis, clock), clock=clock)
        exact = MemoryStore(clock=clock)
        allowed = expected = 0
        for gap, size in shape:
            clock.now += gap
            await leases.give_back()
            for _ in range(size):
                expected += exact.take(rule, name).allowed
                allowed += (await leases.take(rule, name)).allowed
                assert abs(allowed - expected) <= TOLERANCE, (gap, size)
        await leases.aclose()
        await redis.delete(PREFIX + name)


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(SHAPES)
@example([(0.6, 61)] * 12)
@example([(0.6, 4)] * 160)
@example([(0.6, 100)] * 8)
@example([(31.0, 150)] * 8)
def test_a_window_refuses_where_the_exact_one_does(redis_url: str, shape) -> None:
    asyncio.run(run(redis_url, shape, RULE))


@settings(
    deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(SHAPES)
@example([(0.6, 61)] * 12)
def test_a_bucket_refuses_where_the_exact_one_does(redis_url: str, shape) -> None:
    asyncio.run(run(redis_url, shape, TokenBucket(rate=10.0, burst=600)))


async def test_three_processes_use_up_what_is_stated(redis_url: str) -> None:
    """When a lease ends, other processes get what its process did not use."""
    clock, name = Clock(1_000_000.0), f"test:{uuid4()}"
    async with Redis.from_url(redis_url) as redis:
        replicas = [LeasedStore(VirtualStore(redis, clock), clock=clock) for _ in range(3)]
        allowed = 0
        for burst in range(12):
            clock.now += 0.6
            for replica in replicas:
                await replica.give_back()
            for _ in range(61):
                allowed += (await replicas[burst % 3].take(RULE, name)).allowed
        assert RULE.limit - TOLERANCE <= allowed <= RULE.limit
        for replica in replicas:
            await replica.aclose()


async def test_bursts_on_the_real_clock_use_up_what_is_stated(redis_url: str) -> None:
    name, allowed = f"test:{uuid4()}", 0
    async with Redis.from_url(redis_url) as redis:
        limiter = Limiter(redis)
        for _ in range(7):
            for _ in range(100):
                allowed += (await limiter.take(RULE, name)).allowed
            # Longer than a lease: time itself is what is tested here.
            await asyncio.sleep(0.55)
        await limiter.aclose()
    assert allowed >= RULE.limit - TOLERANCE


@pytest.mark.parametrize("rule", [RULE, TokenBucket(0.01, 600)])
async def test_what_is_given_back_is_there_again(
    redis_url: str, rule: Window | TokenBucket
) -> None:
    name = f"test:{uuid4()}"
    async with Redis.from_url(redis_url) as redis:
        store = RedisStore(redis)
        first: Grant = await store.take(rule, name, 400)
        back = await store.take(rule, name, 0, returned=150, period=first.period)
        assert back.count == 0
        assert (await store.take(rule, name, 500)).count == 350
        # Of another window, or more than there is, it gives nothing.
        await store.take(rule, name, 0, returned=10**6, period=first.period + 7)
        if isinstance(rule, Window):
            assert (await store.take(rule, name, 1)).count == 0
