"""Types of categories: the top of the catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from lib.db import Executor
from services.catalog.model.entries import CategoryTypeChange, NewCategoryType
from services.catalog.model.lists import ListCategoryTypes
from services.catalog.service.level import Level
from services.catalog.store import category_types as store
from services.catalog.store.models import CategoryType


class CategoryTypes(Level[CategoryType, NewCategoryType, CategoryTypeChange, ListCategoryTypes]):
    """The rules of a level, on the queries of this one."""

    noun = "category type"

    async def find(self, db: Executor, entry_id: UUID) -> CategoryType | None:
        """Return an entry."""
        return await store.get_category_type(db, id=entry_id)

    async def lock(self, tx: Executor, entry_id: UUID) -> CategoryType | None:
        """Return an entry that nobody else can change before `tx` ends."""
        return await store.lock_category_type(tx, id=entry_id)

    async def insert(self, tx: Executor, entry_id: UUID, new: NewCategoryType) -> None:
        """Add a row."""
        await store.add_category_type(tx, id=entry_id, name=new.name)

    async def update(self, tx: Executor, entry_id: UUID, changes: CategoryTypeChange) -> None:
        """Change a row."""
        await store.change_category_type(tx, id=entry_id, name=changes.name)

    async def delete(self, tx: Executor, entry_id: UUID) -> None:
        """Delete a row."""
        await store.remove_category_type(tx, id=entry_id)

    async def page(
        self, db: Executor, wanted: ListCategoryTypes, search: str | None
    ) -> Sequence[CategoryType]:
        """Return one page of a list; `search` is a LIKE pattern."""
        return await store.list_category_types(
            db, search=search, sort=wanted.sql_sort, page_size=wanted.page_size, skip=wanted.offset
        )

    async def count(
        self,
        db: Executor,
        wanted: ListCategoryTypes,  # noqa: ARG002 - nothing is above this level to filter by
        search: str | None,
    ) -> int:
        """Return how many there are on all pages."""
        return await store.count_category_types(db, search=search)


CATEGORY_TYPES = CategoryTypes()
