"""The events that tell others what has changed in the catalogue, published with the change."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from msgspec import Struct

from lib.db import Executor
from lib.events import publish_change

TOPIC: Final = "catalog"


class Removed(Struct, frozen=True):
    """The payload of `….removed`; `….created` and `….changed` carry the whole entry.

    Whoever keeps copies takes the one with the highest version: this one's is above all others.
    """

    id: UUID
    version: int


class ProviderServiceEvent(Struct, frozen=True):
    """The payload of `provider_service.added` and `.removed`."""

    provider_id: UUID
    service_id: UUID


async def tell(tx: Executor, kind: str, key: UUID, changed: object) -> None:
    """Publish `kind`, such as `category.changed`, about the entry or provider `key`, a Struct."""
    await publish_change(tx, topic=TOPIC, key=key, kind=kind, changed=changed)
