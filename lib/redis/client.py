"""The Redis client: short time-outs, TLS by URL, a readiness check, automatic reconnects."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, cast

from redis.asyncio import BlockingConnectionPool, Connection, Redis, RedisCluster, SSLConnection
from redis.asyncio.client import PubSub
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import (
    Sentinel,
    SentinelConnectionPool,
    SentinelManagedConnection,
    SentinelManagedSSLConnection,
)
from redis.backoff import NoBackoff
from redis.exceptions import ClusterDownError, NoPermissionError, RedisClusterException
from redis.exceptions import ConnectionError as RedisConnectionError

from lib.errors import AppError, Code
from lib.redis.url import Kind, RedisAddress, check_redis_url, parse

# A node of a cluster does not wait for a connection of its pool to get free: it gets more of them.
_PER_NODE: Final = 4


@dataclass(frozen=True, slots=True)
class RedisOptions:
    """The address of Redis and its time-outs in seconds. See `lib.redis.url.parse`.

    `rediss://` requires TLS and verifies the server's certificate. `?ssl_ca_certs=…` names the file
    of a certificate authority.
    """

    url: str = field(repr=False)
    size: int = 20
    io_seconds: float = 0.5
    acquire_seconds: float = 1.0
    idle_check_seconds: float = 30.0

    def __post_init__(self) -> None:
        """Validate the URL. Raises ValueError."""
        check_redis_url(self.url)


class _Server(Redis):
    """A client; `replicas` is the number of replicas that must confirm important writes."""

    replicas: int = 0


class _Cluster(RedisCluster):
    """The cluster variant of `_Server`. An unavailable cluster raises a RedisError."""

    replicas: int = 1

    async def initialize(self, *args: Any, **kwargs: Any) -> RedisCluster:
        with _reported_as_unavailable():
            return await super().initialize(*args, **kwargs)

    async def execute_command(self, *args: Any, **kwargs: Any) -> Any:
        with _reported_as_unavailable():
            return await super().execute_command(*args, **kwargs)


@contextmanager
def _reported_as_unavailable() -> Iterator[None]:
    try:
        yield
    except RedisClusterException as error:
        raise RedisConnectionError(str(error)) from error


class _Cancellable(AbstractConnection):
    """A connection that does not lose a cancellation at the end of sending.

    The library sends within `asyncio.wait_for`, which loses such a cancellation on Python 3.11
    (python/cpython#86296). The task would then wait for a reply that no caller needs.
    """

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        task = asyncio.current_task()
        before = task.cancelling() if task else 0
        await super().send_packed_command(command, check_health)
        if task and task.cancelling() > before:
            await self.disconnect(nowait=True)  # the reply must not meet the next command
            raise asyncio.CancelledError


class _Plain(_Cancellable, Connection):
    """A connection to a server."""


class _Tls(_Cancellable, SSLConnection):
    """As `_Plain`, over TLS."""


class _OfSentinel(_Cancellable, SentinelManagedConnection):
    """A connection to the primary that Sentinels name."""


class _OfSentinelTls(_Cancellable, SentinelManagedSSLConnection):
    """As `_OfSentinel`, over TLS."""


class _Shared(_Cancellable, Connection):
    """A connection that the cluster's client may close while another task takes it."""

    async def _send_packed_command(self, command: Iterable[bytes]) -> None:
        # The library would raise AttributeError or, on Python 3.12 and newer, TypeError, which no
        # caller retries.
        if self._writer is None or self._writer.is_closing():
            raise RedisConnectionError("the connection was closed before the command was sent")
        await super()._send_packed_command(command)


class _SharedTls(_Shared, SSLConnection):
    """As `_Shared`, over TLS."""


class _SentinelPool(SentinelConnectionPool, BlockingConnectionPool):
    """Connections to the current primary. Callers wait if all connections are in use."""


def cluster_of(redis: Redis) -> RedisCluster | None:
    """Return the cluster client, or None for a single server."""
    client: object = redis  # `open_redis` gives both as one type
    return client if isinstance(client, RedisCluster) else None


@asynccontextmanager
async def open_redis(options: RedisOptions) -> AsyncIterator[Redis]:
    """Open a connection pool for the block. If Redis is down, the first command raises an error.

    If a connection breaks, its command is sent once more on a new connection. So a command may run
    twice, and its effect must allow that. A command that times out is not repeated, except once in
    a cluster.
    """
    address = parse(options.url)
    opened = {Kind.SERVER: _server, Kind.SENTINEL: _sentinel, Kind.CLUSTER: _cluster}[address.kind]
    async with opened(address, options) as client:
        yield client


def _retry() -> Retry:
    return Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,))


def _times(options: RedisOptions) -> dict[str, Any]:
    return {
        "socket_timeout": options.io_seconds,
        "socket_connect_timeout": options.io_seconds,
        "health_check_interval": options.idle_check_seconds,
    }


