"""Settings of the order service, read from the environment."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, field_validator
from pydantic_settings import SettingsConfigDict

from lib.auth.settings import check_trusted
from lib.config import Port, PostgresSettings, Seconds
from lib.events.signing import ConsumerSettings, ProducerSettings
from lib.http.client_credentials import ServiceLoginSettings
from lib.http.middleware.install import MiddlewareSettings
from lib.resilience.settings import BreakerSettings
from services.order.goods.model.holding import HoldingLimits, parse_values


def _values(value: str) -> str:
    parse_values(value)
    return value


Url = Annotated[str, Field(pattern=r"^https?://")]


class OrderConfig(
    PostgresSettings,
    MiddlewareSettings,
    ServiceLoginSettings,
    BreakerSettings,
    ConsumerSettings,
    ProducerSettings,
):
    """Settings. `ORDER_DATABASE_URL` is required.

    Without `REDIS_URL` or `EVENTS_URL`, events stay in the outbox.
    """

    model_config = SettingsConfigDict(env_prefix="ORDER_")

    # The port of the HTTP API.
    port: Port = 8082
    # The URL of the user service.
    user_url: Url = Field(default="http://127.0.0.1:8081", validation_alias="USER_URL")
    # The URL of the product service.
    product_url: Url = Field(default="http://127.0.0.1:8084", validation_alias="PRODUCT_URL")
    # The URL of the catalog service.
    catalog_url: Url = Field(default="http://127.0.0.1:8085", validation_alias="CATALOG_URL")
    # Time limit of a call to the user service, including retries.
    user_seconds: Seconds = 2.0
    # Time limit of a call to the product service, including retries.
    product_seconds: Seconds = 3.0
    # Time limit of a call to the catalog service, including retries.
    catalog_seconds: Seconds = 1.0
    # How long products are reserved for an order until they are sold.
    hold_seconds: int = Field(default=3600, ge=1, le=86_400)
    # The pause of the recovery loop if there is no unfinished order.
    recovery_seconds: Seconds = 1.0
    # The pause of the loop that expires overdue service orders, if there are none.
    sweep_seconds: Seconds = 5.0
    # If the customer does not object to a finished job within this time, the job is confirmed.
    objection_seconds: Seconds = 3 * 24 * 3600.0
    # If an order makes no progress for this time, another process continues it. This is also the
    # longest wait for the next attempt. It must exceed the time of a request.
    lease_seconds: Seconds = 15.0
    # An order that is not confirmed within this time is cancelled, and its stock is returned.
    pending_seconds: Seconds = 24 * 3600.0
    # The fraction of a product's stock that a customer's unconfirmed orders may hold. One unit is
    # always allowed. Orders that the staff places are not limited.
    max_stock_share: float = Field(default=0.5, gt=0, le=1)
    # The maximum total of a customer's unconfirmed orders: `currency:amount`, separated by commas;
    # `*` is for all other currencies.
    max_waiting_value: Annotated[str, AfterValidator(_values)] = "*:20000"
    # An order that cannot be placed within this time is abandoned.
    draft_seconds: Seconds = 600.0

    def holding_limits(self) -> HoldingLimits:
        """Return the limits on the stock that unconfirmed orders may hold."""
        return HoldingLimits(self.max_stock_share, parse_values(self.max_waiting_value))

    # Tokens and people's data go there, and what the catalogue says is believed.
    _stays_with_us = field_validator("user_url", "product_url", "catalog_url")(check_trusted)
