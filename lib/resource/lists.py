"""Paged lists: the common parameters, and a page with the total count."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Annotated, Any, TypeAlias, TypeVar

from msgspec import UNSET, Meta, UnsetType

from lib.limits.searches import searching
from lib.resource.cursors import CURSOR_EXAMPLE, MAX_LENGTH, Beside, Keyset, key_of, not_valid, read
from lib.resource.input import Query
from lib.texts import END

T = TypeVar("T")

MAX_PAGE_SIZE = 100
# The database walks over all rows before a page: who wants what is behind these narrows the list.
MAX_PAGE = 1_000


class Sort(StrEnum):
    """The sort direction of a list."""

    ASC = "asc"
    DESC = "desc"


class PageQuery(Query, frozen=True, kw_only=True):
    """Query parameters of a page of a list with a fixed order."""

    page: Annotated[int, Meta(ge=1, le=MAX_PAGE, description="page number, from 1")] = 1
    page_size: Annotated[int, Meta(ge=1, le=MAX_PAGE_SIZE, description="items per page")] = 20

    @property
    def offset(self) -> int:
        """Return the number of rows before this page."""
        return (self.page - 1) * self.page_size


class ListQuery(PageQuery, frozen=True, kw_only=True):
    """The parameters of a sorted list. A service adds filters and `order_by`."""

    sort: Annotated[Sort, Meta(description="direction")] = Sort.ASC

    @property
    def sql_sort(self) -> Any:
        """Return the sort order by its name in the SQL query: `price` or `price desc`.

        The result has type Any because a test compares it with the types that the queries accept.
        """
        order_by: str = self.order_by  # type: ignore[attr-defined] # the service's own names
        return f"{order_by} desc" if self.sort is Sort.DESC else order_by


Cursor: TypeAlias = (
    Annotated[
        str,
        Meta(
            max_length=MAX_LENGTH,
            pattern=rf"^[A-Za-z0-9_-]*{END}",
            extra={"message": "is not a cursor"},
            examples=[CURSOR_EXAMPLE],
            description="`next_cursor` or `previous_cursor` from the `meta` of another page, or "
            "empty for the first page; cannot be combined with `page`",
        ),
    ]
    | UnsetType
)


class CursorPageQuery(PageQuery, frozen=True, kw_only=True):
    """The parameters of a list with a fixed order that can also be read by cursors."""

    cursor: Cursor = UNSET


class CursorListQuery(ListQuery, frozen=True, kw_only=True):
    """The parameters of a sorted list that can also be read by cursors."""

    cursor: Cursor = UNSET


# Of a list that can be read by cursors. A class cannot have the fields of both.
ByCursor: TypeAlias = CursorPageQuery | CursorListQuery
# The total number of rows of a list, or the cursors of the pages beside the returned one.
Extent: TypeAlias = int | Beside


@dataclass(frozen=True, slots=True)
class Walk:
    """The query that reads a list by cursors, and the module `keyset` of the query's package."""

    query: Callable[..., Awaitable[Any]]
    keyset: Keyset


def orders_of(things: str) -> Meta:
    """Return the description of an `order_by` parameter for the API document."""
    return Meta(description=f"The field to sort {things} by.")


async def page_of(
    wanted: PageQuery,
    list_: Callable[..., Awaitable[tuple[Sequence[T], int]]],
    *executor: object,
    sort: str | None = None,
    **filters: Any,
) -> tuple[Sequence[T], int]:
    """Return a page and the total count, from a `:page` query with `filters`.

    `executor` is the first argument of the query, if the query has such an argument. `sort` is the
    order of a list with several orders. Only a limited number of queries with a `search` filter run
    at the same time.
    """
    filters |= _ordered(sort)
    search: str | None = filters.get("search")
    page = partial(list_, *executor, **filters, page_size=wanted.page_size, skip=wanted.offset)
    if search is None:
        return await page()
    async with searching(search):
        return await page()


async def page_or_walk_of(
    wanted: ByCursor,
    list_: Callable[..., Awaitable[tuple[Sequence[T], int]]],
    walk: Walk,
    *executor: object,
    sort: str | None = None,
    changing: Mapping[str, Any] | None = None,
    **filters: Any,
) -> tuple[Sequence[T], Extent]:
    """Return a page as `page_of` does, or, if the caller sent a cursor, the page at the cursor.

    A page at a cursor comes from the query of `walk`, which also returns the cursors of the
    adjacent pages. `changing` has further filters, whose values change with time, such as the
    present time. If these values change, a cursor stays valid.

    Raises:
        AppError: VALIDATION_ERROR for a cursor of another list, order or filter.
    """
    if wanted.cursor is UNSET:
        return await page_of(wanted, list_, *executor, sort=sort, **filters, **(changing or {}))
    given = {name: value is not None for name, value in (changing or {}).items()}
    # The keys of the two engines' rows have different types, so the module is part of the name.
    name = f"{walk.query.__module__}.{walk.query.__name__}"
    key = key_of(name, sort, filters | given)
    filters |= {**(changing or {}), **_ordered(sort)}
    start = read(wanted.cursor, walk.keyset, key)
    size = wanted.page_size
    search: str | None = filters.get("search")
    async with nullcontext() if search is None else searching(search):
        try:
            page = await walk.query(*executor, **filters, page_size=size, cursor=start)
        except walk.keyset.KeysetCursorError:  # signed by an older version of the list
            raise not_valid() from None
    signed = [beside and beside.signed(key) for beside in (page.next, page.previous)]
    return page.rows, Beside(*signed)


def empty_page(wanted: ByCursor) -> tuple[Sequence[T], Extent]:
    """Return the page of a list that has no rows for these filters.

    Raises:
        AppError: VALIDATION_ERROR for any cursor, because an empty list has no cursors.
    """
    if wanted.cursor:
        raise not_valid()
    return (), 0 if wanted.cursor is UNSET else Beside(None, None)


def _ordered(sort: str | None) -> dict[str, str]:
    return {} if sort is None else {"sort": sort}
