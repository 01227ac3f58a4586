"""Pages of lists: the parameters every list shares and the numbers that describe a page."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from lib.http.decode import Query
from lib.http.respond import PageMeta

MAX_PAGE_SIZE = 100
# The database walks over all rows before a page: who wants what is behind these narrows the list.
MAX_PAGE = 1_000


class Sort(StrEnum):
    """Direction of a list."""

    ASC = "asc"
    DESC = "desc"


class PageQuery(Query, frozen=True, kw_only=True):
    """Which page of a list whose order is given."""

    page: Annotated[int, Meta(ge=1, le=MAX_PAGE, description="which page, from 1")] = 1
    page_size: Annotated[int, Meta(ge=1, le=MAX_PAGE_SIZE, description="things per page")] = 20

    @property
    def offset(self) -> int:
        """How many rows come before this page."""
        return (self.page - 1) * self.page_size

    def total_if_last(self, shown: int) -> int | None:
        """Return the length of the whole list where a page of `shown` things tells it, else None.

        A page that is neither empty nor full is the last one; that saves asking the database.
        """
        return self.offset + shown if 0 < shown < self.page_size else None


class ListQuery(PageQuery, frozen=True, kw_only=True):
    """The parameters of a list that is sorted. A service adds filters and `order_by`, an enum."""

    sort: Annotated[Sort, Meta(description="direction")] = Sort.ASC

    @property
    def descending(self) -> bool:
        """Whether the list begins with the greatest."""
        return self.sort is Sort.DESC


def page_meta(query: PageQuery, total: int, *, degraded: tuple[str, ...] = ()) -> PageMeta:
    """Return the `meta` of a page of a list of `total` things."""
    return PageMeta(
        page=query.page,
        page_size=query.page_size,
        total_count=total,
        total_pages=-(-total // query.page_size),
        degraded=degraded,
    )
