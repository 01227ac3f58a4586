"""What the chat service reads from its environment."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from lib.config import Port, PostgresSettings, Seconds
from lib.http.gates import GateSettings
from lib.limits import TokenBucket


class ChatConfig(PostgresSettings, GateSettings):
    """`CHAT_DATABASE_URL` is required; without `REDIS_URL` replicas hear of each other slowly."""

    model_config = SettingsConfigDict(env_prefix="CHAT_")

    port: Port = 8086
    # What one user may send over all sockets: frames a second, and at once.
    frame_rate: float = Field(default=10.0, gt=0)
    frame_burst: int = Field(default=40, ge=1)
    connections_per_user: int = Field(default=10, ge=1)
    max_connections: int = Field(default=20_000, ge=1)
    heartbeat_seconds: Seconds = 30.0
    # How much may wait in the process for a socket that does not read.
    buffer_bytes: int = Field(default=256 * 1024, ge=16 * 1024)
    retention_days: int = Field(default=365, ge=1)
    # How long a message that is sent again is known to be the same.
    client_id_days: int = Field(default=30, ge=1)

    def per_user_frames(self) -> TokenBucket:
        """Return the rule for what users send."""
        return TokenBucket(self.frame_rate, self.frame_burst)
