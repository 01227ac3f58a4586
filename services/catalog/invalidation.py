"""Handle events that invalidate cached responses or end the services that a provider offers."""

from __future__ import annotations

from collections.abc import Mapping

from lib.cache import Cache
from lib.db import Executor
from lib.events import Event, Handler
from services.catalog.model import tags
from services.catalog.service.event_handlers import HANDLERS as USER_HANDLERS
from services.catalog.service.events import TOPIC, ProviderServiceEvent
from services.catalog.service.levels import LEVELS


def handlers(cache: Cache) -> Mapping[str, Mapping[str, Handler]]:
    """Return the event handlers by topic and by event type.

    If Redis is unavailable, the event is handled again later. The handlers of user events publish
    catalog events, which then invalidate the cache.
    """

    def entry_changed(level: str) -> Handler:
        async def handle(_: Executor, event: Event) -> None:
            await cache.forget(tags.of_change(level, event.key))

        return handle

    async def offer_changed(_: Executor, event: Event) -> None:
        offer = event.decode(ProviderServiceEvent)
        await cache.forget(tags.of_offer(offer.provider_id, offer.service_id))

    found: dict[str, Handler] = {
        "provider_service.added": offer_changed,
        "provider_service.removed": offer_changed,
    }
    for level in LEVELS:
        for what in ("created", "changed", "removed"):
            found[f"{level.tag}.{what}"] = entry_changed(level.tag)
    return {TOPIC: found, **USER_HANDLERS}
