"""The points of an account and their ledger."""

from __future__ import annotations

from uuid import UUID

from msgspec import Struct

from lib.db import Executor
from services.user.model.points import LedgerQuery
from services.user.ports import PointEntry, Points
from services.user.service import accounts


class PointsView(Struct, frozen=True):
    """A points balance and a page of its ledger. Pass `next` as `after` to get the next page."""

    points: int
    entries: list[PointEntry]
    next: UUID | None


async def statement(
    db: Executor, points: Points, account_id: UUID, query: LedgerQuery
) -> PointsView:
    """Return the points of an account and the requested page of its ledger.

    Raises:
        AppError: NOT_FOUND if the account does not exist; the errors of `Points`, because the
            balance without its ledger would be incomplete.
    """
    await accounts.get(db, account_id)
    # One more than the limit, to find out whether there is a next page.
    found = await points.ledger(account_id, after=query.after, limit=query.limit + 1)
    # Asked second: the balance has whatever the entries show.
    balance = (await points.of_users([account_id]))[account_id]
    shown = list(found[: query.limit])
    return PointsView(balance, shown, shown[-1].id if len(found) > query.limit else None)
