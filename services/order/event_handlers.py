"""Handlers of the events of other services, for service orders and for goods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from lib.db import Executor
from lib.events import Event, Handler
from services.order.goods.service.departures import HANDLERS as GOODS
from services.order.marketplace.service.event_handlers import HANDLERS as MARKETPLACE


def _all(handlers: Sequence[Handler]) -> Handler:
    async def handle(tx: Executor, event: Event) -> None:
        for handler in handlers:
            await handler(tx, event)

    return handle


def _merged(
    *features: Mapping[str, Mapping[str, Handler]],
) -> Mapping[str, Mapping[str, Handler]]:
    found: dict[str, dict[str, list[Handler]]] = {}
    for feature in features:
        for topic, handlers in feature.items():
            for kind, handler in handlers.items():
                found.setdefault(topic, {}).setdefault(kind, []).append(handler)
    return {
        topic: {kind: _all(handlers) for kind, handlers in kinds.items()}
        for topic, kinds in found.items()
    }


HANDLERS: Final = _merged(MARKETPLACE, GOODS)
