"""Pages of lists: the parameters every list shares and the numbers that describe a page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from lib.http.decode import Query
from lib.http.respond import PageMeta

MAX_PAGE_SIZE = 100


class Sort(StrEnum):
    """Direction of a list."""

    ASC = "asc"
    DESC = "desc"


class ListQuery(Query, frozen=True, kw_only=True):
    """The parameters of every list. A service adds filters and `order_by`, an enum."""

    page: Annotated[int, Meta(ge=1, le=1_000_000, description="which page, from 1")] = 1
    page_size: Annotated[int, Meta(ge=1, le=MAX_PAGE_SIZE, description="things per page")] = 20
    sort: Annotated[Sort, Meta(description="direction")] = Sort.ASC

    @property
    def offset(self) -> int:
        """How many rows come before this page."""
        return (self.page - 1) * self.page_size


def page_meta(query: ListQuery, total: int, *, degraded: tuple[str, ...] = ()) -> PageMeta:
    """Return the `meta` of a page of a list of `total` things."""
    return PageMeta(
        page=query.page,
        page_size=query.page_size,
        total_count=total,
        total_pages=-(-total // query.page_size),
        degraded=degraded,
    )


async def total_of(query: ListQuery, shown: int, count: Callable[[], Awaitable[int]]) -> int:
    """Return how many things the list has; `count` asks the database, unless the page itself tells.

    A page that is neither empty nor full is the last one.
    """
    if 0 < shown < query.page_size:
        return query.offset + shown
    return await count()
