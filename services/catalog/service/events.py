"""Events about changes of the catalog, published in the transaction of the change."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from msgspec import Struct

from lib.db import Executor
from lib.events import Topic, publish_change
from services.catalog.store.models import Category, CategoryType, Service, Subcategory


class Removed(Struct, frozen=True):
    """The payload of events such as `category.removed`.

    The payload of events such as `category.created` and `category.changed` is the whole entry.

    A consumer that keeps copies uses the entry with the highest version. The version of a removal
    is higher than all others.
    """

    id: UUID
    version: int


class ProviderServiceEvent(Struct, frozen=True):
    """The payload of `provider_service.added` and `.removed`."""

    provider_id: UUID
    service_id: UUID


_ROWS: Final = {
    "category_type": CategoryType,
    "category": Category,
    "subcategory": Subcategory,
    "service": Service,
}
TOPIC: Final = Topic(
    "catalog",
    {
        **{
            f"{level}.{what}": Removed if what == "removed" else row
            for level, row in _ROWS.items()
            for what in ("created", "changed", "removed")
        },
        "provider_service.added": ProviderServiceEvent,
        "provider_service.removed": ProviderServiceEvent,
    },
)


async def publish_event(tx: Executor, kind: str, key: UUID, changed: object) -> None:
    """Publish an event such as `category.changed` about an entry or a provider."""
    await publish_change(tx, topic=TOPIC, key=key, kind=kind, changed=changed)
