"""The HTTP edge: one room for goods, one for jobs."""

from __future__ import annotations

from typing import Final

from services.order.routes import goods, jobs

ROUTES: Final = (*goods.ROUTES, *jobs.ROUTES)
