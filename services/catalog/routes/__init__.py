"""HTTP routes, one module per kind of resource."""

from __future__ import annotations

from typing import Final

from services.catalog.routes import levels, providers

ROUTES: Final = (*levels.route, *providers.route)
