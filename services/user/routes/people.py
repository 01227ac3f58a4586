"""The list of people, and single accounts: seen, added, changed, given a status, deleted."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from aiohttp import web

from lib.auth import Principal, current_principal, require, require_principal, require_verified
from lib.auth.guards import forbidden
from lib.clock import utc_now
from lib.errors import Code
from lib.http import decode, respond
from lib.http.etag import if_match
from lib.http.middleware.auth import guarded, public
from lib.http.openapi import operation
from services.user.model.people import Kind, NewPerson, OrderBy, PeopleQuery, PersonChange
from services.user.personal_ids import preview
from services.user.routes import caller
from services.user.routes.deps import DEPS, RULES, Deps
from services.user.service import access, accounts, export, pictures, standing
from services.user.service import people as service
from services.user.store.models import AccountRole, AccountStatus
from services.user.store.profiles import GetPersonRow
from services.user.views import Person, Profile, UserList, person_view, profile_view

_TAGS: Final = ("users",)
_ID: Final = {"id": caller.WHO}
CHANGE_ERRORS: Final = (
    Code.UNAUTHORIZED,
    Code.FORBIDDEN,
    Code.NOT_FOUND,
    Code.CONFLICT,
    Code.PRECONDITION_FAILED,
)
_writes = guarded(require(access.WRITE), require_verified)


@caller.in_session
@operation(
    summary="List people with points and statistics",
    tags=_TAGS,
    query=PeopleQuery,
    returns=UserList,
    paged=True,
    errors=(Code.UNAUTHORIZED, Code.FORBIDDEN),
)
async def list_users(request: web.Request) -> web.Response:
    """Answer one page; `meta.degraded` names `point` where points are missing."""
    query = decode.query(request, PeopleQuery)
    salaries = _check_may_list(require_principal(), query)
    deps = request.app[DEPS]
    page = await service.list_users(deps.db, deps.points, query, salaries=salaries)
    return respond.page(page.data, query, page.total, degraded=page.degraded)


@_writes
@operation(
    summary="Give somebody an account",
    tags=_TAGS,
    body=NewPerson,
    returns=Person,
    status=201,
    headers=("Idempotency-Key",),
    errors=(Code.UNAUTHORIZED, Code.FORBIDDEN, Code.CONFLICT, Code.IDEMPOTENCY_KEY_REUSED),
)
async def add_user(request: web.Request) -> web.Response:
    """Answer the new account; a mail asks its owner to choose a password."""
    new = await decode.body(request, NewPerson)
    principal = require_principal()
    account_id = await accounts.add(request.app[DEPS].db, principal, new)
    row = await accounts.get(request.app[DEPS].db, account_id)
    body = person_view(row, None, preview=None, salary=access.may_see_salaries(principal))
    return respond.created(body, location=f"users/{account_id}", version=row.version)


@operation(
    summary="Get one's own account, or somebody's",
    tags=_TAGS,
    returns=Person,
    path=_ID,
    headers=("If-None-Match",),
    errors=(Code.UNAUTHORIZED, Code.FORBIDDEN, Code.NOT_FOUND),
)
async def get_user(request: web.Request) -> web.Response:
    """Answer one person with the `ETag` of their version; `me` is the caller."""
    principal, account_id = caller.seen(request)
    if not access.is_own(principal, account_id):
        await standing.check_session(request.app[DEPS].db, principal)
    return await _answer(request, principal, account_id)


@operation(
    summary="Change one's own account, or somebody's",
    tags=_TAGS,
    body=PersonChange,
    returns=Person,
    path=_ID,
    headers=("If-Match",),
    errors=(*CHANGE_ERRORS, Code.RATE_LIMIT_EXCEEDED),
)
async def change_user(request: web.Request) -> web.Response:
    """Answer the account after a partial change; a new address has to be verified."""
    principal, account_id = caller.changed(request)
    given = await decode.body(request, PersonChange)
    limits = request.app[RULES].mails
    await accounts.change(
        request.app[DEPS].db, principal, account_id, given, if_match(request), limits
    )
    return await _answer(request, principal, account_id)


@operation(
    summary="Delete one's own account, or somebody's",
    tags=_TAGS,
    path=_ID,
    headers=("If-Match",),
    status=204,
    errors=CHANGE_ERRORS,
)
async def delete_user(request: web.Request) -> web.Response:
    """Nothing, when nobody can use the account any more; its address is free then."""
    principal, account_id = caller.changed(request)
    await accounts.delete(request.app[DEPS].db, principal, account_id, if_match(request))
    return respond.no_content()


@operation(
    summary="Deactivate an account",
    tags=_TAGS,
    returns=Person,
    path=_ID,
    headers=("If-Match",),
    errors=CHANGE_ERRORS,
)
async def deactivate_user(request: web.Request) -> web.Response:
    """Answer the account; its sessions have ended and nobody can log in to it."""
    return await _set_status(request, AccountStatus.INACTIVE)


@operation(
    summary="Activate an account",
    tags=_TAGS,
    returns=Person,
    path=_ID,
    headers=("If-Match",),
    errors=CHANGE_ERRORS,
)
async def activate_user(request: web.Request) -> web.Response:
    """Answer the account, which can be used again."""
    return await _set_status(request, AccountStatus.ACTIVE)


@public
@operation(
    summary="Get somebody's public profile",
    tags=_TAGS,
    returns=Profile,
    path={"id": UUID},
    errors=(Code.NOT_FOUND,),
)
async def get_profile(request: web.Request) -> web.Response:
    """Answer what everybody may see; how to reach them where they offer services."""
    deps, principal = request.app[DEPS], current_principal()
    account_id = decode.path_uuid(request)
    row = await accounts.get_profile(deps.db, account_id)
    known = principal is not None and (
        access.is_own(principal, account_id) or access.may_manage(principal)
    )
    picture_url = await pictures.link_to(deps.files.links, row.picture_key)
    contact = known or row.role is AccountRole.PROVIDER
    return respond.ok(profile_view(row, picture_url, contact=contact))


@caller.in_session
@operation(
    summary="Take away everything that is kept about oneself",
    tags=_TAGS,
    returns=export.ExportedAccount,
    errors=(Code.UNAUTHORIZED, Code.FORBIDDEN, Code.NOT_FOUND),
)
async def export_user(request: web.Request) -> web.Response:
    """Answer a file with the account, its sessions, mails and what was done; and what others keep.

    Those are asked for orders, jobs, reviews, chats and points. Who is away is named in `missing`.
    """
    deps = request.app[DEPS]
    _, account_id = caller.seen(request)
    row = await accounts.get(deps.db, account_id)
    exported = await export.export(
        deps.db,
        deps.personal_ids,
        deps.others,
        account_id,
        picture_url=await pictures.link_to(deps.files.links, row.picture_key),
        now=utc_now(),
    )
    headers = {
        "Content-Disposition": 'attachment; filename="account.json"',
        "Cache-Control": "no-store",
    }
    return respond.ok(exported, headers=headers)


def _check_may_list(principal: Principal, query: PeopleQuery) -> bool:
    """Let through who may list these people; return whether they may see salaries."""
    if access.may_see_salaries(principal):
        return True
    # An order tells as much as the figures.
    hidden = query.kind is Kind.STAFF or query.order_by in (OrderBy.AGE, OrderBy.SALARY)
    if hidden or not access.may_manage(principal):
        raise forbidden()
    return False


async def _set_status(request: web.Request, status: AccountStatus) -> web.Response:
    principal, account_id = caller.changed(request)
    if not access.may_manage(principal):
        raise forbidden()
    db = request.app[DEPS].db
    await accounts.set_status(db, principal, account_id, status, if_match(request))
    return await _answer(request, principal, account_id)


async def _answer(request: web.Request, principal: Principal, account_id: UUID) -> web.Response:
    deps = request.app[DEPS]
    row = await accounts.get(deps.db, account_id)
    own = access.is_own(principal, row.id)
    if own and row.status is not AccountStatus.ACTIVE:
        raise forbidden("the account is not active")
    body = person_view(
        row,
        await pictures.link_to(deps.files.links, row.picture_key),
        preview=_preview(deps, row) if own or access.may_manage(principal) else None,
        salary=own or access.may_see_salaries(principal),
    )
    # The link in it ends, so an answer with a picture is not one to keep using.
    if row.picture_key is None and request.method in ("GET", "HEAD"):
        return respond.item(request, body, version=row.version)
    return respond.changed(body, version=row.version)


def _preview(deps: Deps, row: GetPersonRow) -> str | None:
    if row.personal_id is None or row.key_id is None:
        return None
    number = export.opened(deps.personal_ids, row.personal_id, row.key_id, row.id)
    return None if number is None else preview(number)


ROUTES: Final = (
    web.get("/api/v1/users", list_users),
    web.post("/api/v1/users", add_user),
    web.get("/api/v1/users/me/export", export_user),
    web.get("/api/v1/users/{id}", get_user),
    web.patch("/api/v1/users/{id}", change_user),
    web.delete("/api/v1/users/{id}", delete_user),
    web.post("/api/v1/users/{id}/deactivate", deactivate_user),
    web.post("/api/v1/users/{id}/activate", activate_user),
    web.get("/api/v1/profiles/{id}", get_profile),
    web.get("/api/v1/profile/{id}", get_profile),
)
