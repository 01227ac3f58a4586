"""Responses cached in Redis: hits, misses, invalidation, shared loads, and an unavailable Redis."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from devstack.testing.redis import TestRedis
from devstack.testing.wait import DEADLINE, eventually
from lib.cache import Cache, Loaded
from lib.errors import AppError, Code
from lib.redis import RedisOptions, open_redis

TAGS = ("a", "b")


class Source:
    """A source of cached data: it counts its reads, and a test can make it wait."""

    def __init__(self, value: bytes = b"1") -> None:
        self.value = value
        self.reads = 0
        self.complete = True
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def load(self) -> Loaded:
        self.reads += 1
        value = self.value
        await self.go_on.wait()
        return Loaded(value, self.complete)


@pytest.fixture
async def redis(any_redis_url: str) -> AsyncIterator[Redis]:
    async with open_redis(RedisOptions(any_redis_url)) as client:
        yield client


@pytest.fixture
def prefix() -> str:
    return f"test-{uuid4()}"


@pytest.fixture
def cache(redis: Redis, prefix: str) -> Cache:
    return Cache(redis, prefix=prefix, max_bytes=100)


@pytest.fixture
def source() -> Source:
    return Source()


def get(cache: Cache, source: Source, key: str = "k", *, seconds: int = 60, tags=TAGS):
    return cache.get(key, tags=tags, seconds=seconds, load=source.load)


async def test_an_answer_is_loaded_once(cache, source) -> None:
    assert [await get(cache, source) for _ in range(3)] == [b"1"] * 3
    assert source.reads == 1


async def test_replicas_share_answers(redis, prefix, source) -> None:
    for _ in range(2):
        assert await get(Cache(redis, prefix=prefix), source) == b"1"
    assert source.reads == 1


@pytest.mark.parametrize("tag", TAGS)
async def test_any_of_its_tags_makes_an_answer_worthless(cache, source, tag) -> None:
    await get(cache, source)
    source.value = b"2"
    await cache.forget(["unrelated"])
    assert await get(cache, source) == b"1"
    await cache.forget([tag])
    assert await get(cache, source) == b"2"


async def test_what_was_read_before_a_change_is_not_kept_after_it(cache, source) -> None:
    """The reader is slower than the writer: its old response must not be stored afterwards."""
    source.go_on.clear()
    slow = asyncio.create_task(get(cache, source))
    await eventually(lambda: source.reads == 1)
    source.value = b"2"
    await cache.forget(["a"])
    others = Source(b"other")
    assert await get(cache, others, "other") == b"other"  # the tags have marks again
    source.go_on.set()
    assert await slow == b"1"  # it asked before the change
    assert await get(cache, source) == b"2"


async def test_who_asks_after_a_change_does_not_join_who_asked_before(cache, source) -> None:
    source.go_on.clear()
    before = asyncio.create_task(get(cache, source))
    await eventually(lambda: source.reads == 1)
    source.value = b"2"
    await cache.forget(["b"])
    after = asyncio.create_task(get(cache, source))
    await eventually(lambda: source.reads == 2)
    source.go_on.set()
    assert (await before, await after) == (b"1", b"2")


async def test_many_who_ask_at_once_cause_one_load(redis, prefix, source) -> None:
    registry = CollectorRegistry()
    cache = Cache(redis, prefix=prefix, registry=registry)
    source.go_on.clear()
    waiting = [asyncio.create_task(get(cache, source)) for _ in range(15)]
    joined = {"outcome": "joined"}
    await eventually(lambda: registry.get_sample_value("cache_requests_total", joined) == 14)
    waiting[0].cancel()  # the one who began it leaves
    source.go_on.set()
    assert await asyncio.gather(*waiting[1:]) == [b"1"] * 14
    assert source.reads == 1


async def test_a_failure_reaches_everybody_and_is_not_kept(cache, source) -> None:
    async def fail() -> Loaded:
        await asyncio.sleep(0)
        raise AppError(Code.NOT_FOUND, "gone")

    failed = await asyncio.gather(
        *(cache.get("k", tags=TAGS, seconds=60, load=fail) for _ in range(3)),
        return_exceptions=True,
    )
    assert [error.code for error in failed] == [Code.NOT_FOUND] * 3
    assert await get(cache, source) == b"1"


async def test_an_answer_with_parts_missing_is_given_and_not_kept(cache, source) -> None:
    source.complete = False
    assert await get(cache, source) == b"1"
    source.complete = True
    await get(cache, source)
    await get(cache, source)
    assert source.reads == 2


async def test_an_answer_that_is_too_long_is_given_and_not_kept(cache, source) -> None:
    source.value = b"x" * 101
    for _ in range(2):
        assert await get(cache, source) == source.value
    assert source.reads == 2


@pytest.mark.parametrize(("seconds", "kept"), [(60, 60), (999_999, 3600)])
async def test_nothing_is_kept_for_longer_than_an_hour(
    cache, redis, prefix, source, seconds, kept
) -> None:
    await get(cache, source, seconds=seconds)
    assert kept - 50 <= await redis.ttl(f"{prefix}:answer:k") <= kept
    for tag in TAGS:
        assert await redis.ttl(f"{prefix}:mark:{tag}") > 3600


async def test_answers_end_with_their_time(cache, source) -> None:
    await get(cache, source, seconds=1)
    source.value = b"2"

    async def is_new() -> bool:
        return await get(cache, source, seconds=1) == b"2"

    await eventually(is_new)


async def test_a_lost_mark_never_brings_an_old_answer_back(cache, redis, prefix, source) -> None:
    await get(cache, source)
    source.value = b"2"
    await redis.delete(f"{prefix}:mark:a")  # evicted
    assert await get(cache, source) == b"2"


@pytest.mark.parametrize("stored", [b"", b"rubbish"])
async def test_what_is_not_an_answer_of_ours_is_a_miss(
    cache, redis, prefix, source, stored
) -> None:
    await redis.set(f"{prefix}:answer:k", stored)
    assert await get(cache, source) == b"1"


async def test_without_redis_every_answer_is_loaded(source) -> None:
    cache = Cache(None, prefix="none")
    for _ in range(2):
        assert await get(cache, source) == b"1"
    await cache.forget(TAGS)
    await cache.forget_soon(TAGS)
    assert source.reads == 2


async def test_a_killed_redis_is_done_without_and_used_again_when_it_is_back(
    killable_redis: TestRedis, source
) -> None:
    registry = CollectorRegistry()
    async with open_redis(RedisOptions(killable_redis.url)) as redis:
        cache = Cache(redis, prefix="p", registry=registry)
        assert await get(cache, source) == b"1"
        killable_redis.kill()
        source.value = b"2"
        async with asyncio.timeout(DEADLINE):
            for _ in range(20):
                assert await get(cache, source) == b"2"
        await cache.forget_soon(TAGS)
        with pytest.raises(AppError) as refused:
            await cache.forget(TAGS)
        assert refused.value.code is Code.SERVICE_UNAVAILABLE
        await asyncio.to_thread(killable_redis.start)

        async def is_kept() -> bool:
            await get(cache, source)
            reads = source.reads
            await get(cache, source)
            return source.reads == reads

        await eventually(is_kept)
    bypassed = registry.get_sample_value("cache_requests_total", {"outcome": "bypassed"})
    assert bypassed is not None
    assert bypassed >= 20


async def test_no_reader_is_older_than_the_last_invalidation_it_could_see(cache) -> None:
    """Writers change and invalidate meanwhile: no reader gets data from before its request."""
    written = forgotten = 0

    async def load() -> Loaded:
        value = written
        await asyncio.sleep(random.uniform(0, 0.005))
        return Loaded(str(value).encode())

    async def write() -> None:
        nonlocal written, forgotten
        for _ in range(60):
            written += 1
            mine = written
            await cache.forget(["a"])
            forgotten = max(forgotten, mine)
            await asyncio.sleep(0)

    async def read() -> int:
        seen = 0
        while not writer.done():
            floor = forgotten
            seen = int(await cache.get("k", tags=TAGS, seconds=60, load=load))
            assert seen >= floor
        return seen

    writer = asyncio.create_task(write())
    await asyncio.gather(writer, *(read() for _ in range(6)))
    assert await cache.get("k", tags=TAGS, seconds=60, load=load) == b"60"
