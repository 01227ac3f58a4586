"""Routes of the list of users and of single accounts."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from aiohttp import web

from lib.auth import Principal, require
from lib.auth.access import When
from lib.auth.guards import forbidden, lacking, require_one
from lib.auth.principal import known_principal
from lib.clock import utc_now
from lib.errors import Code
from lib.http import respond
from lib.http.middleware.idempotency import HEADER
from lib.http.respond import Answer, Created, Done, Item, Paged
from lib.http.routes import CHANGE_ERRORS, PUBLIC, Id, IfMatch, Routes, signed_in
from services.user.model.people import EMPLOYMENT_KEYS, Kind, NewPerson, PeopleQuery, PersonChange
from services.user.personal_ids import preview
from services.user.routes.caller import (
    OTHERS,
    Caller,
    Changed,
    InSession,
    JustSignedIn,
    Managed,
    Seen,
    SeenOwn,
)
from services.user.routes.deps import AppDeps, AppRules, Deps
from services.user.service import access, accounts, deletion, export, pictures, standing
from services.user.service import people as service
from services.user.store.models import AccountRole, AccountStatus
from services.user.store.profiles import GetPersonRow
from services.user.views import Person, Profile, UserList, person_view, profile_view

route: Final = Routes("users")


@route(
    "GET /api/v1/users",
    "List users with points and statistics",
    access=signed_in(verified=True, services=True),
)
async def list_users(deps: AppDeps, caller: InSession, query: PeopleQuery) -> Paged[UserList]:
    """Return one page of users. `meta.degraded` names `point` if points are missing."""
    salaries = _check_may_list(caller, query)
    page = await service.list_users(deps.db, deps.points, query, salaries=salaries)
    return respond.paged(query, page.data, page.total, degraded=page.degraded)


@route(
    "POST /api/v1/users",
    "Create an account",
    Code.CONFLICT,
    Code.IDEMPOTENCY_KEY_REUSED,
    access=signed_in(require(access.WRITE), fresh=When("the new account is not for a customer")),
    headers=(HEADER,),
)
async def add_user(deps: AppDeps, new: NewPerson, caller: Caller) -> Created[Person]:
    """Create an account. The owner gets an email with a link to choose a password."""
    account_id = await accounts.add(deps.db, caller, new)
    row = await accounts.get(deps.db, account_id)
    body = person_view(row, None, preview=None, salary=access.may_see_salaries(caller))
    return respond.created(body, f"users/{account_id}")


@route(
    "GET /api/v1/users/me/export",
    "Export my data",
    Code.NOT_FOUND,
    access=signed_in(fresh=True),
)
async def export_user(
    deps: AppDeps, _: JustSignedIn, who: SeenOwn
) -> Answer[export.ExportedAccount]:
    """Return a file with all data of the account.

    The service also requests the data that other services store. `missing` names the services that
    do not respond.
    """
    _principal, account_id = who
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


@route(
    "GET /api/v1/users/{id}",
    "Get an account",
    Code.NOT_FOUND,
    access=signed_in(verified=OTHERS, services=True),
)
async def get_user(request: web.Request, deps: AppDeps, who: Seen) -> Item[Person]:
    """Return an account with its `ETag`. `me` is the caller."""
    principal, account_id = who
    if not access.is_own(principal, account_id):
        await standing.check_session(deps.db, principal)
    return await _answer(request, deps, *who)


@route(
    "PATCH /api/v1/users/{id}",
    "Update an account",
    *CHANGE_ERRORS,
    access=signed_in(fresh=When("the email address changes"), verified=OTHERS),
)
async def change_user(
    request: web.Request,
    deps: AppDeps,
    rules: AppRules,
    who: Changed,
    given: PersonChange,
    version: IfMatch,
) -> Item[Person]:
    """Update an account. A new address must be verified."""
    await accounts.change(deps.db, *who, given, version, rules.mails)
    return await _answer(request, deps, *who)


@route(
    "DELETE /api/v1/users/{id}",
    "Delete an account",
    *CHANGE_ERRORS,
    access=signed_in(fresh=True, verified=OTHERS),
)
async def delete_user(deps: AppDeps, who: Changed, version: IfMatch) -> Done:
    """Delete an account. Its email address can be used again, and no one can sign in to it."""
    await deletion.delete(deps.db, *who, version)
    return respond.no_content()


@route(
    "POST /api/v1/users/{id}/deactivate",
    "Deactivate an account",
    *CHANGE_ERRORS,
    access=signed_in(require_one(access.WRITE, access.MODERATE)),
)
async def deactivate_user(
    request: web.Request, deps: AppDeps, who: Managed, version: IfMatch
) -> Item[Person]:
    """Deactivate an account. All sessions end, and the owner cannot log in."""
    await accounts.set_status(deps.db, *who, AccountStatus.INACTIVE, version)
    return await _answer(request, deps, *who)


@route(
    "POST /api/v1/users/{id}/activate",
    "Activate an account",
    *CHANGE_ERRORS,
    access=signed_in(require_one(access.WRITE, access.MODERATE)),
)
async def activate_user(
    request: web.Request, deps: AppDeps, who: Managed, version: IfMatch
) -> Item[Person]:
    """Activate an account, so that its owner can log in again."""
    await accounts.set_status(deps.db, *who, AccountStatus.ACTIVE, version)
    return await _answer(request, deps, *who)


@route(
    "GET /api/v1/profiles/{id}",
    "Get a public profile",
    Code.NOT_FOUND,
    access=PUBLIC,
    alias="GET /api/v1/profile/{id}",
)
async def get_profile(deps: AppDeps, account_id: Id) -> Answer[Profile]:
    """Return a public profile. Only profiles of providers have contact data."""
    principal = known_principal()
    row = await accounts.get_profile(deps.db, account_id)
    known = principal is not None and (
        access.is_own(principal, account_id) or access.may_manage(principal)
    )
    picture_url = await pictures.link_to(deps.files.links, row.picture_key)
    contact = known or row.role is AccountRole.PROVIDER
    return respond.ok(profile_view(row, picture_url, contact=contact))


def _check_may_list(principal: Principal, query: PeopleQuery) -> bool:
    """Check that the caller may run `query`. Return whether the caller may see salaries."""
    if access.may_see_salaries(principal):
        return True
    # The order of a list reveals as much as the values.
    hidden = query.kind is Kind.STAFF or query.order_by in EMPLOYMENT_KEYS
    if hidden:
        raise lacking(principal, access.READ)
    if not access.may_manage(principal):
        raise lacking(principal, access.READ, access.WRITE, access.MODERATE, any_of=True)
    return False


async def _answer(
    request: web.Request, deps: Deps, principal: Principal, account_id: UUID
) -> Item[Person]:
    row = await accounts.get(deps.db, account_id)
    own = access.is_own(principal, account_id)
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
        return respond.item(request, body)
    return respond.changed(body)


def _preview(deps: Deps, row: GetPersonRow) -> str | None:
    if row.personal_id is None or row.key_id is None:
        return None
    number = export.opened(deps.personal_ids, row.personal_id, row.key_id, row.id)
    return None if number is None else preview(number)
