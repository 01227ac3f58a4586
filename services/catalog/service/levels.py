"""Rules of catalog entries: names are unique, changes are published, references stay valid."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

from msgspec import Struct
from msgspec.structs import asdict

from lib.db import Database, Executor
from lib.db.like import contains
from lib.ids import new_id
from lib.resource.input import changes_nothing
from lib.resource.lists import CursorListQuery, Extent, Walk, page_of, page_or_walk_of
from lib.resource.rules import Versioned, at_version, change_errors, or_not_found
from services.catalog.model.lists import ListEntries, ListLevel
from services.catalog.service.events import Removed, publish_event
from services.catalog.store import categories, category_types, keyset, services, subcategories

R = TypeVar("R", bound=Versioned)


@dataclass(frozen=True)
class Level(Generic[R]):
    """One kind of catalog entry: its name, its queries and the kind of its parent."""

    noun: str
    find: Callable[..., Awaitable[R | None]]
    lock: Callable[..., Awaitable[R | None]]
    insert: Callable[..., Awaitable[None]]
    update: Callable[..., Awaitable[Any]]
    delete: Callable[..., Awaitable[Any]]
    list_: Callable[..., Awaitable[tuple[Sequence[R], int]]]
    parent: str | None = None
    # The tags of other levels whose rows decide what is on a list of this one.
    reads: tuple[str, ...] = ()
    # Reads the list by cursors, if it grows without a bound.
    walk: Walk | None = None

    @property
    def tag(self) -> str:
        """Return the kind's name in events and cache tags, such as `category_type`."""
        return self.noun.replace(" ", "_")


CATEGORY_TYPES: Final = Level(
    "category type",
    category_types.get_category_type,
    category_types.lock_category_type,
    category_types.add_category_type,
    category_types.change_category_type,
    category_types.remove_category_type,
    category_types.list_category_types,
)
CATEGORIES: Final = Level(
    "category",
    categories.get_category,
    categories.lock_category,
    categories.add_category,
    categories.change_category,
    categories.remove_category,
    categories.list_categories,
    parent="category type",
)
SUBCATEGORIES: Final = Level(
    "subcategory",
    subcategories.get_subcategory,
    subcategories.lock_subcategory,
    subcategories.add_subcategory,
    subcategories.change_subcategory,
    subcategories.remove_subcategory,
    subcategories.list_subcategories,
    parent="category",
    reads=("category",),  # which type a subcategory is of is said by its category
)
SERVICES: Final = Level(
    "service",
    services.get_service,
    services.lock_service,
    services.add_service,
    services.change_service,
    services.remove_service,
    services.list_services,
    parent="subcategory",
    walk=Walk(services.walk_services, keyset),
)
_NOT_FILTERS: Final = {*ListEntries.__struct_fields__, *CursorListQuery.__struct_fields__}
LEVELS: Final = (CATEGORY_TYPES, CATEGORIES, SUBCATEGORIES, SERVICES)


async def get(level: Level[R], db: Executor, entry_id: UUID) -> R:
    """Return an entry or raise NOT_FOUND."""
    return or_not_found(await level.find(db, id=entry_id), level.noun)


async def list_page(level: Level[R], db: Executor, wanted: ListLevel) -> tuple[Sequence[R], Extent]:
    """Return the page of entries that `wanted` selects by a page number or a cursor."""
    filters = {
        name: getattr(wanted, name) for name in wanted.__struct_fields__ if name not in _NOT_FILTERS
    }
    filters["search"] = contains(wanted.search)
    if level.walk is None or not isinstance(wanted, CursorListQuery):
        return await page_of(wanted, level.list_, db, sort=wanted.sql_sort, **filters)
    return await page_or_walk_of(
        wanted, level.list_, level.walk, db, sort=wanted.sql_sort, **filters
    )


async def list_below(
    parent: Level[Any], parent_id: UUID, level: Level[R], db: Executor, wanted: ListLevel
) -> tuple[Sequence[R], Extent]:
    """Return one page of the entries below `parent_id`. Raises NOT_FOUND for an unknown parent."""
    await get(parent, db, parent_id)
    return await list_page(level, db, wanted)


async def add(level: Level[R], db: Database, new: Struct) -> R:
    """Add an entry.

    Raises:
        AppError: NOT_FOUND if the parent entry does not exist; CONFLICT if the name is in use.
    """
    entry_id = new_id()
    with change_errors(taken=f"{level.noun} name is taken", parent=level.parent):
        async with db.transaction() as tx:
            await level.insert(tx, id=entry_id, **asdict(new))
            added = await get(level, tx, entry_id)
            await publish_event(tx, f"{level.tag}.created", entry_id, added)
    return added


async def change(
    level: Level[R], db: Database, entry_id: UUID, changes: Struct, *, version: int | None
) -> R:
    """Apply a partial update. If `version` is not None, it must be the current version.

    Raises:
        AppError: NOT_FOUND, also for the new parent entry; PRECONDITION_FAILED if `version` is not
            the current version; CONFLICT if the name is in use.
    """
    with change_errors(taken=f"{level.noun} name is taken", parent=level.parent):
        async with db.transaction() as tx:
            before = await _locked(level, tx, entry_id, version)
            if changes_nothing(before, changes):
                return before
            await level.update(tx, id=entry_id, **asdict(changes))
            after = await get(level, tx, entry_id)
            await publish_event(tx, f"{level.tag}.changed", entry_id, after)
    return after


async def remove(level: Level[Any], db: Database, entry_id: UUID, *, version: int | None) -> None:
    """Delete an entry. If `version` is not None, it must be the current version.

    Raises:
        AppError: NOT_FOUND; PRECONDITION_FAILED if `version` is not the current version; CONFLICT
            if the entry has children.
    """
    with change_errors(in_use=f"{level.noun} is still in use"):
        async with db.transaction() as tx:
            before = await _locked(level, tx, entry_id, version)
            await level.delete(tx, id=entry_id)
            removed = Removed(entry_id, before.version + 1)
            await publish_event(tx, f"{level.tag}.removed", entry_id, removed)


async def _locked(level: Level[R], tx: Executor, entry_id: UUID, version: int | None) -> R:
    return at_version(await level.lock(tx, id=entry_id), level.noun, version)
