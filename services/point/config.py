"""Settings of the point service, read from the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo, field_validator
from pydantic_settings import SettingsConfigDict

from lib.auth.settings import TokenSettings
from lib.config import Port, PostgresSettings, Seconds
from lib.events.signing import ConsumerSettings
from lib.grpc.tls import ServerTls
from lib.redis.settings import RedisSettings
from services.point.model import RATES, parse_rates


def _rates(value: str) -> str:
    parse_rates(value)
    return value


class PointConfig(PostgresSettings, TokenSettings, ConsumerSettings, RedisSettings):
    """Settings: the database, the ports for gRPC and for health and metrics, tokens, and limits.

    Without `REDIS_URL` or `EVENTS_URL`, no points are awarded. The events of this time are handled
    when one of these is set.
    """

    model_config = SettingsConfigDict(env_prefix="POINT_")

    # Where it listens for HTTP: health and metrics.
    port: Port = 8087
    # Where it listens for gRPC.
    grpc_port: Port = 50051
    # A unary call times out after this long even if its caller set no deadline.
    grpc_call_seconds: Seconds = 10.0
    # `currency:rate`, separated by commas: what one of each is worth where ten are a point. What is
    # paid in others earns nothing.
    rates: Annotated[str, AfterValidator(_rates)] = RATES
    # PEM files of its chain and its key: with both, gRPC is spoken over TLS only.
    grpc_tls_certificate: Path | None = None
    # Its key.
    grpc_tls_key: Path | None = None
    # Where it is set, callers must show a certificate of this authority.
    grpc_tls_client_ca: Path | None = Field(default=None, validate_default=True)

    @field_validator("grpc_tls_client_ca")
    @classmethod
    def _tls_is_whole(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        parts = (info.data.get("grpc_tls_certificate"), info.data.get("grpc_tls_key"))
        if (None in parts) and (value is not None or parts != (None, None)):
            raise ValueError("needs both POINT_GRPC_TLS_CERTIFICATE and POINT_GRPC_TLS_KEY")
        return value

    def grpc_tls(self) -> ServerTls | None:
        """Return the TLS settings of the gRPC port, or None for a port without TLS."""
        if self.grpc_tls_certificate is None or self.grpc_tls_key is None:
            return None
        return ServerTls(self.grpc_tls_certificate, self.grpc_tls_key, self.grpc_tls_client_ca)
