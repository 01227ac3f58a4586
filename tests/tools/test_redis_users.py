"""Each service's Redis user may do exactly what the service does."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import NoPermissionError

from devstack.embedded.redis import Instance
from devstack.settings import ROOT, service_names
from devstack.testing.redis import TestRedis, running
from lib.cache.store import RedisStore as CacheStore
from lib.events import streams
from lib.events.lanes import LanedStreams
from lib.limits.redis_store import RedisStore
from lib.limits.rules import TokenBucket
from lib.redis import RedisOptions, open_redis, ping, subscribed
from services.chat.rooms.fanout import TOPIC  # with chat
from tools import redis_users

CASES = [
    (service, pattern)
    for service in service_names()
    for pattern in redis_users.line(service).split()
    if pattern[0] in "~&"
]


@pytest.fixture(scope="module")
def server() -> Iterator[TestRedis]:
    with running() as server:
        yield server


@asynccontextmanager
async def entered(server: TestRedis, line: str) -> AsyncIterator[Redis]:
    """Create the user of a line and connect as this user."""
    _, name, rules = line.split(" ", 2)
    async with open_redis(RedisOptions(server.url)) as operator:
        await operator.execute_command("ACL", "SETUSER", name, "reset", ">pw", *rules.split())
    url = server.url.replace("//:", "//").split("@")[1]
    async with open_redis(RedisOptions(f"redis://{name}:pw@{url}")) as redis:
        await ping(redis)
        yield redis


async def use(redis: Redis, pattern: str) -> None:
    """Run the library's commands on keys of a pattern."""
    if pattern == "~limit:*":
        assert (await RedisStore(redis).take(TokenBucket(), "ip:192.0.2.1")).count == 1
    elif pattern == "~catalog:*":
        await CacheStore(redis, "catalog").keep("page", b"", b"answer", 10)
        await CacheStore(redis, "catalog").look("page", ["tag"])
    # with chat, from here
    elif pattern == "&chat:*":
        await (await subscribed(redis, TOPIC)).aclose()
        await redis.publish(TOPIC, b"")
    elif pattern == "~chat:*":
        await redis.set("chat:typing:a:b", b"", nx=True, px=100)
        await redis.zadd("chat:online:a", {"replica": 1.0})
    # with chat, to here
    elif pattern.endswith(":dead"):
        await redis.xadd(pattern[1:], {"a": "b"}, maxlen=10, approximate=False)
        await streams.RedisStreams(redis).trim_dead_letters(
            pattern.removeprefix("~{events:").removesuffix("}:dead"), keep_seconds=1
        )
    else:
        topic = pattern.removeprefix("~events:")
        group = streams.Group(redis, topic, "group", "member")
        await group.create()
        await redis.xadd(pattern[1:], {"a": "b"})
        for entry in await group.read_new(10, 0.01):
            await group.acknowledge(entry.id)
        await streams.RedisStreams(redis).trim(topic, keep_seconds=1)


@pytest.mark.parametrize(("service", "pattern"), CASES)
async def test_a_service_needs_each_of_its_patterns(server, service, pattern) -> None:
    async with entered(server, redis_users.line(service)) as redis:
        await use(redis, pattern)
    async with entered(server, redis_users.line(service, without=pattern)) as redis:
        with pytest.raises(NoPermissionError):
            await use(redis, pattern)


@pytest.mark.parametrize("service", service_names())
async def test_a_service_gets_at_no_stream_that_it_neither_tells_nor_hears(server, service) -> None:
    topics = {pattern.removeprefix("~events:") for _, pattern in CASES if "~events:" in pattern}
    own = set(redis_users.keys(service))
    async with entered(server, redis_users.line(service)) as redis:
        for topic in sorted(topics):
            if f"events:{topic}" not in own:
                with pytest.raises(NoPermissionError):
                    await redis.xadd(f"events:{topic}", {"a": "forged"})
                with pytest.raises(NoPermissionError):
                    await redis.xrange(f"events:{topic}")
        for attack in ("KEYS *", "FLUSHALL", "CONFIG GET *", "ACL LIST", "SHUTDOWN"):
            with pytest.raises(NoPermissionError):
                await redis.execute_command(*attack.split())


async def test_with_lanes_a_service_gets_at_the_streams_by_the_patterns_that_the_page_names(
    server,
) -> None:
    page = (ROOT / "docs/lib/redis.md").read_text()
    wanted, by = re.findall(r"`sed -E 's/(.*)/(.*)/g'`", page)[0]
    line = re.sub(wanted, by.replace("&", r"\g<0>"), redis_users.line("point"))
    async with entered(server, line) as redis:
        broker = LanedStreams(streams.RedisStreams(redis), 3)
        group = broker.subscription("orders", "group", "member")
        await group.create()
        await broker.publish({"orders": [{"key": "k"}]}, max_length=10)
        (entry,) = await group.read_new(10, 1)
        await group.move_to_dead_letters(entry, "of a test")
        with pytest.raises(NoPermissionError):
            await broker.length("users")


def test_no_password_of_redis_is_in_the_repr_of_its_instance(tmp_path: Path) -> None:
    instance = Instance(tmp_path, 1, "operator-secret", {"order": "order-secret"})
    assert "secret" not in repr(instance)
    assert instance.url_of("order") == "redis://order:order-secret@127.0.0.1:1/0"
