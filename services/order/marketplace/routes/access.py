"""The caller of a request, and the user whose data is requested."""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias
from uuid import UUID

from aiohttp import web

from lib.auth import Role, require, require_principal, require_role
from lib.auth.access import signed_in
from lib.auth.guards import forbidden, lacking
from lib.auth.permissions import permission
from lib.auth.principal import known_principal
from lib.http import decode
from lib.http.routes import From
from services.order.marketplace.model.caller import Caller

_READ: Final = permission("jobs:read")
_MANAGE: Final = permission("jobs:manage")
_MODERATE: Final = permission("reviews:moderate")

VERIFIED: Final = signed_in(verified=True)
MANAGERS: Final = signed_in(require(_MANAGE), verified=True)
WRITERS_OF_PLACES: Final = signed_in(require("places:write"), verified=True)
CUSTOMERS: Final = signed_in(require_role(Role.CUSTOMER))
VERIFIED_CUSTOMERS: Final = signed_in(*CUSTOMERS.guards, verified=True)
PROVIDERS: Final = signed_in(require_role(Role.PROVIDER))
VERIFIED_PROVIDERS: Final = signed_in(*PROVIDERS.guards, verified=True)


def caller() -> Caller:
    """Return the caller. Without a token or a required second factor, the caller is anonymous."""
    principal = known_principal()
    if principal is None:
        return Caller()
    return Caller(
        id=_id(principal.subject),
        is_provider=principal.has_any(Role.PROVIDER),
        verified=principal.verified,
        sees_all=principal.may(_READ) or principal.may(_MANAGE),
        manages=principal.may(_MANAGE),
        moderates=principal.may(_MODERATE),
    )


def own_id() -> UUID:
    """Return the caller's id.

    Raises:
        AppError: FORBIDDEN if the caller is not a person.
    """
    found = _id(require_principal().subject)
    if found is None:
        raise forbidden()
    return found


def _named_to_read(request: web.Request) -> UUID:
    person = decode.path_uuid(request)
    check_may_read(person)
    return person


def check_may_read(person: UUID) -> None:
    """Raise FORBIDDEN unless the caller is the user `person` or belongs to the staff."""
    if not caller().may_see_of(person):
        raise lacking(require_principal(), _READ, _MANAGE, any_of=True)


def _named_provider_to_change(request: web.Request) -> UUID:
    person, who = decode.path_uuid(request), caller()
    if who.manages or (who.is_provider and who.is_one_of(person)):
        return person
    raise lacking(require_principal(), _MANAGE)


def _id(subject: str) -> UUID | None:
    try:
        return UUID(subject)
    except ValueError:
        return None


_ID: Final = {"id": UUID}
Who: TypeAlias = Annotated[Caller, From(lambda _: caller())]
Own: TypeAlias = Annotated[UUID, From(lambda _: own_id())]
# Whose things: the caller's; anybody's; for the person in the path and the staff to read; for the
# provider in the path and who manages jobs to change.
ME: Final = From(lambda _: own_id())
ANYONE: Final = From(decode.path_uuid, path=_ID)
NAMED_TO_READ: Final = From(_named_to_read, path=_ID)
NAMED_PROVIDER_TO_CHANGE: Final = From(_named_provider_to_change, path=_ID)
