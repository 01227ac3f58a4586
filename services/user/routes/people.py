"""The staff list and its people."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from aiohttp import web

from lib.auth import require
from lib.errors import Code
from lib.http import decode, respond
from lib.http.middleware.auth import guarded
from lib.http.openapi import operation
from lib.http.pagination import page_meta
from services.user.model.people import StaffQuery
from services.user.routes.deps import DEPS
from services.user.service import people as service
from services.user.store.models import Staff
from services.user.views import UserList

_TAGS: Final = ("users",)


@guarded(require("users:read"))
@operation(
    summary="List people with points and statistics",
    tags=_TAGS,
    query=StaffQuery,
    returns=UserList,
    paged=True,
)
async def list_users(request: web.Request) -> web.Response:
    """Answer one page; `meta.degraded` names `point` where points are missing."""
    query = decode.query(request, StaffQuery)
    deps = request.app[DEPS]
    page = await service.list_users(deps.db, deps.points, query)
    return respond.page(page.data, page_meta(query, page.total, degraded=page.degraded))


@guarded(require("users:read"))
@operation(
    summary="Get one person",
    tags=_TAGS,
    returns=Staff,
    path={"id": UUID},
    headers=("If-None-Match",),
    errors=(Code.NOT_FOUND,),
)
async def get_user(request: web.Request) -> web.Response:
    """Answer one person with the `ETag` of their version."""
    person = await service.get_user(request.app[DEPS].db, decode.path_uuid(request))
    return respond.item(request, person, version=person.version)


ROUTES: Final = (
    web.get("/api/v1/users", list_users),
    web.get("/api/v1/users/{id}", get_user),
)
