"""The HTTP edge, one module per group of routes."""

from __future__ import annotations

from typing import Final

from services.order.goods.routes import orders

ROUTES: Final = tuple(orders.route)
