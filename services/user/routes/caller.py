"""Whose account a request is about, and whether the caller may see or change it."""

from __future__ import annotations

from functools import wraps
from typing import Annotated, Final
from uuid import UUID

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from lib.auth import Principal, require_principal
from lib.auth.guards import subject_of
from lib.errors import FieldError, invalid
from services.user.routes.deps import DEPS
from services.user.routes.sessions import own_account
from services.user.service import access, standing

# The path's `{id}`, as the document describes it.
WHO: Final = Annotated[
    str,
    msgspec.Meta(pattern="^(me|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$", description="or `me`"),
]


def in_session(handler: Handler) -> Handler:
    """Let a handler run only while the caller's session lasts; the token may outlive it."""

    @wraps(handler)
    async def checked(request: web.Request) -> web.StreamResponse:
        await standing.check_session(request.app[DEPS].db, require_principal())
        return await handler(request)

    return checked


def seen(request: web.Request) -> tuple[Principal, UUID]:
    """Return the caller and the account in the path that they may see.

    Raises:
        AppError: VALIDATION_ERROR where it is neither `me` nor an id; UNAUTHORIZED; FORBIDDEN.
    """
    principal, account_id = _meant(request)
    access.check_may_see(principal, account_id)
    return principal, account_id


def changed(request: web.Request) -> tuple[Principal, UUID]:
    """Return the caller and the account in the path that they may change; raises as `seen`."""
    principal, account_id = _meant(request)
    access.check_may_change(principal, account_id)
    if not access.is_own(principal, account_id):
        access.require_verified(principal)
    return principal, account_id


def _meant(request: web.Request) -> tuple[Principal, UUID]:
    principal = require_principal()
    owner = request.match_info.get("id", "me")
    if owner == "me":
        return principal, own_account()
    try:
        return principal, UUID(subject_of(owner, principal))
    except ValueError:
        raise invalid(FieldError("id", "is neither me nor a UUID")) from None
