"""Cancel the unshipped orders of deleted accounts, and put their products back into stock.

A deleted account never returns, so its confirmed orders are cancelled as well. The confirmed orders
of a deactivated account stay, because the account may become active again; the staff decides about
them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import msgspec

from lib.db import Executor
from lib.events import Event, Handler
from services.order.goods.service import finishing
from services.order.goods.service.shop import SYSTEM
from services.order.goods.store import drafts, orders
from services.order.goods.store.models import GoodsStatus

DELETED: Final = "the account was deleted"
DEACTIVATED: Final = "the account was deactivated"
_FOR_EVER: Final = datetime(9999, 1, 1, tzinfo=UTC)


class UserGone(msgspec.Struct, frozen=True):
    """Fields used from the events of the topic `users`."""

    id: UUID


async def _cancel(
    tx: Executor, event: Event, statuses: Sequence[GoodsStatus], *, until: datetime, reason: str
) -> None:
    user_id = event.decode(UserGone).id
    await drafts.abandon_drafts_of(tx, user_id=user_id, until=until)
    left = await orders.lock_orders_of(tx, user_id=user_id, statuses=list(statuses), until=until)
    if left:  # The recovery returns the stock: at once, no request works on it.
        await finishing.cancel(tx, *left, actor=SYSTEM, reason=reason, lease_seconds=0.0)


async def _deactivated(tx: Executor, event: Event) -> None:
    # What is newer was ordered after the account was activated again.
    await _cancel(tx, event, [GoodsStatus.PENDING], until=event.created_at, reason=DEACTIVATED)


async def _deleted(tx: Executor, event: Event) -> None:
    open_ones = [GoodsStatus.PENDING, GoodsStatus.CONFIRMED]
    await _cancel(tx, event, open_ones, until=_FOR_EVER, reason=DELETED)


HANDLERS: Final[Mapping[str, Mapping[str, Handler]]] = {
    "users": {
        "user.deleted": _deleted,
        "user.erased": _deleted,
        "user.deactivated": _deactivated,
    }
}
