"""Who asks, and whose things are meant."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from aiohttp import web

from lib.auth import Role, require, require_principal, require_role, require_verified
from lib.auth.guards import forbidden
from lib.auth.principal import current_principal
from lib.http import decode
from lib.http.middleware.auth import guarded
from services.order.marketplace.model.caller import Caller

_READ: Final = "jobs:read"
_MANAGE: Final = "jobs:manage"
_MODERATE: Final = "reviews:moderate"

signed_in: Final = guarded()
verified: Final = guarded(require_verified)
managers: Final = guarded(require(_MANAGE), require_verified)
writers_of_places: Final = guarded(require("places:write"), require_verified)
customers: Final = guarded(require_role(Role.CUSTOMER))
verified_customers: Final = guarded(require_role(Role.CUSTOMER), require_verified)
providers: Final = guarded(require_role(Role.PROVIDER))
verified_providers: Final = guarded(require_role(Role.PROVIDER), require_verified)


def caller() -> Caller:
    """Return who asks; somebody without a token is nobody."""
    principal = current_principal()
    if principal is None:
        return Caller()
    return Caller(
        id=_id(principal.subject),
        is_provider=principal.has_any(Role.PROVIDER),
        sees_all=principal.may(_READ) or principal.may(_MANAGE),
        manages=principal.may(_MANAGE),
        moderates=principal.may(_MODERATE),
    )


def own_id() -> UUID:
    """Return the caller's id.

    Raises:
        AppError: FORBIDDEN for a caller that is no person.
    """
    found = _id(require_principal().subject)
    if found is None:
        raise forbidden()
    return found


def me(_: web.Request) -> UUID:
    """Whose things: the caller's."""
    return own_id()


def anyone_named(request: web.Request) -> UUID:
    """Whose things: those of the person in the path, whoever asks."""
    return decode.path_uuid(request)


def named_to_read(request: web.Request) -> UUID:
    """Whose things: those of the person in the path, asked for by them or by the staff."""
    person = decode.path_uuid(request)
    check_may_read(person)
    return person


def check_may_read(person: UUID) -> None:
    """Raise FORBIDDEN where the caller is neither that person nor of the staff."""
    if not caller().may_see_of(person):
        raise forbidden()


def named_provider_to_change(request: web.Request) -> UUID:
    """Whose things: those of the provider in the path, changed by them or whoever manages jobs."""
    person, who = decode.path_uuid(request), caller()
    if who.manages or (who.is_provider and who.is_one_of(person)):
        return person
    raise forbidden()


def _id(subject: str) -> UUID | None:
    try:
        return UUID(subject)
    except ValueError:
        return None
