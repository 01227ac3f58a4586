"""Who offers which service: taken up and given up, as often as one likes, with one effect."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from lib.db import Database, Executor
from lib.resource.lists import PageQuery, page_of
from lib.resource.rules import change_errors, or_not_found
from services.catalog.service.events import ProviderServiceEvent, tell
from services.catalog.service.levels import SERVICES
from services.catalog.service.levels import get as get_entry
from services.catalog.store import provider_services as store
from services.catalog.store.models import ProviderService, Service

_NOUN = "provider service"


async def get(db: Executor, provider_id: UUID, service_id: UUID) -> Service:
    """Return a service where the provider offers it, or raise NOT_FOUND."""
    found = await store.get_service_of_provider(db, provider_id=provider_id, service_id=service_id)
    return or_not_found(found, _NOUN)


async def services_of(
    db: Executor, provider_id: UUID, wanted: PageQuery
) -> tuple[Sequence[Service], int]:
    """Return what a provider offers, by name; somebody who offers nothing has an empty list."""
    return await page_of(
        wanted,
        store.list_services_of_provider,
        store.count_services_of_provider,
        db,
        provider_id=provider_id,
    )


async def providers_of(
    db: Executor, service_id: UUID, wanted: PageQuery
) -> tuple[Sequence[ProviderService], int]:
    """Return who offers a service, by id; NOT_FOUND where there is no such service."""
    await get_entry(SERVICES, db, service_id)
    return await page_of(
        wanted,
        store.list_providers_of_service,
        store.count_providers_of_service,
        db,
        service_id=service_id,
    )


async def add(db: Database, provider_id: UUID, service_id: UUID) -> tuple[Service, bool]:
    """Let a provider offer a service; return it, and whether that is new.

    Whether there is such a provider is for the user service to know: a caller's token says so.

    Raises:
        AppError: NOT_FOUND where there is no such service.
    """
    with change_errors(parent=SERVICES.noun):
        async with db.transaction() as tx:
            added = await store.add_provider_service(
                tx, provider_id=provider_id, service_id=service_id
            )
            if added:
                payload = ProviderServiceEvent(provider_id, service_id)
                await tell(tx, "provider_service.added", provider_id, payload)
            return await get_entry(SERVICES, tx, service_id), added > 0


async def remove(db: Database, provider_id: UUID, service_id: UUID) -> None:
    """Let a provider no longer offer a service; NOT_FOUND where they do not."""
    async with db.transaction() as tx:
        removed = await store.remove_provider_service(
            tx, provider_id=provider_id, service_id=service_id
        )
        or_not_found(removed or None, _NOUN)
        payload = ProviderServiceEvent(provider_id, service_id)
        await tell(tx, "provider_service.removed", provider_id, payload)


async def remove_all(tx: Executor, provider_id: UUID, *, until: datetime) -> None:
    """Let a provider offer nothing of what they took up before that moment."""
    for service_id in await store.remove_services_of_provider(
        tx, provider_id=provider_id, until=until
    ):
        payload = ProviderServiceEvent(provider_id, service_id)
        await tell(tx, "provider_service.removed", provider_id, payload)
