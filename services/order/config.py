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

    # Where it listens for HTTP.
    port: Port = 8082
    # Where the user service is.
    user_url: Url = Field(default="http://127.0.0.1:8081", validation_alias="USER_URL")
    # Where the product service is.
    product_url: Url = Field(default="http://127.0.0.1:8084", validation_alias="PRODUCT_URL")
    # Where the catalog service is.
    catalog_url: Url = Field(default="http://127.0.0.1:8085", validation_alias="CATALOG_URL")
    # How long a call to the user service may take, its repetitions included.
    user_seconds: Seconds = 2.0
    # The same for the product service.
    product_seconds: Seconds = 3.0
    # The same for the catalog service.
    catalog_seconds: Seconds = 1.0
    # How long products are reserved for an order until they are sold.
    hold_seconds: int = Field(default=3600, ge=1, le=86_400)
    # The pause of the recovery when there is no unfinished work.
    recovery_seconds: Seconds = 1.0
    # How long the sweep of service orders whose time is over rests when there are none.
    sweep_seconds: Seconds = 5.0
    # A customer who does not object for this long to what is said to be done has confirmed it.
    objection_seconds: Seconds = 3 * 24 * 3600.0
    # Work without progress for this long is taken over from its process, which has probably died.
    # This is also the longest wait for the next attempt. It must exceed the time of a request.
    lease_seconds: Seconds = 15.0
    # An order that is not confirmed within this time is cancelled, and its stock is returned.
    pending_seconds: Seconds = 24 * 3600.0
    # The part of a product's stock that a customer's unconfirmed orders may hold; one is always
    # possible. Orders that the staff places are not limited.
    max_stock_share: float = Field(default=0.5, gt=0, le=1)
    # `currency:amount`, separated by commas, `*` for all others: what a customer's unconfirmed
    # orders may come to, each alone and all together.
    max_waiting_value: Annotated[str, AfterValidator(_values)] = "*:20000"
    # An order that cannot be placed within this time is abandoned.
    draft_seconds: Seconds = 600.0

    def holding_limits(self) -> HoldingLimits:
        """Return the limits on the stock that unconfirmed orders may hold."""
        return HoldingLimits(self.max_stock_share, parse_values(self.max_waiting_value))

    # Tokens and people's data go there, and what the catalogue says is believed.
    _stays_with_us = field_validator("user_url", "product_url", "catalog_url")(check_trusted)
