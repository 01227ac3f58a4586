"""Services that providers offer. Adding a service that is already offered has no effect."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from lib.db import Database, Executor
from lib.resource.lists import CursorPageQuery, Extent, PageQuery, Walk, page_of, page_or_walk_of
from lib.resource.rules import change_errors, or_not_found
from services.catalog.service.events import ProviderServiceEvent, publish_event
from services.catalog.service.levels import SERVICES
from services.catalog.service.levels import get as get_entry
from services.catalog.store import keyset
from services.catalog.store import provider_services as store
from services.catalog.store.models import ProviderService, Service

_NOUN = "provider service"


async def get(db: Executor, provider_id: UUID, service_id: UUID) -> Service:
    """Return a service that the provider offers. Raises NOT_FOUND."""
    found = await store.get_service_of_provider(db, provider_id=provider_id, service_id=service_id)
    return or_not_found(found, _NOUN)


async def services_of(
    db: Executor, provider_id: UUID, wanted: PageQuery
) -> tuple[Sequence[Service], int]:
    """Return the services of a provider, sorted by name. The list may be empty."""
    return await page_of(
        wanted,
        store.list_services_of_provider,
        db,
        provider_id=provider_id,
    )


async def providers_of(
    db: Executor, service_id: UUID, wanted: CursorPageQuery
) -> tuple[Sequence[ProviderService], Extent]:
    """Return the providers of a service, sorted by ID. Raises NOT_FOUND for an unknown service."""
    await get_entry(SERVICES, db, service_id)
    return await page_or_walk_of(
        wanted,
        store.list_providers_of_service,
        Walk(store.walk_providers_of_service, keyset),
        db,
        service_id=service_id,
    )


async def add(db: Database, provider_id: UUID, service_id: UUID) -> tuple[Service, bool]:
    """Add a service to a provider's services. Return the service, and true if it was added now.

    This function does not check that the provider exists, because the caller's token proves it.

    Raises:
        AppError: NOT_FOUND if the service does not exist.
    """
    with change_errors(parent=SERVICES.noun):
        async with db.transaction() as tx:
            added = await store.add_provider_service(
                tx, provider_id=provider_id, service_id=service_id
            )
            if added:
                payload = ProviderServiceEvent(provider_id, service_id)
                await publish_event(tx, "provider_service.added", provider_id, payload)
            return await get_entry(SERVICES, tx, service_id), added > 0


async def remove(db: Database, provider_id: UUID, service_id: UUID) -> None:
    """Remove a service from a provider's services.

    Raises:
        AppError: NOT_FOUND if the provider does not offer the service.
    """
    async with db.transaction() as tx:
        removed = await store.remove_provider_service(
            tx, provider_id=provider_id, service_id=service_id
        )
        or_not_found(removed or None, _NOUN)
        payload = ProviderServiceEvent(provider_id, service_id)
        await publish_event(tx, "provider_service.removed", provider_id, payload)


async def remove_all(tx: Executor, provider_id: UUID, *, until: datetime) -> None:
    """Remove all services that a provider started to offer at or before `until`."""
    for service_id in await store.remove_services_of_provider(
        tx, provider_id=provider_id, until=until
    ):
        payload = ProviderServiceEvent(provider_id, service_id)
        await publish_event(tx, "provider_service.removed", provider_id, payload)
