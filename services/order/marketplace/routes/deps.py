"""Dependencies of the handlers of service orders, opened once by the application."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from services.order.ports import Catalog

CATALOG: Final[web.AppKey[Catalog]] = web.AppKey("CATALOG")
