"""Dependencies of the handlers of goods, opened once by the application."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from services.order.goods.service.shop import Shop

SHOP: Final = web.AppKey("SHOP", Shop)
