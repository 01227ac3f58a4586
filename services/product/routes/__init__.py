"""HTTP routes, one module per kind of resource."""

from __future__ import annotations

from typing import Final

from services.product.routes import products, reservations

ROUTES: Final = (*products.route, *reservations.route)
