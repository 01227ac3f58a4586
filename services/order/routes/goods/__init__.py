"""The HTTP edge, one module per group of routes."""

from __future__ import annotations

from typing import Final

from aiohttp import web

ROUTES: Final[tuple[web.RouteDef, ...]] = ()
