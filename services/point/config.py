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

    # The HTTP port for health checks and metrics.
    port: Port = 8087
    # The port of the gRPC API.
    grpc_port: Port = 50051
    # Time limit of a unary call, even if its caller has set no deadline.
    grpc_call_seconds: Seconds = 10.0
    # `currency:rate`, separated by commas: the value of one unit of each currency. A value of 10
    # earns one point. Payments in other currencies earn no points.
    rates: Annotated[str, AfterValidator(_rates)] = RATES
    # PEM file of the server's certificate chain. If this and the key are set, gRPC requires TLS.
    grpc_tls_certificate: Path | None = None
    # PEM file of the key of this certificate.
    grpc_tls_key: Path | None = None
    # If set, callers must have a certificate of this certificate authority (PEM file).
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
