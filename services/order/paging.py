"""A page of a list with the number of all that match: counted only where the page does not tell."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from lib.db import Executor
from lib.http.pagination import PageQuery
from lib.limits.searches import searching

T = TypeVar("T")


async def page_of(
    db: Executor,
    wanted: PageQuery,
    list_: Callable[..., Awaitable[Sequence[T]]],
    count: Callable[..., Awaitable[int]],
    *,
    sort: str | None = None,
    **filters: Any,
) -> tuple[Sequence[T], int]:
    """Return a page and how many match in all, from two queries that take the same `filters`.

    `sort` is the order of a list that has several.
    """
    ordered = {} if sort is None else {"sort": sort}
    async with searching(filters.get("search")):
        rows = await list_(db, **filters, **ordered, page_size=wanted.page_size, skip=wanted.offset)
        total = wanted.total_if_last(len(rows))
        return rows, await count(db, **filters) if total is None else total
