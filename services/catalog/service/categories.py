"""Categories: each belongs to a type."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from lib.db import Executor
from services.catalog.model.entries import CategoryChange, NewCategory
from services.catalog.model.lists import ListCategories
from services.catalog.service.level import Level
from services.catalog.store import categories as store
from services.catalog.store.models import Category


class Categories(Level[Category, NewCategory, CategoryChange, ListCategories]):
    """The rules of a level, on the queries of this one."""

    noun = "category"
    parent_noun = "category type"

    async def find(self, db: Executor, entry_id: UUID) -> Category | None:
        """Return an entry."""
        return await store.get_category(db, id=entry_id)

    async def lock(self, tx: Executor, entry_id: UUID) -> Category | None:
        """Return an entry that nobody else can change before `tx` ends."""
        return await store.lock_category(tx, id=entry_id)

    async def insert(self, tx: Executor, entry_id: UUID, new: NewCategory) -> None:
        """Add a row."""
        await store.add_category(tx, id=entry_id, type_id=new.type_id, name=new.name)

    async def update(self, tx: Executor, entry_id: UUID, changes: CategoryChange) -> None:
        """Change a row."""
        await store.change_category(tx, id=entry_id, type_id=changes.type_id, name=changes.name)

    async def delete(self, tx: Executor, entry_id: UUID) -> None:
        """Delete a row."""
        await store.remove_category(tx, id=entry_id)

    async def page(
        self, db: Executor, wanted: ListCategories, search: str | None
    ) -> Sequence[Category]:
        """Return one page of a list; `search` is a LIKE pattern."""
        return await store.list_categories(
            db,
            type_id=wanted.type_id,
            search=search,
            sort=wanted.sql_sort,
            page_size=wanted.page_size,
            skip=wanted.offset,
        )

    async def count(self, db: Executor, wanted: ListCategories, search: str | None) -> int:
        """Return how many there are on all pages."""
        return await store.count_categories(db, type_id=wanted.type_id, search=search)


CATEGORIES = Categories()
