"""Get a service's own token from the issuer, with its name and secret."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

import msgspec
from pydantic import Field, SecretStr, field_validator

from lib.auth.service_tokens import ServiceTokens
from lib.auth.settings import WebAddress, check_trusted
from lib.auth.tokens import Issued
from lib.config import Settings
from lib.http.client import open_client
from lib.resilience.upstream import Upstream

_SECONDS: Final = 2.0


class ServiceLoginSettings(Settings):
    """Settings of services that call other services with their own token."""

    # The URL at which the service gets a token for its calls to other services.
    auth_token_url: WebAddress = Field(
        default="http://127.0.0.1:8081/api/v1/auth/token", validation_alias="AUTH_TOKEN_URL"
    )
    # The service's name in `USER_SERVICE_CLIENTS`.
    auth_client_id: str = Field(default="", validation_alias="AUTH_CLIENT_ID")
    # The service's secret in `USER_SERVICE_CLIENTS`.
    auth_client_secret: SecretStr = Field(
        default=SecretStr(""), validation_alias="AUTH_CLIENT_SECRET"
    )

    _secrets_stay_with_us = field_validator("auth_token_url")(check_trusted)


class _Token(msgspec.Struct, frozen=True):
    access_token: str
    expires_at: datetime


def service_tokens(
    settings: ServiceLoginSettings, permissions: Sequence[str] | None = None
) -> ServiceTokens:
    """Return the source of the service's own tokens.

    The first token is requested at its first use. A token is renewed before it expires.

    The tokens have only `permissions`, so a service that receives a token cannot use it for
    anything else. Without `permissions`, they have all permissions of the service.

    A request for a token raises AppError: UNAUTHORIZED if the issuer does not know the service,
    SERVICE_UNAVAILABLE or DEADLINE_EXCEEDED if the issuer does not respond.
    """
    address = urlsplit(settings.auth_token_url)

    async def obtain() -> Issued:
        # A session for each: there is one every ten minutes.
        async with open_client(
            Upstream("user"), f"{address.scheme}://{address.netloc}", seconds=_SECONDS
        ) as client:
            given: dict[str, object] = {
                "client_id": settings.auth_client_id,
                "client_secret": settings.auth_client_secret.get_secret_value(),
            }
            if permissions is not None:
                given["permissions"] = list(permissions)
            answer = await client.call("POST", address.path, _Token, body=given)
        return Issued(answer.access_token, "", answer.expires_at)

    return ServiceTokens(obtain)
