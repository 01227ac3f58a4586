"""Settings of the catalog service, read from the environment."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from lib.config import Port, PostgresSettings
from lib.events.signing import ConsumerSettings, ProducerSettings
from lib.http.middleware.install import MiddlewareSettings
from lib.redis import RedisUrl


class CatalogConfig(PostgresSettings, MiddlewareSettings, ConsumerSettings, ProducerSettings):
    """Settings. `CATALOG_DATABASE_URL` is required.

    The cache needs `REDIS_URL` or `CACHE_REDIS_URL`; events need `REDIS_URL` or `EVENTS_URL`.
    """

    model_config = SettingsConfigDict(env_prefix="CATALOG_")

    # The port of the HTTP API.
    port: Port = 8085
    # The Redis for cached responses, if it is not `REDIS_URL`.
    cache_redis_url: RedisUrl | None = Field(default=None, validation_alias="CACHE_REDIS_URL")
