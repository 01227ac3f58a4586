"""Response types for sessions and new accounts."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from lib.auth import Role
from services.user.store.models import AccountRole


class Registered(Struct, frozen=True):
    """The new account."""

    id: UUID
    email: str
    first_name: str
    last_name: str
    phone_number: str | None
    role: AccountRole
    verified: bool
    created_at: datetime


class Session(Struct, frozen=True):
    """The tokens of a session. The lifetimes of the tokens are in seconds.

    Browsers also receive the tokens as cookies. A browser sends `csrf_token` in the header
    `X-CSRF-Token` with each request that changes data.
    """

    user_id: UUID
    role: AccountRole
    verified: bool
    token_type: Literal["Bearer"]
    access_token: Annotated[
        str, Meta(examples=["eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl"])
    ]
    expires_in: int
    refresh_token: str
    refresh_expires_in: int
    csrf_token: Annotated[str, Meta(examples=["a-csrf-token-0123456789"])]
    # The token has no permissions before a second factor was shown and the session refreshed.
    second_factor_wanted: bool
    # Only from a login: to be shown at the next one, see `Login`.
    device_token: str | None = None


class IdentitySession(Session, frozen=True, kw_only=True):
    """The tokens of a session, and the path to which the browser should return."""

    return_to: Annotated[str, Meta(examples=["/orders"])]


class ServiceToken(Struct, frozen=True):
    """The access token of a service. Request a new token shortly before `expires_at`."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_at: datetime
    roles: list[Role]
    permissions: Annotated[list[str], Meta(examples=[["users:read"]])]


class OpenSession(Struct, frozen=True):
    """A session that can still be refreshed. `current` marks the session of this request."""

    id: UUID
    created_at: datetime
    refreshed_at: datetime
    expires_at: datetime
    current: bool


class Jwks(Struct, frozen=True):
    """The public keys that verify access tokens (RFC 7517)."""

    keys: Annotated[
        list[dict[str, str]],
        Meta(
            examples=[
                [
                    {
                        "kty": "RSA",
                        "kid": "2026-01",
                        "use": "sig",
                        "alg": "RS256",
                        "n": "sXch",
                        "e": "AQAB",
                    }
                ]
            ]
        ),
    ]
