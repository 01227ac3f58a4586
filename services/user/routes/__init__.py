"""The HTTP edge, one module per group of routes."""

from __future__ import annotations

from typing import Final

from services.user.routes import people
from services.user.routes.deps import DEPS, Deps

ROUTES: Final = (*people.ROUTES,)

__all__ = ["DEPS", "ROUTES", "Deps"]
