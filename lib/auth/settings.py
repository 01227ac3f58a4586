"""Settings of services that verify tokens: the trusted issuer and its keys."""

from __future__ import annotations

import ipaddress
from typing import Annotated, ClassVar, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator

from lib.config import DEVELOPMENT_ONLY, in_production
from lib.public_url import LOCAL_GATEWAY, PublicSettings, below_public_url

_SHORTEST: Final = 32
_INTERNAL: Final = (".internal", ".local", ".svc")


def _web_address(value: str) -> str:
    address = urlsplit(value)
    if address.scheme not in ("http", "https") or not address.hostname:
        raise ValueError("must be an http:// or https:// URL")
    return value


WebAddress = Annotated[str, AfterValidator(_web_address)]


def check_trusted(value: str, info: ValidationInfo) -> str:
    """Check that secrets travel safely in production: over https, or within a private network.

    `http://user:8081` is a host in the same network, but `http://users.example.com` can be any
    host. Raises ValueError for a URL that is not safe.
    """
    address = urlsplit(value)
    if in_production(info) and address.scheme == "http" and not _is_ours(address.hostname or ""):
        raise ValueError("in production must be https:// unless the host is in a private network")
    return value


class TokenSettings(PublicSettings):
    """Settings: the issuer of tokens, and the URL at which it publishes its keys."""

    # The service that issues tokens has the keys, so it needs no URL of the keys.
    issues_tokens: ClassVar[bool] = False

    # The URL of the public keys that verify access tokens.
    auth_jwks_url: WebAddress = Field(
        default="http://127.0.0.1:8081/api/v1/auth/jwks.json", validation_alias="AUTH_JWKS_URL"
    )
    # The issuer of access tokens. If `PUBLIC_URL` is set, it is the default.
    auth_issuer: str = Field(default=LOCAL_GATEWAY, min_length=1, validation_alias="AUTH_ISSUER")
    # The audience of access tokens. Tokens for another audience are refused.
    auth_audience: str = Field(default="platform", min_length=1, validation_alias="AUTH_AUDIENCE")

    @field_validator("auth_jwks_url")
    @classmethod
    def _keys_come_from_whom_we_mean(cls, value: str, info: ValidationInfo) -> str:
        default = TokenSettings.model_fields["auth_jwks_url"].default
        if in_production(info) and value == default and not cls.issues_tokens:
            raise ValueError("is not set")
        return check_trusted(value, info)

    @field_validator("auth_issuer")
    @classmethod
    def _tokens_name_us(cls, value: str, info: ValidationInfo) -> str:
        return below_public_url(value, info, default=LOCAL_GATEWAY)


class AuthSettings(TokenSettings):
    """Settings for services with browser clients: `TokenSettings` and the secret of CSRF tokens."""

    # The secret of CSRF tokens. It must be the same in all services, because a browser has one
    # CSRF token for all of them.
    auth_csrf_secret: SecretStr = Field(
        default=SecretStr(DEVELOPMENT_ONLY), validation_alias="AUTH_CSRF_SECRET"
    )

    @field_validator("auth_csrf_secret")
    @classmethod
    def _cannot_be_guessed(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        if in_production(info) and len(value.get_secret_value()) < _SHORTEST:
            raise ValueError(f"in production must have at least {_SHORTEST} characters")
        return value


def _is_ours(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "." not in host or host.endswith(_INTERNAL)
    return address.is_private
