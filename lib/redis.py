"""The Redis pool: short time-outs, TLS by URL, a ping for readiness, reconnecting by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError

from lib.errors import AppError, Code


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
    """Ask for an answer: what `Health.add("redis", …)` takes; raises where there is none."""
    await redis.ping()


def unavailable() -> AppError:
    """Return the error for what cannot be decided safely without Redis."""
    return AppError(Code.SERVICE_UNAVAILABLE, "try again in a moment", headers={"Retry-After": "1"})
