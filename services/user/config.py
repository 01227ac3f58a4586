"""What the user service reads from the environment."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from lib.config import Port, PostgresSettings, Seconds


class UserConfig(PostgresSettings):
    """`USER_DATABASE_URL`, `USER_PORT`, and where and how patiently points are asked for."""

    model_config = SettingsConfigDict(env_prefix="USER_")

    port: Port = 8081
    point_grpc_address: str = Field("127.0.0.1:50051", validation_alias="POINT_GRPC_ADDRESS")
    # Calls to the point service at a time; one more waits, within its own seconds.
    point_connections: int = Field(10, ge=1, validation_alias="POINT_GRPC_CONNECTIONS")
    # What a list waits for its points at the most; without them it is still a list.
    points_seconds: Seconds = 1.0
    # How long a point service that failed is left alone before one call tries again.
    points_pause_seconds: Seconds = 2.0
