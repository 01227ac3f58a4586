"""Services: what customers order; each belongs to a subcategory."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from lib.db import Executor
from services.catalog.model.entries import NewService, ServiceChange
from services.catalog.model.lists import ListServices
from services.catalog.service.level import Level
from services.catalog.store import services as store
from services.catalog.store.models import Service


class Services(Level[Service, NewService, ServiceChange, ListServices]):
    """The rules of a level, on the queries of this one."""

    noun = "service"
    parent_noun = "subcategory"

    async def find(self, db: Executor, entry_id: UUID) -> Service | None:
        """Return an entry."""
        return await store.get_service(db, id=entry_id)

    async def lock(self, tx: Executor, entry_id: UUID) -> Service | None:
        """Return an entry that nobody else can change before `tx` ends."""
        return await store.lock_service(tx, id=entry_id)

    async def insert(self, tx: Executor, entry_id: UUID, new: NewService) -> None:
        """Add a row."""
        await store.add_service(
            tx,
            id=entry_id,
            subcategory_id=new.subcategory_id,
            name=new.name,
            description=new.description,
        )

    async def update(self, tx: Executor, entry_id: UUID, changes: ServiceChange) -> None:
        """Change a row."""
        await store.change_service(
            tx,
            id=entry_id,
            subcategory_id=changes.subcategory_id,
            name=changes.name,
            description=changes.description,
        )

    async def delete(self, tx: Executor, entry_id: UUID) -> None:
        """Delete a row."""
        await store.remove_service(tx, id=entry_id)

    async def page(
        self, db: Executor, wanted: ListServices, search: str | None
    ) -> Sequence[Service]:
        """Return one page of a list; `search` is a LIKE pattern."""
        return await store.list_services(
            db,
            subcategory_id=wanted.subcategory_id,
            search=search,
            sort=wanted.sql_sort,
            page_size=wanted.page_size,
            skip=wanted.offset,
        )

    async def count(self, db: Executor, wanted: ListServices, search: str | None) -> int:
        """Return how many there are on all pages."""
        return await store.count_services(db, subcategory_id=wanted.subcategory_id, search=search)


SERVICES = Services()
