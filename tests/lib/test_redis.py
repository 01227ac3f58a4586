"""Redis over TLS, and the kinds of Redis that are refused in words."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from devstack.testing.redis import TestRedis
from devstack.testing.redis import running as redis_running
from devstack.testing.tls import Authority, Terminator, terminating
from lib.config import ConfigError, load
from lib.errors import AppError, Code
from lib.limits.settings import LimitSettings
from lib.redis import RedisOptions, check_redis_url, open_redis, ping


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
    """The URL of the same Redis, behind TLS."""
    query = "" if ca is None else f"?ssl_ca_certs={ca}"
    return f"rediss://:{urlsplit(plain).password}@{host}:{port}/0{query}"


async def test_a_url_with_tls_is_answered_through_tls(
    terminator: Terminator, authority: Authority, redis_url: str
) -> None:
    url = secured(redis_url, terminator.port, authority.file)
    async with open_redis(RedisOptions(url, io_seconds=5)) as redis:
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
        async with open_redis(RedisOptions(url, io_seconds=5)) as redis:
            with pytest.raises(RedisConnectionError):
                await ping(redis)
        assert terminator.forwarded == 0, "the password went to somebody we do not know"


async def test_by_default_the_systems_authorities_count(
    terminator: Terminator, redis_url: str
) -> None:
    url = secured(redis_url, terminator.port, None)
    async with open_redis(RedisOptions(url, io_seconds=5)) as redis:
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


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("redis+cluster://:pw@a:6379", "Redis Cluster"),
        ("rediss+cluster://:pw@a:6379", "Redis Cluster"),
        ("redis://:pw@a:6379,b:6379/0", "one server"),
        ("redis+sentinel://:pw@a:26379/main", "Sentinel"),
        ("http://:pw@a:6379", "redis:// or rediss://"),
        (":pw@a:6379", "redis:// or rediss://"),
        ("rediss://:pw@a:6379/0?ssl_cert_reqs=none", "verified"),
        ("rediss://:pw@a:6379/0?ssl_check_hostname=false", "verified"),
    ],
)
def test_a_url_that_names_no_single_server_is_refused_in_words(url: str, says: str) -> None:
    for make in (check_redis_url, RedisOptions):
        with pytest.raises(ValueError, match=says) as refused:
            make(url)
        assert "pw" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    ["redis://a:6379", "redis://a", "rediss://:pw@a:6379/0", "rediss://a/0?ssl_ca_certs=/ca.pem"],
)
def test_one_server_may_be_anywhere(url: str) -> None:
    assert check_redis_url(url) == url


@pytest.fixture
def cluster() -> Iterator[TestRedis]:
    with redis_running(cluster=True) as server:
        yield server


async def test_a_node_of_a_cluster_is_not_ready_and_says_why(cluster: TestRedis) -> None:
    async with open_redis(RedisOptions(cluster.url, io_seconds=5)) as redis:
        with pytest.raises(AppError, match="Redis Cluster") as refused:
            await ping(redis)
    assert refused.value.code is Code.SERVICE_UNAVAILABLE


def test_a_service_does_not_start_with_such_a_url(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REDIS_URL", "redis+cluster://:hunter2@a:6379")
    with pytest.raises(ConfigError, match="REDIS_URL: Redis Cluster is not supported") as refused:
        load(LimitSettings)
    assert "hunter2" not in str(refused.value)
