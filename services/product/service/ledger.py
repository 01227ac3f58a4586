"""Changes of stock, each with a ledger entry that states the reason."""

from __future__ import annotations

from uuid import UUID

from msgspec.structs import replace

from lib.db import Executor
from lib.ids import new_id
from services.product.store import stock
from services.product.store.postgres.models import Product, StockMovementReason


async def move(
    tx: Executor,
    product: Product,
    delta: int,
    reason: StockMovementReason,
    *,
    reservation_id: UUID,
    actor: str,
) -> Product:
    """Add `delta` to the stock of a product that `tx` has locked. Return the product.

    The caller has seen that there is enough; the schema does not take its word for it.
    """
    await stock(tx).move_stock(id=product.id, delta=delta)
    moved = replace(product, stock=product.stock + delta, version=product.version + 1)
    await record(tx, moved, delta, reason, reservation_id=reservation_id, actor=actor)
    return moved


async def record(
    tx: Executor,
    product: Product,
    delta: int,
    reason: StockMovementReason,
    *,
    actor: str,
    reservation_id: UUID | None = None,
) -> None:
    """Record the reason for a change of the stock of `product`."""
    await stock(tx).add_movement(
        id=new_id(),
        product_id=product.id,
        product_version=product.version,
        delta=delta,
        stock_after=product.stock,
        reason=reason,
        reservation_id=reservation_id,
        actor=actor,
    )
