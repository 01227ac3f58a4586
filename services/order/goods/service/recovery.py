"""Continue orders that a crash or an unavailable service has interrupted."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from datetime import datetime, timedelta
from typing import Final

from lib.clock import Clock, utc_now
from lib.errors import AppError
from lib.log import get_logger
from services.order.goods.service import finishing, placing
from services.order.goods.service.shop import Shop
from services.order.goods.store import drafts, orders
from services.order.goods.store.models import GoodsDraft, GoodsOrder, GoodsStock
from services.order.ports import NO_ANSWER

log = get_logger(__name__)

_BATCH: Final = 20
_SOONEST: Final = 0.5  # seconds


async def recover(shop: Shop, *, clock: Clock = utc_now) -> bool:
    """Continue some interrupted orders that are due for a retry. Return whether any were due.

    Several processes can call this function at the same time. An order for which a service did not
    respond is due again after a quarter of its age, and at the latest after the lease. All orders
    continue concurrently, so that no order waits for the others until its lease ends.

    Raises:
        AppError: if the database of the service is unavailable.
    """
    left = await drafts.claim_drafts(shop.db, lease_seconds=shop.lease_seconds, batch_size=_BATCH)
    # aiosqlc_loops: each draft is resumed alone, because it waits for the answers of other services
    await _all(_resume_draft(shop, draft, clock) for draft in left)
    due = await orders.claim_orders(shop.db, lease_seconds=shop.lease_seconds, batch_size=_BATCH)
    # aiosqlc_loops: each order is resumed alone, because it waits for the answers of other services
    await _all(_resume_order(shop, order, clock) for order in due)
    return bool(left or due)


async def _all(steps: Iterable[Coroutine[None, None, None]]) -> None:
    """Wait until all steps have ended, even if one of them fails."""
    for outcome in await asyncio.gather(*steps, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome


async def _resume_draft(shop: Shop, draft: GoodsDraft, clock: Clock) -> None:
    old = draft.created_at + timedelta(seconds=shop.draft_seconds) <= clock()
    try:
        if draft.abandoned or old:
            await placing.give_up(shop, draft)
            log.info("draft_given_up", draft_id=str(draft.id))
            return
        order = await placing.proceed(shop, draft)
        log.info("draft_resumed", order_id=str(order.id))
        await finishing.confirm_stock(shop, order)
    except AppError as error:
        _note(error, draft_id=str(draft.id))
        if error.code in NO_ANSWER:
            wait = _wait(shop, draft.created_at, clock())
            await drafts.retry_draft(shop.db, id=draft.id, wait_seconds=wait)


def _wait(shop: Shop, started: datetime, now: datetime) -> float:
    """Return the delay before the next attempt: short for recent work, long for old work."""
    age = (now - started).total_seconds()
    return max(min(age / 4, shop.lease_seconds), min(_SOONEST, shop.lease_seconds))


async def _resume_order(shop: Shop, order: GoodsOrder, clock: Clock) -> None:
    try:
        if order.stock is GoodsStock.RESERVED:
            await finishing.confirm_stock(shop, order)
        if order.stock is GoodsStock.RETURNING:
            await finishing.give_back(shop, order)
        if order.pending_validation:
            await finishing.validate(shop, order)
    except AppError as error:
        _note(error, order_id=str(order.id))
        if error.code in NO_ANSWER:
            wait = _wait(shop, order.created_at, clock())
            await orders.retry_order(shop.db, id=order.id, wait_seconds=wait)


def _note(error: AppError, **what: str) -> None:
    """Log the failure.

    If a service is unavailable, the level is debug, because the step is repeated.
    """
    if error.code in NO_ANSWER:
        log.debug("recovery_waits", error=error, **what)
    else:
        log.warning("recovery_ended", error=error, **what)
