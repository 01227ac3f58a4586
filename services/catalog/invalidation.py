"""Events turned into what the cache must forget, and into what nobody offers any more."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from socket import gethostname

from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from lib.cache import Cache
from lib.db import Database, Executor
from lib.events import Consumer, Event, Handler, Relay, housekeeping
from services.catalog.model import tags
from services.catalog.service.categories import CATEGORIES
from services.catalog.service.category_types import CATEGORY_TYPES
from services.catalog.service.departures import HANDLERS as DEPARTURES
from services.catalog.service.events import TOPIC, ProviderServiceEvent
from services.catalog.service.services import SERVICES
from services.catalog.service.subcategories import SUBCATEGORIES

_LEVELS = (CATEGORY_TYPES, CATEGORIES, SUBCATEGORIES, SERVICES)


def handlers(cache: Cache) -> dict[str, Handler]:
    """Return what to do with each kind of event. Where Redis is away, the event waits for it."""

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
    for level in _LEVELS:
        for what in ("created", "changed", "removed"):
            found[f"{level.tag}.{what}"] = entry_changed(level.tag)
    return found


@asynccontextmanager
async def invalidating(
    db: Database, redis: Redis, cache: Cache, *, port: int, registry: CollectorRegistry
) -> AsyncIterator[None]:
    """Publish the catalogue's events and keep the cache true to them while the block runs.

    Those of users are heard, too; what follows from them comes back as events of the catalogue.
    """
    heard = {TOPIC: handlers(cache), **DEPARTURES}
    consumer = Consumer(
        db,
        redis,
        group="catalog",
        # The cache is shared: one replica handles an event for all. After a restart on the same
        # host and port it resumes what it had.
        name=f"{gethostname()}-{port}",
        handlers=heard,
        registry=registry,
    )
    async with AsyncExitStack() as stack:
        for part in (
            Relay(db, redis, registry=registry).running(),
            consumer.running(),
            housekeeping(db, redis, tuple(heard)),
        ):
            await stack.enter_async_context(part)
        yield
