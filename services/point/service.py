"""Points of users, and the ledger behind them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection
from typing import Final
from uuid import UUID

from lib.db import Executor
from services.point.store import points
from services.point.store.models import PointEntry

LEDGER_PAGE: Final = 500


async def points_of(db: Executor, user_id: UUID) -> int:
    """Return the user's points; 0 for somebody who never had any."""
    return await points.get_balance(db, user_id=user_id) or 0


async def points_of_many(db: Executor, user_ids: Collection[UUID]) -> dict[UUID, int]:
    """Return the points of those who ever had any, in one query."""
    if not user_ids:
        return {}
    rows = await points.list_balances(db, user_ids=list(user_ids))
    return {row.user_id: row.balance for row in rows}


async def ledger(
    db: Executor, user_id: UUID, after_id: UUID, *, page_size: int = LEDGER_PAGE
) -> AsyncGenerator[PointEntry, None]:
    """Yield the user's entries behind `after_id`, oldest first.

    Read in pages: a slow reader holds neither a connection nor a snapshot in between.
    """
    while True:
        page = await points.list_entries_after(
            db, user_id=user_id, after_id=after_id, page_size=page_size
        )
        for entry in page:
            yield entry
        if len(page) < page_size:
            return
        after_id = page[-1].id