def _pooled(options: RedisOptions) -> dict[str, Any]:
    waiting = {"max_connections": options.size, "timeout": options.acquire_seconds}
    return {**_times(options), **waiting, "retry": _retry()}


@asynccontextmanager
async def _server(address: RedisAddress, options: RedisOptions) -> AsyncIterator[Redis]:
    ((host, port),) = address.hosts
    is_tls = address.kwargs.get("connection_class") is SSLConnection
    kwargs = {**address.kwargs, "connection_class": _Tls if is_tls else _Plain}
    pool = BlockingConnectionPool(host=host, port=port, **kwargs, **_pooled(options))
    client = _Server(connection_pool=pool)
    client.replicas = address.replicas
    try:
        yield client
    finally:
        await client.aclose()
        await pool.aclose()


@asynccontextmanager
async def _sentinel(address: RedisAddress, options: RedisOptions) -> AsyncIterator[Redis]:
    kwargs = {name: value for name, value in address.kwargs.items() if name != "connection_class"}
    is_tls = address.kwargs.get("connection_class") is SSLConnection
    secured = {"ssl": True, **{n: v for n, v in kwargs.items() if n.startswith("ssl_")}}
    short = {"socket_timeout": options.io_seconds, "socket_connect_timeout": options.io_seconds}
    asked = {**short, **address.sentinel, **(secured if is_tls else {}), "retry": _retry()}
    sentinel = Sentinel(list(address.hosts), sentinel_kwargs=asked)  # type: ignore[no-untyped-call] # the library has no types here
    pool = _SentinelPool(  # type: ignore[no-untyped-call] # the library has no types here
        address.primary,
        sentinel,
        connection_class=_OfSentinelTls if is_tls else _OfSentinel,
        **kwargs,
        **_pooled(options),
    )
    client = _Server(connection_pool=pool)
    client.replicas = address.replicas
    try:
        yield client
    finally:
        await client.aclose()
        await pool.aclose()
        await sentinel.aclose()


@asynccontextmanager
async def _cluster(address: RedisAddress, options: RedisOptions) -> AsyncIterator[Redis]:
    kwargs = {
        name: value
        for name, value in address.kwargs.items()
        if name not in ("connection_class", "db")
    }
    is_tls = address.kwargs.get("connection_class") is SSLConnection
    client = _Cluster(
        startup_nodes=[ClusterNode(host, port) for host, port in address.hosts],
        ssl=is_tls,
        # A slot without a server is the fault of its keys alone.
        require_full_coverage=False,
        # Each redirection corrects its own slot. By default every fifth reads the whole map again
        # and closes all connections, even those with commands in flight.
        reinitialize_steps=0,
        max_connections=options.size * _PER_NODE,
        retry=_retry(),
        **_times(options),
        **kwargs,
    )
    shared = _SharedTls if is_tls else _Shared
    client.connection_kwargs["connection_class"] = shared  # of the nodes that it will find
    for node in client.startup_nodes:
        node.connection_class = shared
    client.replicas = address.replicas
    try:
        # It has every command that is used here; the tests of those who use it run on both.
        yield cast("Redis", client)
    finally:
        await client.aclose()


async def ping(redis: Redis) -> None:
    """Check that Redis responds, for `Health.add("redis", …)`. Raises an error if it does not.

    If the node belongs to a Redis Cluster but the URL is for a single server, AppError
    SERVICE_UNAVAILABLE is raised: such a node redirects the commands for most keys.
    """
    if (cluster := cluster_of(redis)) is not None:
        await _ping_cluster(cluster)
        return
    await redis.ping()
    try:
        found = await redis.info("cluster")
    except NoPermissionError:
        return  # the server does not permit INFO
    if found.get("cluster_enabled"):
        raise AppError(
            Code.SERVICE_UNAVAILABLE, "the server is a Redis Cluster: use a redis+cluster:// URL"
        )


async def _ping_cluster(redis: RedisCluster) -> None:
    try:
        found = await redis.cluster_info()
    except NoPermissionError:
        await redis.ping()
        return
    if found.get("cluster_state") != "ok":
        raise ClusterDownError("no node serves some slots of the cluster")


async def subscribed(redis: Redis, channel: str) -> PubSub:
    """Return a subscription to `channel`. In a cluster, the subscriptions use different nodes."""
    if (cluster := cluster_of(redis)) is not None:
        await cluster.initialize()
        subscription: PubSub = cluster.pubsub(node=cluster.get_random_node())
    else:
        subscription = redis.pubsub()
    try:
        await subscription.subscribe(channel)
    except BaseException:
        await subscription.aclose()  # type: ignore[no-untyped-call] # the library has no types here
        raise
    return subscription


def unavailable() -> AppError:
    """Return the error for a decision that cannot be made safely without Redis."""
    return AppError(Code.SERVICE_UNAVAILABLE, "try again in a moment", headers={"Retry-After": "1"})
