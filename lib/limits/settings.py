"""Settings of rate limits, trusted proxies and Redis."""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import AfterValidator, Field

from lib.config import CommaSeparated, Seconds
from lib.limits.client_address import TrustedProxies
from lib.limits.rules import TokenBucket, Window
from lib.redis import RedisUrl
from lib.redis.settings import RedisSettings


def _networks(value: tuple[str, ...]) -> tuple[str, ...]:
    TrustedProxies(value)  # raises ValueError, which names the invalid network
    return value


class LimitSettings(RedisSettings):
    """Settings of the rate limiter. Without `REDIS_URL`, each process counts its own requests."""

    # The Redis in which all replicas count requests, if it is not `REDIS_URL`.
    limits_redis_url: RedisUrl | None = Field(default=None, validation_alias="LIMITS_REDIS_URL")
    # Requests per second that one client address may send.
    rate_limit: float = Field(default=100.0, gt=0, validation_alias="RATE_LIMIT")
    # Requests that one client address may send at once.
    rate_limit_burst: int = Field(default=200, ge=1, validation_alias="RATE_LIMIT_BURST")
    # Requests that one signed-in user may send within `USER_RATE_SECONDS`.
    user_rate_limit: int = Field(default=600, ge=1, validation_alias="USER_RATE_LIMIT")
    # The period for `USER_RATE_LIMIT`.
    user_rate_seconds: Seconds = Field(default=60.0, validation_alias="USER_RATE_SECONDS")
    # Requests per second that another service may send with its own token.
    service_rate_limit: float = Field(default=2000.0, gt=0, validation_alias="SERVICE_RATE_LIMIT")
    # Addresses and networks of proxies whose `X-Forwarded-For` is trusted.
    trusted_proxies: Annotated[CommaSeparated, AfterValidator(_networks)] = Field(
        default=("127.0.0.1", "::1"), validation_alias="TRUSTED_PROXIES"
    )

    def per_client(self) -> TokenBucket:
        """Return the rate limit rule for client addresses."""
        return TokenBucket(self.rate_limit, self.rate_limit_burst)

    def per_user(self) -> Window:
        """Return the rate limit rule for signed-in users."""
        return Window(self.user_rate_limit, self.user_rate_seconds)

    def per_service(self) -> TokenBucket:
        """Return the rate limit rule for other services. The burst is twice the rate per second."""
        return TokenBucket(self.service_rate_limit, math.ceil(2 * self.service_rate_limit))

    def proxies(self) -> TrustedProxies:
        """Return the trusted proxies."""
        return TrustedProxies(self.trusted_proxies)
