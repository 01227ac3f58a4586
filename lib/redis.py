"""The Redis pool: short time-outs, TLS by URL, a ping for readiness, reconnecting by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated, Final
from urllib.parse import parse_qs, urlsplit

from pydantic import AfterValidator, SecretStr
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoPermissionError

from lib.errors import AppError, Code

_UNVERIFIED: Final = {"ssl_cert_reqs": ("none", "optional"), "ssl_check_hostname": ("false", "0")}


def check_redis_url(url: str) -> str:
    """Return the URL of one server, whose certificate is verified where it has one.

    Raises:
        ValueError: for anything else: a cluster, a sentinel, several servers, another scheme.
    """
    scheme = urlsplit(url).scheme if "://" in url else ""
    if "cluster" in scheme:
        raise ValueError(
            "Redis Cluster is not supported: name one server, or the service before it"
        )
    if "sentinel" in scheme:
        raise ValueError("Sentinel is not supported: name the address that follows the primary")
    if scheme not in ("redis", "rediss"):
        raise ValueError("must start with redis:// or rediss://")
    if "," in urlsplit(url).netloc.rpartition("@")[2]:
        raise ValueError("must name one server")
    query = parse_qs(urlsplit(url).query)
    for name, refused in _UNVERIFIED.items():
        if any(value.lower() in refused for value in query.get(name, ())):
            raise ValueError(f"certificates are always verified: leave {name} out")
    return url


def _secret_url(value: SecretStr) -> SecretStr:
    check_redis_url(value.get_secret_value())
    return value


# For settings: `redis_url: RedisUrl | None`.
RedisUrl = Annotated[SecretStr, AfterValidator(_secret_url)]


@dataclass(frozen=True, slots=True)
class RedisOptions:
    """Where Redis is and how long to wait for it, in seconds.

    `rediss://` is TLS with the server's certificate verified; `?ssl_ca_certs=…` names one's own CA.
    """

    url: str = field(repr=False)
    size: int = 20
    io_seconds: float = 0.5
    acquire_seconds: float = 1.0
    idle_check_seconds: float = 30.0

    def __post_init__(self) -> None:
        """Refuse what is not the URL of one server; raises ValueError."""
        check_redis_url(self.url)


@asynccontextmanager
async def open_redis(options: RedisOptions) -> AsyncIterator[Redis]:
    """Open a pool and close it at the end; an absent Redis is no error before the first command.

    A command whose connection breaks is sent once more on a new one, so it may run twice: what is
    done here must bear that. One that times out is not repeated.
    """
    pool = BlockingConnectionPool.from_url(
        options.url,
        max_connections=options.size,
        timeout=options.acquire_seconds,
        socket_timeout=options.io_seconds,
        socket_connect_timeout=options.io_seconds,
        health_check_interval=options.idle_check_seconds,
        retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
    )
    client = Redis(connection_pool=pool)
    try:
        yield client
    finally:
        await client.aclose()
        await pool.aclose()


async def ping(redis: Redis) -> None:
    """Ask for an answer: what `Health.add("redis", …)` takes; raises where there is none.

    Raises AppError SERVICE_UNAVAILABLE for a node of a Redis Cluster as well: it answers, but to
    most keys with the address of another one.
    """
    await redis.ping()
    try:
        found = await redis.info("cluster")
    except NoPermissionError:
        return  # a service that lets nobody ask
    if found.get("cluster_enabled"):
        raise AppError(Code.SERVICE_UNAVAILABLE, "this is a Redis Cluster, which is not supported")


def unavailable() -> AppError:
    """Return the error for what cannot be decided safely without Redis."""
    return AppError(Code.SERVICE_UNAVAILABLE, "try again in a moment", headers={"Retry-After": "1"})
