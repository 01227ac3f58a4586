"""What has to be written for an order, by hand: two transactions on each of two databases."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from lib.ids import new_id

_RESERVATION = """
INSERT INTO reservation (id, owner, request_key, expires_at)
VALUES ($1, 'bench', $2, now() + interval '1 hour')
"""
_STOCK = """
UPDATE product SET stock = stock - 1, version = version + 1, updated_at = now()
WHERE id = $1 AND stock >= 1 RETURNING stock, version
"""
_LINE = "INSERT INTO reservation_line VALUES ($1, $2, 1, $3, 'EUR')"
_MOVEMENT = """
INSERT INTO stock_movement
    (id, product_id, product_version, delta, stock_after, reason, reservation_id, actor)
VALUES ($1, $2, $3, -1, $4, 'reserved', $5, 'bench')
"""
_DRAFT = """
INSERT INTO goods_draft
    (id, user_id, pending_validation, created_by, request_key, due_at, product_ids, quantities,
     held)
VALUES ($1, $2, false, 'bench', $3, now() + interval '1 minute', ARRAY[$4::uuid], '{1}', '{0}')
"""
_ORDER = """
INSERT INTO goods_order
    (id, user_id, pending_validation, total, currency, reservation_id, due_at, created_by,
     updated_by, request_key)
VALUES ($1, $2, false, $3, 'EUR', $4, now() + interval '1 minute', 'bench', 'bench', $5)
"""


async def place_order(orders: Any, stock: Any, user: UUID, product: UUID, price: Decimal) -> None:
    """Write a draft, reserve, write the order, confirm, note it: as the services do."""
    order, reservation, key = new_id(), new_id(), str(new_id())
    await orders.execute(_DRAFT, order, user, key, product)
    async with stock.transaction():
        await stock.execute(_RESERVATION, reservation, key)
        left, version = await stock.fetchrow(_STOCK, product)
        await stock.execute(_LINE, reservation, product, price)
        await stock.execute(_MOVEMENT, new_id(), product, version, left, reservation)
    async with orders.transaction():
        await orders.execute(_ORDER, order, user, price, reservation, key)
        await orders.execute(
            "INSERT INTO goods_order_line (order_id, position, product_id, quantity, unit_price)"
            " VALUES ($1, 0, $2, 1, $3)",
            order,
            product,
            price,
        )
        await orders.execute("DELETE FROM goods_draft WHERE id = $1", order)
    await stock.execute("UPDATE reservation SET status = 'confirmed' WHERE id = $1", reservation)
    await orders.execute(
        "UPDATE goods_order SET stock = 'sold', due_at = NULL WHERE id = $1", order
    )
