"""The query strings of the catalogue's lists."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, Literal, TypeAlias
from uuid import UUID

from msgspec import Meta

from lib.http.pagination import ListQuery


class OrderBy(StrEnum):
    """What a list may be ordered by."""

    NAME = "name"
    CREATED_AT = "created_at"


SqlSort: TypeAlias = Literal["name", "name desc", "created_at", "created_at desc"]
_SORTS: Final[dict[tuple[OrderBy, bool], SqlSort]] = {
    (OrderBy.NAME, False): "name",
    (OrderBy.NAME, True): "name desc",
    (OrderBy.CREATED_AT, False): "created_at",
    (OrderBy.CREATED_AT, True): "created_at desc",
}


class ListEntries(ListQuery, frozen=True, kw_only=True):
    """What all lists have in common; `search` looks into names."""

    order_by: OrderBy = OrderBy.NAME
    search: Annotated[str, Meta(max_length=100)] | None = None

    @property
    def sql_sort(self) -> SqlSort:
        """The order, as the queries name it."""
        return _SORTS[self.order_by, self.descending]


class ListCategoryTypes(ListEntries, frozen=True, kw_only=True):
    """Types of categories."""


class ListCategories(ListEntries, frozen=True, kw_only=True):
    """Categories, of one type or of all."""

    type_id: UUID | None = None


class ListSubcategories(ListEntries, frozen=True, kw_only=True):
    """Subcategories, of one category, of one type or of all."""

    category_id: UUID | None = None
    type_id: UUID | None = None


class ListServices(ListEntries, frozen=True, kw_only=True):
    """Services, of one subcategory or of all; `search` looks into descriptions, too."""

    subcategory_id: UUID | None = None
