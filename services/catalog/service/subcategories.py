"""Subcategories: each belongs to a category."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from lib.db import Executor
from services.catalog.model.entries import NewSubcategory, SubcategoryChange
from services.catalog.model.lists import ListSubcategories
from services.catalog.service.level import Level
from services.catalog.store import subcategories as store
from services.catalog.store.models import Subcategory


class Subcategories(Level[Subcategory, NewSubcategory, SubcategoryChange, ListSubcategories]):
    """The rules of a level, on the queries of this one."""

    noun = "subcategory"
    parent_noun = "category"
    reads = ("category",)  # which type a subcategory is of is said by its category

    async def find(self, db: Executor, entry_id: UUID) -> Subcategory | None:
        """Return an entry."""
        return await store.get_subcategory(db, id=entry_id)

    async def lock(self, tx: Executor, entry_id: UUID) -> Subcategory | None:
        """Return an entry that nobody else can change before `tx` ends."""
        return await store.lock_subcategory(tx, id=entry_id)

    async def insert(self, tx: Executor, entry_id: UUID, new: NewSubcategory) -> None:
        """Add a row."""
        await store.add_subcategory(tx, id=entry_id, category_id=new.category_id, name=new.name)

    async def update(self, tx: Executor, entry_id: UUID, changes: SubcategoryChange) -> None:
        """Change a row."""
        await store.change_subcategory(
            tx, id=entry_id, category_id=changes.category_id, name=changes.name
        )

    async def delete(self, tx: Executor, entry_id: UUID) -> None:
        """Delete a row."""
        await store.remove_subcategory(tx, id=entry_id)

    async def page(
        self, db: Executor, wanted: ListSubcategories, search: str | None
    ) -> Sequence[Subcategory]:
        """Return one page of a list; `search` is a LIKE pattern."""
        return await store.list_subcategories(
            db,
            category_id=wanted.category_id,
            type_id=wanted.type_id,
            search=search,
            sort=wanted.sql_sort,
            page_size=wanted.page_size,
            skip=wanted.offset,
        )

    async def count(self, db: Executor, wanted: ListSubcategories, search: str | None) -> int:
        """Return how many there are on all pages."""
        return await store.count_subcategories(
            db, category_id=wanted.category_id, type_id=wanted.type_id, search=search
        )


SUBCATEGORIES = Subcategories()
