"""HTTP routes of goods and of the marketplace."""

from __future__ import annotations

from typing import Final

from services.order.goods.routes import ROUTES as GOODS
from services.order.marketplace.routes import ROUTES as MARKETPLACE

ROUTES: Final = (*GOODS, *MARKETPLACE)
