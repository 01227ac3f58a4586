"""Points of an account: for their owner and for who may read accounts."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from lib.errors import Code
from lib.http import decode, respond
from lib.http.openapi import operation
from services.user.model.points import LedgerQuery
from services.user.routes import caller
from services.user.routes.deps import DEPS
from services.user.service import access
from services.user.service import points as service


@operation(
    summary="Get one's own points, or somebody's, with their ledger",
    tags=("users",),
    path={"id": caller.WHO},
    query=LedgerQuery,
    returns=service.PointsView,
    errors=(
        Code.UNAUTHORIZED,
        Code.FORBIDDEN,
        Code.NOT_FOUND,
        Code.CIRCUIT_OPEN,
        Code.SERVICE_UNAVAILABLE,
        Code.DEADLINE_EXCEEDED,
    ),
)
async def get_points(request: web.Request) -> web.Response:
    """Answer the balance and a part of the ledger, oldest entry first; both or an error."""
    principal, account_id = caller.seen(request)
    access.check_may_see_points(principal, account_id)
    query, deps = decode.query(request, LedgerQuery), request.app[DEPS]
    return respond.ok(await service.statement(deps.db, deps.points, account_id, query))


ROUTES: Final = (web.get("/api/v1/users/{id}/points", get_points),)
