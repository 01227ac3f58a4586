"""Points of users and their ledger."""

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
from services.point.store.points import ListAwardsRow

log = get_logger(__name__)

LEDGER_PAGE: Final = 500


async def points_of(db: Executor, user_id: UUID) -> int:
    """Return the user's points, or 0 for a user without points."""
    return await points.get_balance(db, user_id=user_id) or 0


async def points_of_many(db: Executor, user_ids: Collection[UUID]) -> dict[UUID, int]:
    """Return the points of the users who have ledger entries, in one query."""
    if not user_ids:
        return {}
    rows = await points.list_balances(db, user_ids=list(user_ids))
    return {row.user_id: row.balance for row in rows}


async def ledger(
    db: Executor, user_id: UUID, after_id: UUID, *, page_size: int = LEDGER_PAGE
) -> AsyncGenerator[PointEntry, None]:
    """Yield the user's entries after `after_id`, oldest first.

    The entries are read in pages, so a slow reader occupies no connection or snapshot between two
    pages.
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


async def award(
    tx: Executor,
    user_id: UUID,
    amount: int,
    *,
    reason: str,
    source: str,
    counterpart: UUID | None = None,
) -> None:
    """Award points for `source`, unless points were awarded for `source` before.

    If the limit of the balance or of the day leaves less than `amount`, the user gets only the
    rest. If nothing is left, there is no entry.

    Args:
        tx: the transaction of the event that causes the award.
        user_id: the user who gets the points.
        amount: the number of points.
        reason: the text that the user sees.
        source: the object that causes the award, such as a job.
        counterpart: the other user of the job or order. A limit applies to awards for the same two
            users.

    Raises:
        UniqueViolationError: if another process awarded points for the same source at the same
            time; repeat the call.
    """
    if amount <= 0:
        return
    await points.ensure_balance(tx, user_id=user_id)
    balance = await points.lock_balance(tx, user_id=user_id) or 0
    if await points.is_awarded(tx, source=source):
        return
    given = min(model.that_fit(amount, balance), await _allowed(tx, user_id, counterpart))
    if given < amount:
        log.warning("award_is_capped", user_id=str(user_id), source=source, lost=amount - given)
    if given <= 0:
        return
    await points.add_entry(
        tx,
        id=new_id(),
        user_id=user_id,
        amount=given,
        reason=reason,
        source=source,
        counterpart=counterpart,
    )


async def take_back(tx: Executor, sources: Collection[str], *, reason: str) -> None:
    """Deduct once the points awarded for each source, such as a job, up to the user's balance."""
    # In the order of those who award, so that two do not deadlock.
    for given in await points.list_awards(tx, sources=list(sources)):
        await _take_back(tx, given, reason)


async def _take_back(tx: Executor, given: ListAwardsRow, reason: str) -> None:
    source = given.source or ""
    balance = await points.lock_balance(tx, user_id=given.user_id) or 0
    taken, back = min(given.amount, balance), f"{source}:back"
    if taken < given.amount:
        log.warning("award_was_spent", source=source, lost=given.amount - taken)
    if taken <= 0 or await points.is_awarded(tx, source=back):
        return
    await points.add_entry(
        tx,
        id=new_id(),
        user_id=given.user_id,
        amount=-taken,
        reason=reason,
        source=back,
        counterpart=None,
    )


async def _allowed(tx: Executor, user_id: UUID, counterpart: UUID | None) -> int:
    """Return how many points the user may still earn now."""
    if counterpart is not None:
        thanked = await points.count_pair_since(
            tx, user_id=user_id, counterpart=counterpart, seconds=model.PAIR_SECONDS
        )
        if thanked >= model.PER_PAIR:
            return 0
    today = await points.awarded_since(tx, user_id=user_id, seconds=model.DAY_SECONDS)
    return max(0, min(model.PER_AWARD, model.PER_DAY - today))
