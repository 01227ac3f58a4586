"""The HTTP edge, one module per group of routes."""

from __future__ import annotations

from typing import Final

from services.catalog.routes import levels, providers

ROUTES: Final = (*levels.route, *providers.route)
