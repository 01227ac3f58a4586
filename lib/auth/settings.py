"""Whose tokens a service believes: read from the environment by all who verify and do not sign."""

from __future__ import annotations

from pydantic import Field, SecretStr

from lib.config import Settings


class TokenSettings(Settings):
    """The issuer of tokens and its published keys."""

    auth_jwks_url: str = Field(
        default="http://127.0.0.1:8081/api/v1/auth/jwks.json", validation_alias="AUTH_JWKS_URL"
    )
    auth_issuer: str = Field(default="http://127.0.0.1:8080", validation_alias="AUTH_ISSUER")
    auth_audience: str = Field(default="platform", validation_alias="AUTH_AUDIENCE")


class AuthSettings(TokenSettings):
    """Besides, for services that browsers talk to: the secret that CSRF tokens are made with."""

    # The same in all services: a browser's CSRF token is good for each of them.
    auth_csrf_secret: SecretStr = Field(
        default=SecretStr("for development only"), validation_alias="AUTH_CSRF_SECRET"
    )
