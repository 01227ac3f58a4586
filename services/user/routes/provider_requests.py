"""Routes of applications to become a provider."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

from msgspec import Meta, Struct

from lib.auth import Role, require, require_role
from lib.errors import Code
from lib.http import respond
from lib.http.respond import Answer, Created, Done, Page
from lib.http.routes import CHANGE_ERRORS, Id, Routes, signed_in
from lib.resource.lists import CursorPageQuery
from lib.resource.views import view
from services.user.model.account import Decision, ProviderApplication
from services.user.routes.caller import Caller, InSession, Own
from services.user.routes.deps import AppDeps
from services.user.service import access, provider_requests
from services.user.store.models import RequestStatus
from services.user.store.provider_requests import ListRequestsRow

_MODERATORS: Final = signed_in(require(access.MODERATE), verified=True)
route: Final = Routes("providers")


class RequestView(Struct, frozen=True):
    """The status of my provider application."""

    status: RequestStatus
    reason: Annotated[str, Meta(examples=["the number is known to us"])] | None
    created_at: datetime
    decided_at: datetime | None


@route(
    "POST /api/v1/users/me/provider-request",
    "Apply to become a provider",
    Code.CONFLICT,
    access=signed_in(require_role(Role.CUSTOMER)),
)
async def ask(
    deps: AppDeps, caller: InSession, given: ProviderApplication, own: Own
) -> Created[RequestView]:
    """Apply to become a provider. After a rejection the customer may apply again."""
    made = await provider_requests.ask(
        deps.db, caller, own, deps.personal_ids, given.personal_id_number
    )
    return respond.made(view(RequestView, made))


@route(
    "GET /api/v1/users/me/provider-request",
    "Get my provider application",
    Code.NOT_FOUND,
    access=signed_in(),
)
async def get(deps: AppDeps, _: InSession, own: Own) -> Answer[RequestView]:
    """Return the application. After an approval, the next sign-in grants the role."""
    return respond.ok(view(RequestView, await provider_requests.get(deps.db, own)))


@route("GET /api/v1/provider-requests", "List pending provider applications", access=_MODERATORS)
async def list_requests(
    deps: AppDeps, _: InSession, wanted: CursorPageQuery
) -> Page[ListRequestsRow]:
    """Return one page of pending applications, oldest first."""
    return respond.page(wanted, *await provider_requests.list_page(deps.db, wanted))


@route(
    "PUT /api/v1/provider-requests/{id}",
    "Approve or reject a provider application",
    *CHANGE_ERRORS,
    access=_MODERATORS,
)
async def decide(deps: AppDeps, caller: Caller, account_id: Id, given: Decision) -> Done:
    """Approve or reject an application. An approved applicant must sign in again."""
    await provider_requests.decide(deps.db, caller, account_id, given)
    return respond.no_content()
