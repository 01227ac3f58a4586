"""Points of an account, for its owner and for callers who may read accounts."""

from __future__ import annotations

from typing import Final

from lib.errors import Code
from lib.http import respond
from lib.http.respond import Answer
from lib.http.routes import Routes, signed_in
from services.user.model.points import LedgerQuery
from services.user.routes.caller import Seen
from services.user.routes.deps import AppDeps
from services.user.service import access
from services.user.service import points as service

route: Final = Routes("users")


@route(
    "GET /api/v1/users/{id}/points",
    "Get a points balance and ledger",
    Code.NOT_FOUND,
    Code.CIRCUIT_OPEN,
    access=signed_in(),
)
async def get_points(deps: AppDeps, who: Seen, query: LedgerQuery) -> Answer[service.PointsView]:
    """Return the balance and a page of the ledger, oldest entry first.

    The request fails if the balance or the ledger is unavailable.
    """
    principal, account_id = who
    access.check_may_see_points(principal, account_id)
    return respond.ok(await service.statement(deps.db, deps.points, account_id, query))
