"""Sessions and new accounts as they are answered."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from lib.auth import Role
from services.user.store.models import AccountRole


class Registered(Struct, frozen=True):
    """A new account, as its owner sees it."""

    id: UUID
    email: str
    first_name: str
    last_name: str
    phone_number: str | None
    role: AccountRole
    verified: bool
    created_at: datetime


class Session(Struct, frozen=True):
    """The tokens of a session; times in seconds from now.

    Browsers have them as cookies too, and send `csrf_token` as `X-CSRF-Token` with what changes
    something.
    """

    user_id: UUID
    role: AccountRole
    verified: bool
    token_type: Literal["Bearer"]
    access_token: str
    expires_in: int
    refresh_token: str
    refresh_expires_in: int
    csrf_token: str
    # The token has no permissions before a second factor was shown and the session refreshed.
    second_factor_wanted: bool
    # Only from a login: to be shown at the next one, see `Login`.
    device_token: str | None = None


class ServiceToken(Struct, frozen=True):
    """A service's access token; asked for anew shortly before it ends."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_at: datetime
    roles: list[Role]
    permissions: list[str]


class OpenSession(Struct, frozen=True):
    """A session that can still be refreshed; `current` is the one that asks."""

    id: UUID
    created_at: datetime
    refreshed_at: datetime
    expires_at: datetime
    current: bool


class Jwks(Struct, frozen=True):
    """The public keys that access tokens can be verified with (RFC 7517)."""

    keys: list[dict[str, str]]
