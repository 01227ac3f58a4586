"""How a customer becomes a provider, over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from aiohttp import web
from msgspec import Struct

from lib.auth import Role, require, require_principal, require_role, require_verified
from lib.errors import Code
from lib.http import decode, respond
from lib.http.middleware.auth import guarded
from lib.http.openapi import operation
from lib.resource.lists import PageQuery
from services.user.model.account import Decision, ProviderApplication
from services.user.routes import caller
from services.user.routes.deps import DEPS
from services.user.routes.sessions import own_account
from services.user.service import access, provider_requests
from services.user.store.models import ProviderRequest, RequestStatus
from services.user.store.provider_requests import ListRequestsRow

_TAGS: Final = ("providers",)
_ERRORS: Final = (Code.UNAUTHORIZED, Code.FORBIDDEN)
_moderators = guarded(require(access.MODERATE), require_verified)


class RequestView(Struct, frozen=True):
    """What became of one's request so far."""

    status: RequestStatus
    reason: str | None
    created_at: datetime
    decided_at: datetime | None


def _view(request: ProviderRequest) -> RequestView:
    return RequestView(request.status, request.reason, request.created_at, request.decided_at)


@guarded(require_role(Role.CUSTOMER), require_verified)
@caller.in_session
@operation(
    summary="Ask to become a provider",
    tags=_TAGS,
    body=ProviderApplication,
    returns=RequestView,
    status=201,
    errors=(*_ERRORS, Code.CONFLICT),
)
async def ask(request: web.Request) -> web.Response:
    """The request, which a moderator decides about. After a no one may ask again."""
    deps = request.app[DEPS]
    given = await decode.body(request, ProviderApplication)
    made = await provider_requests.ask(
        deps.db, require_principal(), own_account(), deps.personal_ids, given.personal_id_number
    )
    return respond.ok(_view(made), status=201)


@caller.in_session
@operation(
    summary="See what became of one's request",
    tags=_TAGS,
    returns=RequestView,
    errors=(Code.UNAUTHORIZED, Code.NOT_FOUND),
)
async def get(request: web.Request) -> web.Response:
    """Once it is approved, one signs in again and is a provider."""
    return respond.ok(_view(await provider_requests.get(request.app[DEPS].db, own_account())))


@_moderators
@caller.in_session
@operation(
    summary="List those who ask to become providers",
    tags=_TAGS,
    query=PageQuery,
    returns=list[ListRequestsRow],
    paged=True,
    errors=_ERRORS,
)
async def list_requests(request: web.Request) -> web.Response:
    """One page of those who wait, the longest first."""
    wanted = decode.query(request, PageQuery)
    rows, total = await provider_requests.list_page(request.app[DEPS].db, wanted)
    return respond.page(rows, wanted, total)


@_moderators
@operation(
    summary="Decide who becomes a provider",
    tags=_TAGS,
    path={"id": UUID},
    body=Decision,
    status=204,
    errors=(*_ERRORS, Code.NOT_FOUND, Code.CONFLICT),
)
async def decide(request: web.Request) -> web.Response:
    """Nothing, when it is done; whoever was approved signs in again."""
    account_id = decode.path_uuid(request)
    given = await decode.body(request, Decision)
    await provider_requests.decide(request.app[DEPS].db, require_principal(), account_id, given)
    return respond.no_content()


ROUTES: Final = (
    web.post("/api/v1/users/me/provider-request", ask),
    web.get("/api/v1/users/me/provider-request", get),
    web.get("/api/v1/provider-requests", list_requests),
    web.put("/api/v1/provider-requests/{id}", decide),
)
