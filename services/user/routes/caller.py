"""The caller, the account of a request, and the checks of the caller's access."""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias
from uuid import UUID

import msgspec
from aiohttp import web

from lib.auth import Principal, require_principal
from lib.auth.access import When
from lib.auth.guards import lacking, subject_of
from lib.errors import AppError, Code, FieldError, invalid
from lib.http.routes import From
from services.user.routes.deps import DEPS
from services.user.service import access, standing

# The path's `{id}`, as the document describes it.
_WHO: Final = Annotated[
    str,
    msgspec.Meta(
        pattern="^(me|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$",
        description="user ID, or `me`",
        examples=["me"],
    ),
]


def _own_account() -> UUID:
    account_id = require_principal().account_id
    if account_id is None:
        raise AppError(Code.FORBIDDEN, "a service has no account")
    return account_id


async def _in_session(request: web.Request) -> Principal:
    principal = require_principal()
    await standing.check_session(request.app[DEPS].db, principal)
    return principal


async def _just_signed_in(request: web.Request) -> Principal:
    principal = require_principal()
    await standing.check_session(request.app[DEPS].db, principal, fresh=True)
    return principal


def _seen(request: web.Request) -> tuple[Principal, UUID]:
    principal, account_id = _meant(request)
    if not access.is_own(principal, account_id):
        access.check_may_see(principal, account_id)
        if not principal.is_service:
            access.require_verified(principal)
    return principal, account_id


def _changed(request: web.Request) -> tuple[Principal, UUID]:
    principal, account_id = _meant(request)
    access.check_may_change(principal, account_id)
    if not access.is_own(principal, account_id):
        access.require_verified(principal)
    return principal, account_id


def _managed(request: web.Request) -> tuple[Principal, UUID]:
    principal, account_id = _changed(request)
    if not access.may_manage(principal):
        raise lacking(principal, access.WRITE, access.MODERATE, any_of=True)
    return principal, account_id


def _meant(request: web.Request) -> tuple[Principal, UUID]:
    principal = require_principal()
    owner = request.match_info.get("id", "me")
    if owner == "me":
        return principal, _own_account()
    try:
        return principal, UUID(subject_of(owner, principal))
    except ValueError:
        raise invalid(FieldError("id", "is neither `me` nor a UUID")) from None


_PATH: Final = {"id": _WHO}
# When a verified address is required for an action that every user may do on their own account.
OTHERS: Final = When("the account belongs to another user")
_Account: TypeAlias = tuple[Principal, UUID]
# The caller; while their session lasts, which the token may outlive; who has signed in just now;
# their account, FORBIDDEN for a service, which has none.
Caller: TypeAlias = Annotated[Principal, From(lambda _: require_principal())]
InSession: TypeAlias = Annotated[Principal, From(_in_session)]
JustSignedIn: TypeAlias = Annotated[Principal, From(_just_signed_in)]
Own: TypeAlias = Annotated[UUID, From(lambda _: _own_account())]
# The caller and the account in the path, `me` or an id: that they may see, their own that they see,
# that they may change, and that they may change as one of many.
Seen: TypeAlias = Annotated[_Account, From(_seen, path=_PATH)]
SeenOwn: TypeAlias = Annotated[_Account, From(_seen)]
Changed: TypeAlias = Annotated[_Account, From(_changed, path=_PATH)]
Managed: TypeAlias = Annotated[_Account, From(_managed, path=_PATH)]
