"""Redis over TLS, under Sentinels and as a Cluster, and the messages for refused URLs."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from redis.asyncio import RedisCluster
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from devstack.testing import redis_groups
from devstack.testing.redis import TestRedis
from devstack.testing.redis import running as redis_running
from devstack.testing.tls import Authority, Terminator, terminating
from devstack.testing.wait import eventually
from lib.config import ConfigError, load
from lib.errors import AppError, Code
from lib.limits.settings import LimitSettings
from lib.redis import RedisOptions, check_redis_url, open_redis, ping, subscribed
from lib.redis.settings import RedisParts
from lib.redis.url import parse


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tls")


@pytest.fixture(scope="module")
def authority(folder: Path) -> Authority:
    return Authority(folder)


@pytest.fixture
async def terminator(authority: Authority, redis_url: str) -> AsyncIterator[Terminator]:
    async with terminating(authority.server(), urlsplit(redis_url).port or 0) as running:
        yield running


def secured(plain: str, port: int, ca: Path | None, *, host: str = "localhost") -> str:
    """The URL of the same Redis through TLS."""
    query = "" if ca is None else f"?ssl_ca_certs={ca}"
    return f"rediss://:{urlsplit(plain).password}@{host}:{port}/0{query}"


async def test_a_url_with_tls_is_answered_through_tls(
    terminator: Terminator, authority: Authority, redis_url: str
) -> None:
    url = secured(redis_url, terminator.port, authority.file)
    async with open_redis(RedisOptions(url, io_seconds=20)) as redis:
        await ping(redis)
        await redis.set("tls", "yes", ex=60)
        assert await redis.get("tls") == b"yes"
    assert terminator.forwarded > 0


@pytest.mark.parametrize(
    ("host", "days", "is_trusted"),
    [("localhost", 1, False), ("redis.example.com", 1, True), ("localhost", -1, True)],
    ids=["of an authority we do not know", "for another name", "that has ended"],
)
async def test_a_server_with_a_certificate_is_sent_nothing(
    authority: Authority, folder: Path, redis_url: str, host: str, days: int, is_trusted: bool
) -> None:
    ca = authority.file if is_trusted else Authority(folder, "stranger").file
    behind = urlsplit(redis_url).port or 0
    async with terminating(authority.server(host, days=days), behind) as terminator:
        url = secured(redis_url, terminator.port, ca)
        async with open_redis(RedisOptions(url, io_seconds=20)) as redis:
            with pytest.raises(RedisConnectionError):
                await ping(redis)
        assert terminator.forwarded == 0, "the password went to somebody we do not know"


async def test_by_default_the_systems_authorities_count(
    terminator: Terminator, redis_url: str
) -> None:
    url = secured(redis_url, terminator.port, None)
    async with open_redis(RedisOptions(url, io_seconds=20)) as redis:
        with pytest.raises(RedisConnectionError):
            await ping(redis)
    assert terminator.forwarded == 0


async def test_plain_words_to_a_server_with_tls_are_an_error_in_time(
    terminator: Terminator, redis_url: str
) -> None:
    url = secured(redis_url, terminator.port, None).replace("rediss:", "redis:")
    async with open_redis(RedisOptions(url, io_seconds=0.5)) as redis:
        with pytest.raises((RedisConnectionError, RedisTimeoutError)):
            await ping(redis)


@pytest.mark.long
@pytest.mark.parametrize("kind", ["sentinel", "cluster"])
async def test_servers_behind_one_url_speak_tls_alone_also_when_one_follows_another(
    kind: str,
) -> None:
    groups = {"sentinel": redis_groups.sentinels, "cluster": redis_groups.cluster}
    with groups[kind](tls=True) as group:
        async with open_redis(RedisOptions(group.url, io_seconds=20)) as redis:

            async def answers() -> bool:
                try:
                    await ping(redis)
                    subscription = await subscribed(redis, "news")
                    await subscription.aclose()
                    return [await redis.set(f"key-{number}", "x") for number in range(20)] == [
                        True
                    ] * 20
                except (RedisError, OSError):
                    return False

            assert await answers()
            replaced = (
                group.replace_primary
                if isinstance(group, redis_groups.TestSentinels)
                else partial(group.replace_primary_of, "key-0")
            )
            await asyncio.to_thread(replaced)
            await eventually(answers)
        stranger = re.sub(r"[?&]ssl_ca_certs=.*", "", group.url)
        for url in (stranger, stranger.replace("rediss+", "redis+")):
            async with open_redis(RedisOptions(url)) as redis:
                with pytest.raises(RedisError):
                    await ping(redis)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("redis://:pw@a:6379,b:6379/0", "one server"),
        ("redis+sentinel://:pw@a:26379", "name of the primary"),
        ("redis+cluster://:pw@a:6379/3", "database 0"),
        ("redis+cluster://:pw@a:6379?db=3", "database 0"),
        ("redis+cluster://:pw@a:port", "invalid port"),
        ("redis+cluster://:pw@a?replicas=most", "replicas must be"),
        ("redis+cluster://:pw@a?lanes=65", "lanes must be a number up to 64"),
        ("redis://:pw@a/0?lanes=2", "has the parameter lanes, which only a Redis Cluster supports"),
        ("redis+other://:pw@a:6379", r"redis\+sentinel://"),
        ("http://:pw@a:6379", "redis://"),
        (":pw@a:6379", "redis://"),
        ("rediss://:pw@a:6379/0?ssl_cert_reqs=none", "verified"),
        ("rediss+cluster://:pw@a:6379?ssl_cert_reqs=none", "verified"),
        ("rediss+sentinel://:pw@a/main?ssl_check_hostname=false", "verified"),
        ("redis://:pw@a:6379/0?socket_timeout=pw", "option"),
    ],
)
def test_a_url_that_names_no_redis_is_refused_in_words(url: str, says: str) -> None:
    for make in (check_redis_url, RedisOptions):
        with pytest.raises(ValueError, match=says) as refused:
            make(url)
        assert "pw" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "kind", "hosts", "replicas"),
    [
        ("redis://a:6379", "server", [("a", 6379)], 0),
        ("redis://a", "server", [("a", 6379)], 0),
        ("rediss://:pw@a:6379/0?replicas=2", "server", [("a", 6379)], 2),
        ("rediss://a/0?ssl_ca_certs=/ca.pem", "server", [("a", 6379)], 0),
        ("redis+sentinel://a,b:1/main", "sentinel", [("a", 26379), ("b", 1)], 1),
        ("rediss+sentinel://u:pw@a/main?db=3&sentinel_password=s", "sentinel", [("a", 26379)], 1),
        ("redis+cluster://:pw@a:1,[::1]:2", "cluster", [("a", 1), ("::1", 2)], 1),
        ("rediss+cluster://:pw@a/0?replicas=0", "cluster", [("a", 6379)], 0),
    ],
)
def test_a_url_says_which_kind_of_redis_is_where(url, kind, hosts, replicas) -> None:
    assert check_redis_url(url) == url
    address = parse(url)
    assert (address.kind, list(address.hosts), address.replicas) == (kind, hosts, replicas)
    assert ("pw" in url) == (address.kwargs.get("password") == "pw")
    assert "pw" not in repr(address)


async def test_every_kind_of_redis_answers_its_ping(any_redis_url: str) -> None:
    async with open_redis(RedisOptions(any_redis_url, io_seconds=20)) as redis:
        await ping(redis)
        await redis.set(name := f"test:{uuid4()}", "yes", ex=60)
        assert await redis.get(name) == b"yes"


async def test_a_cancellation_that_comes_as_the_sending_ends_is_not_lost(
    any_redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sending = AbstractConnection._send_packed_command

    async def sent_then_cancelled(self: AbstractConnection, command: list[bytes]) -> None:
        await sending(self, command)
        if b"BLPOP" in b"".join(command):
            waiting.cancel()

    name = f"test:{uuid4()}"
    async with open_redis(RedisOptions(any_redis_url, io_seconds=20)) as redis:
        await ping(redis)
        monkeypatch.setattr(AbstractConnection, "_send_packed_command", sent_then_cancelled)
        waiting = asyncio.ensure_future(redis.blpop([name], timeout=2))
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await redis.set(name, "yes", ex=60)
        assert await redis.get(name) == b"yes"


async def test_a_connection_of_a_cluster_that_is_closed_meanwhile_is_no_error(
    redis_cluster,
) -> None:
    async with open_redis(RedisOptions(redis_cluster.url)) as redis:
        await redis.set(name := f"test:{uuid4()}", "yes", ex=60)
        node = cast("RedisCluster", redis).get_node_from_key(name)
        assert node is not None
        for turns in range(20):
            closing = asyncio.create_task(node.disconnect_free_connections())
            for _ in range(turns % 5):
                await asyncio.sleep(0)
            assert await redis.get(name) == b"yes"
            await closing


async def test_redirections_leave_the_connections_of_other_commands_open(
    redis_cluster: redis_groups.TestCluster,
) -> None:
    waited = f"test:{uuid4()}"
    server = redis_cluster.primary_of(waited)
    other = next(one for one in redis_cluster.primaries() if one is not server)
    slots = {redis_cluster.slot_of(name): name for name in map(str, range(40))}
    moved = [slot for slot, name in slots.items() if redis_cluster.primary_of(name) is server][:6]

    def waiting_clients() -> list[bytes]:
        clients: bytes = redis_cluster.ask(server, "CLIENT", "LIST")
        return [line.split()[0] for line in clients.splitlines() if b"cmd=blpop" in line]

    async with open_redis(RedisOptions(redis_cluster.url, io_seconds=60)) as redis:
        await ping(redis)
        waiting = asyncio.ensure_future(redis.blpop([waited], timeout=50))
        await eventually(lambda: len(waiting_clients()) == 1)
        before = waiting_clients()
        try:
            for slot in moved:
                redis_cluster.move_slot(slot, other)
                await redis.exists(slots[slot])
            assert waiting_clients() == before
        finally:
            for slot in moved:
                redis_cluster.move_slot(slot, server)
        await redis.rpush(waited, "here")
        assert tuple(await waiting) == (waited.encode(), b"here")


async def test_another_database_is_reached_through_the_sentinels(redis_sentinels) -> None:
    name = f"test:{uuid4()}"
    async with (
        open_redis(RedisOptions(redis_sentinels.url_of(3))) as third,
        open_redis(RedisOptions(redis_sentinels.url)) as first,
    ):
        await third.set(name, "here", ex=60)
        assert (await third.get(name), await first.get(name)) == (b"here", None)


@pytest.fixture
def cluster() -> Iterator[TestRedis]:
    with redis_running(cluster=True) as server:
        yield server


async def test_a_node_of_a_cluster_by_the_url_of_a_server_is_not_ready_and_says_why(
    cluster: TestRedis,
) -> None:
    async with open_redis(RedisOptions(cluster.url, io_seconds=20)) as redis:
        with pytest.raises(AppError, match="redis\\+cluster") as refused:
            await ping(redis)
    assert refused.value.code is Code.SERVICE_UNAVAILABLE


def test_a_service_does_not_start_with_a_url_that_is_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EVENTS_URL", "redis+cluster://:hunter2@a:6379/1")
    with pytest.raises(ConfigError, match="EVENTS_URL: a Redis Cluster has") as refused:
        load(LimitSettings)
    assert "hunter2" not in str(refused.value)


def test_a_part_without_a_url_of_its_own_uses_the_one_of_all(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REDIS_URL", "redis://all")
    monkeypatch.setenv("EVENTS_URL", "redis://streams")
    settings = load(LimitSettings)
    found = [settings.url_for(part) for part in RedisParts.names()]
    assert found == ["redis://all", "redis://all", "redis://all", "redis://streams"]
