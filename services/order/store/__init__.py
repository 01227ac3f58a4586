"""The queries of both rooms, generated from `sql/order/`."""

from __future__ import annotations

from typing import Final

from services.order.store import goods, jobs

QUERY_NAMES: Final = {**goods.QUERY_NAMES, **jobs.QUERY_NAMES}
