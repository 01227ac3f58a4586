"""Points of users, and the ledger behind them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection
from typing import Final
from uuid import UUID

from lib.db import Executor
from lib.ids import new_id
from lib.log import get_logger
from services.point import model
from services.point.store import points
from services.point.store.models import PointEntry

log = get_logger(__name__)

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


async def award(tx: Executor, user_id: UUID, amount: int, *, reason: str, source: str) -> None:
    """Give the user points for `source`, once whoever asks however often.

    A balance that is full takes what fits; nothing to give makes no entry.

    Raises:
        UniqueViolationError: where somebody else awarded the same at the same time: ask again.
    """
    balance = await points.lock_balance(tx, user_id=user_id) or 0
    given = model.that_fit(amount, balance)
    if given < amount:
        log.warning("balance_is_full", user_id=str(user_id), source=source, lost=amount - given)
    if given <= 0 or await points.is_awarded(tx, source=source):
        return
    await points.add_entry(
        tx, id=new_id(), user_id=user_id, amount=given, reason=reason, source=source
    )
