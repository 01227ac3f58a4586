"""What the point service reads from the environment."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_settings import SettingsConfigDict

from lib.auth.settings import TokenSettings
from lib.config import Port, PostgresSettings, Seconds
from lib.redis import RedisUrl
from services.point.model import RATES, parse_rates


def _rates(value: str) -> str:
    parse_rates(value)
    return value


class PointConfig(PostgresSettings, TokenSettings):
    """`POINT_DATABASE_URL`, `POINT_PORT` (health, metrics), `POINT_GRPC_PORT`, tokens, limits.

    Without `REDIS_URL` nothing is awarded; what happens meanwhile is when there is one.
    """

    model_config = SettingsConfigDict(env_prefix="POINT_")

    # Where it listens for HTTP: health and metrics.
    port: Port = 8087
    # Where it listens for gRPC.
    grpc_port: Port = 50051
    # A unary call is given up after this long even where its caller set no deadline.
    grpc_call_seconds: Seconds = 10.0
    # `currency:rate`, separated by commas: what one of each is worth where ten are a point. What is
    # paid in others earns nothing.
    rates: Annotated[str, AfterValidator(_rates)] = RATES
    redis_url: RedisUrl | None = Field(default=None, validation_alias="REDIS_URL")
