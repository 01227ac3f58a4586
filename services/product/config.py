"""Settings of the product service, read from the environment."""

from __future__ import annotations

from pydantic_settings import SettingsConfigDict

from lib.config import DatabaseSettings, Port, Seconds
from lib.events.signing import ProducerSettings
from lib.http.middleware.install import MiddlewareSettings


class ProductConfig(DatabaseSettings, MiddlewareSettings, ProducerSettings):
    """Settings.

    `PRODUCT_DATABASE_URL` is required. Without `REDIS_URL` or `EVENTS_URL`, events stay in the
    outbox.
    """

    model_config = SettingsConfigDict(env_prefix="PRODUCT_")

    # The port of the HTTP API.
    port: Port = 8084
    # The pause of the loop that releases expired reservations, if there are none.
    sweep_seconds: Seconds = 1.0
