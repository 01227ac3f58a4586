"""The dependencies that the handlers of goods orders use; the application opens them once."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from services.order.goods.service.shop import Shop

SHOP: Final = web.AppKey("SHOP", Shop)
