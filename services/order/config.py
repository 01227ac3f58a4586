"""What the order service reads from its environment."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from lib.auth.client_credentials import ServiceLoginSettings
from lib.config import Port, PostgresSettings, Seconds
from lib.http.gates import GateSettings
from lib.resilience.settings import BreakerSettings

Url = Annotated[str, Field(pattern=r"^https?://")]


class OrderConfig(PostgresSettings, GateSettings, ServiceLoginSettings, BreakerSettings):
    """`ORDER_DATABASE_URL` is required; without `REDIS_URL` events wait in the outbox."""

    model_config = SettingsConfigDict(env_prefix="ORDER_")

    port: Port = 8082
    user_url: Url = Field(default="http://127.0.0.1:8081", validation_alias="USER_URL")
    product_url: Url = Field(default="http://127.0.0.1:8084", validation_alias="PRODUCT_URL")
    # How long a call to each may take, its repetitions included.
    user_seconds: Seconds = 2.0
    product_seconds: Seconds = 3.0
    # How long the recovery of orders rests when there is nothing to take up again.
    recovery_seconds: Seconds = 1.0
    # An order nobody has worked on for this long was left behind by a process that is gone.
    abandoned_seconds: Seconds = 15.0
