"""The HTTP edge, one module per group of routes."""

from __future__ import annotations

from typing import Final

from services.product.routes import products, reservations

ROUTES: Final = (*products.route, *reservations.route)
