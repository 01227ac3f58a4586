"""Select a broker by its URL. The driver is imported only if needed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.exceptions import RedisError

from lib.events.broker import Broker
from lib.events.lanes import LanedStreams
from lib.events.streams import RedisStreams
from lib.nats import is_nats
from lib.redis import RedisOptions, open_redis
from lib.redis.url import parse as parse_redis


@asynccontextmanager
async def open_broker(url: str, *, name: str) -> AsyncIterator[Broker]:
    """Open the broker that the URL names. If it is unavailable, its first use raises an exception.

    Args:
        url: a URL with `redis…://` as in `lib.redis`, or with `nats://` or `tls://` as in
            `lib.nats.url`.
        name: the name of the connection that the broker shows.
    """
    if is_nats(url):
        async with open_nats(url, name=name) as nats:
            yield nats
        return
    async with open_redis(RedisOptions(url)) as redis:
        streams, lanes = RedisStreams(redis), parse_redis(url).lanes
        yield LanedStreams(streams, lanes) if lanes > 1 else streams


@asynccontextmanager
async def open_nats(url: str, *, name: str) -> AsyncIterator[Broker]:
    """Open JetStream; see `open_broker`."""
    from lib.events.jetstream import open_jetstream
    from lib.nats.url import parse

    async with open_jetstream(parse(url), name=name) as broker:
        yield broker


def failures_of(url: str) -> tuple[type[Exception], ...]:
    """Return the exceptions that mean that the broker is unavailable or refuses our credentials."""
    if is_nats(url):
        from nats.errors import Error

        return (Error, OSError)
    return (RedisError, OSError)
