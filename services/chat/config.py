"""Settings of the chat service, read from the environment."""

from __future__ import annotations

from typing import Final

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from lib.config import Port, PostgresSettings, Seconds
from lib.events.signing import ConsumerSettings
from lib.http.middleware.install import MiddlewareSettings
from lib.limits import TokenBucket
from lib.redis import RedisUrl
from services.chat.model.allowance import WireLimits
from services.chat.model.frames import MAX_INCOMING

# The ratio of the limit for all frames, pings included, to the limit for messages.
_OF_ANY_KIND: Final = 5


class ChatConfig(PostgresSettings, MiddlewareSettings, ConsumerSettings):
    """Settings. `CHAT_DATABASE_URL` is required. Without Redis, replicas poll for new messages."""

    model_config = SettingsConfigDict(env_prefix="CHAT_")

    # The port of the HTTP API.
    port: Port = 8086
    # The Redis through which replicas exchange messages and presence, if it is not `REDIS_URL`.
    chat_redis_url: RedisUrl | None = Field(default=None, validation_alias="CHAT_REDIS_URL")
    # Frames per second that one user may send over all sockets.
    frame_rate: float = Field(default=10.0, gt=0)
    # Frames that one user may send at once.
    frame_burst: int = Field(default=40, ge=1)
    # Bytes per second that one user may send over all sockets.
    byte_rate: float = Field(default=256 * 1024.0, gt=0)
    # Bytes that one user may send at once. The minimum is more than the size of one frame.
    byte_burst: int = Field(default=1024 * 1024, ge=2 * MAX_INCOMING)
    # Sockets that one user may have open. A further socket closes the oldest one.
    connections_per_user: int = Field(default=10, ge=1)
    # Sockets that one client address may have open in one process. A further socket is refused.
    connections_per_address: int = Field(default=200, ge=1)
    # Sockets that may be open in one process. A further socket is refused.
    max_connections: int = Field(default=20_000, ge=1)
    # The interval of the pings that detect disconnected sockets.
    heartbeat_seconds: Seconds = 30.0
    # Bytes that may wait in the process for a client that does not read.
    buffer_bytes: int = Field(default=256 * 1024, ge=16 * 1024)
    # For how many days messages are kept.
    retention_days: int = Field(default=365, ge=1)
    # For how many days after the end of its job or order a channel accepts messages.
    closed_days: int = Field(default=14, ge=0)
    # For how many days a message that is sent again is recognized by its `client_id`.
    client_id_days: int = Field(default=30, ge=1)

    def on_the_wire(self) -> WireLimits:
        """Return the limits on the bytes and frames that a user sends; control frames count too."""
        return WireLimits(
            _OF_ANY_KIND * self.frame_rate,
            _OF_ANY_KIND * self.frame_burst,
            self.byte_rate,
            self.byte_burst,
        )

    def per_user_frames(self) -> TokenBucket:
        """Return the rate limit on the complete messages that a user sends over sockets."""
        return TokenBucket(self.frame_rate, self.frame_burst)
