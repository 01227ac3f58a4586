"""Which Redis a service uses for what: one for all, or one for each of its purposes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

from pydantic import Field
from redis.asyncio import Redis

from lib.config import Settings
from lib.redis.url import RedisUrl


class RedisSettings(Settings):
    """For services that use Redis; a part without a URL of its own uses `REDIS_URL`."""

    # redis://, redis+sentinel:// or redis+cluster://; rediss… verifies the server.
    redis_url: RedisUrl | None = Field(default=None, validation_alias="REDIS_URL")
    # Where event streams are, if elsewhere.
    events_redis_url: RedisUrl | None = Field(default=None, validation_alias="EVENTS_REDIS_URL")

    def url_for(self, part: str) -> str | None:
        """Return the URL for `limits`, `cache`, `chat` or `events`."""
        url: RedisUrl | None = getattr(self, f"{part}_redis_url", None) or self.redis_url
        return None if url is None else url.get_secret_value()


@dataclass(frozen=True, slots=True)
class RedisParts:
    """The clients by their purpose; those with the same URL are one. None where there is none."""

    limits: Redis | None = None
    cache: Redis | None = None
    chat: Redis | None = None
    events: Redis | None = None

    @staticmethod
    def names() -> Iterator[str]:
        """Return the purposes."""
        return (field.name for field in fields(RedisParts))
