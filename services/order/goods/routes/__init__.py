"""HTTP routes, one module per kind of resource."""

from __future__ import annotations

from typing import Final

from services.order.goods.routes import orders

ROUTES: Final = tuple(orders.route)
