"""What the point service reads from the environment."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from lib.auth.settings import TokenSettings
from lib.config import Port, PostgresSettings, Seconds
from lib.redis import RedisUrl


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
    redis_url: RedisUrl | None = Field(default=None, validation_alias="REDIS_URL")
