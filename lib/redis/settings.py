"""The Redis server of each purpose: a shared server or separate servers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr
from redis.asyncio import Redis

from lib.config import Settings
from lib.nats import check_nats_url, is_nats
from lib.redis.url import RedisUrl, check_redis_url


def _events_url(value: SecretStr) -> SecretStr:
    url = value.get_secret_value()
    (check_nats_url if is_nats(url) else check_redis_url)(url)
    return value


EventsUrl = Annotated[SecretStr, AfterValidator(_events_url)]


class RedisSettings(Settings):
    """Settings for Redis. A purpose without its own URL uses `REDIS_URL`."""

    # A redis://, redis+sentinel:// or redis+cluster:// URL. With rediss…://, the connection uses
    # TLS and the server is verified.
    redis_url: RedisUrl | None = Field(default=None, validation_alias="REDIS_URL")
    # The broker for events, if it is not at `REDIS_URL`: redis…://, or nats:// or tls:// for NATS
    # JetStream.
    events_url: EventsUrl | None = Field(default=None, validation_alias="EVENTS_URL")

    def url_for(self, part: str) -> str | None:
        """Return the URL of the server for a purpose: `limits`, `cache`, `chat` or `events`."""
        name = "events_url" if part == "events" else f"{part}_redis_url"
        url: SecretStr | None = getattr(self, name, None) or self.redis_url
        return None if url is None else url.get_secret_value()


@dataclass(frozen=True, slots=True)
class RedisParts:
    """The Redis clients by purpose. Purposes with one URL share a client.

    If the events use another broker than Redis, there is no client for events. `app[BROKER]` exists
    in both cases.
    """

    limits: Redis | None = None
    cache: Redis | None = None
    chat: Redis | None = None
    events: Redis | None = None

    @staticmethod
    def names() -> Iterator[str]:
        """Return the purposes."""
        return (field.name for field in fields(RedisParts))
