"""Changes of stock, each with a ledger entry that states the reason."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from msgspec.structs import replace

from lib.db import Executor
from lib.ids import new_id
from services.product.store import stock
from services.product.store.postgres.models import Product, StockMovementReason
from services.product.store.postgres.stock import AddMovementsParams


async def move(
    tx: Executor,
    locked: Sequence[Product],
    deltas: Sequence[int],
    reason: StockMovementReason,
    *,
    reservation_id: UUID,
    actor: str,
) -> Sequence[Product]:
    """Add `deltas` to the stocks of products that `tx` has locked. Return the products.

    The caller has checked that the stock is sufficient, and a constraint of the schema checks it
    again.
    """
    moved = [
        replace(product, stock=product.stock + delta, version=product.version + 1)
        for product, delta in zip(locked, deltas, strict=True)
    ]
    changes = zip(moved, deltas, strict=True)
    await record(tx, changes, reason, reservation_id=reservation_id, actor=actor)
    await stock(tx).move_stocks(ids=[product.id for product in moved])
    return moved


async def record(
    tx: Executor,
    changes: Iterable[tuple[Product, int]],
    reason: StockMovementReason,
    *,
    actor: str,
    reservation_id: UUID | None = None,
) -> None:
    """Record stock changes and their reason. A change is a product in its new state and a delta."""
    await stock(tx).add_movements(
        [
            AddMovementsParams(
                id=new_id(),
                product_id=product.id,
                product_version=product.version,
                delta=delta,
                stock_after=product.stock,
                reason=reason,
                reservation_id=reservation_id,
                actor=actor,
            )
            for product, delta in changes
        ]
    )
