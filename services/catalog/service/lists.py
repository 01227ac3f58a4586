"""Pages of the catalogue's lists, with the number of what is on all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from lib.db import Executor
from lib.db.like import contains
from lib.http.pagination import PageQuery
from lib.limits.searches import searching
from services.catalog.service.level import Level, Q, R
from services.catalog.service.services import SERVICES
from services.catalog.store import provider_services as store
from services.catalog.store.models import ProviderService, Service


async def list_page(
    db: Executor, level: Level[R, Any, Any, Q], wanted: Q
) -> tuple[Sequence[R], int]:
    """Return one page of a level, in the order asked for."""
    search = contains(wanted.search)
    async with searching(search):
        rows = await level.page(db, wanted, search)
        total = wanted.total_if_last(len(rows))
        return rows, await level.count(db, wanted, search) if total is None else total


async def list_below(
    db: Executor,
    parent: Level[Any, Any, Any, Any],
    parent_id: UUID,
    level: Level[R, Any, Any, Q],
    wanted: Q,
) -> tuple[Sequence[R], int]:
    """Return one page of what belongs to `parent_id`, or raise NOT_FOUND where it is not there."""
    await parent.get(db, parent_id)
    return await list_page(db, level, wanted)


async def services_of(
    db: Executor, provider_id: UUID, wanted: PageQuery
) -> tuple[Sequence[Service], int]:
    """Return what a provider offers, by name; somebody who offers nothing has an empty list."""
    rows = await store.list_services_of_provider(
        db, provider_id=provider_id, page_size=wanted.page_size, skip=wanted.offset
    )
    total = wanted.total_if_last(len(rows))
    if total is None:
        total = await store.count_services_of_provider(db, provider_id=provider_id)
    return rows, total


async def providers_of(
    db: Executor, service_id: UUID, wanted: PageQuery
) -> tuple[Sequence[ProviderService], int]:
    """Return who offers a service, by id; NOT_FOUND where there is no such service."""
    await SERVICES.get(db, service_id)
    rows = await store.list_providers_of_service(
        db, service_id=service_id, page_size=wanted.page_size, skip=wanted.offset
    )
    total = wanted.total_if_last(len(rows))
    if total is None:
        total = await store.count_providers_of_service(db, service_id=service_id)
    return rows, total
