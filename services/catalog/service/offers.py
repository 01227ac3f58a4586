"""Who offers which service: taken up and given up, as often as one likes, with one effect."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from lib.db import Database, Executor
from lib.db.errors import ForeignKeyViolationError
from lib.errors import AppError, not_found
from services.catalog.service.events import ProviderServiceEvent, tell
from services.catalog.service.services import SERVICES
from services.catalog.store import provider_services as store
from services.catalog.store.models import Service


async def get(db: Executor, provider_id: UUID, service_id: UUID) -> Service:
    """Return a service where the provider offers it, or raise NOT_FOUND."""
    found = await store.get_service_of_provider(db, provider_id=provider_id, service_id=service_id)
    if found is None:
        raise _not_offered()
    return found


async def add(db: Database, provider_id: UUID, service_id: UUID) -> tuple[Service, bool]:
    """Let a provider offer a service; return it, and whether that is new.

    Whether there is such a provider is for the user service to know: a caller's token says so.

    Raises:
        AppError: NOT_FOUND where there is no such service.
    """
    try:
        async with db.transaction() as tx:
            added = await store.add_provider_service(
                tx, provider_id=provider_id, service_id=service_id
            )
            if added:
                payload = ProviderServiceEvent(provider_id, service_id)
                await tell(tx, "provider_service.added", provider_id, payload)
            return await SERVICES.get(tx, service_id), added > 0
    except ForeignKeyViolationError as error:
        raise not_found(SERVICES.noun) from error


async def remove(db: Database, provider_id: UUID, service_id: UUID) -> None:
    """Let a provider no longer offer a service; NOT_FOUND where they do not."""
    async with db.transaction() as tx:
        removed = await store.remove_provider_service(
            tx, provider_id=provider_id, service_id=service_id
        )
        if not removed:
            raise _not_offered()
        payload = ProviderServiceEvent(provider_id, service_id)
        await tell(tx, "provider_service.removed", provider_id, payload)


async def remove_all(tx: Executor, provider_id: UUID, *, until: datetime) -> None:
    """Let a provider offer nothing of what they took up before that moment."""
    for service_id in await store.remove_services_of_provider(
        tx, provider_id=provider_id, until=until
    ):
        payload = ProviderServiceEvent(provider_id, service_id)
        await tell(tx, "provider_service.removed", provider_id, payload)


def _not_offered() -> AppError:
    return not_found("provider service")
