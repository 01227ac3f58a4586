"""Query strings of the lists."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta

from lib.resource.lists import CursorListQuery, ListQuery, orders_of

OrderBy = Annotated[Literal["name", "created_at"], orders_of("the list")]
Search = Annotated[str, Meta(max_length=100, examples=["piano"])]


class ListEntries(ListQuery, frozen=True, kw_only=True):
    """Common query parameters of short lists. `search` matches names."""

    order_by: OrderBy = "name"
    search: Search | None = None


class ListCategoryTypes(ListEntries, frozen=True, kw_only=True):
    """Types of categories."""


class ListCategories(ListEntries, frozen=True, kw_only=True):
    """Filters of categories."""

    type_id: UUID | None = None


class ListSubcategories(ListEntries, frozen=True, kw_only=True):
    """Filters of subcategories, by category or type."""

    category_id: UUID | None = None
    type_id: UUID | None = None


class ListServicesBelow(CursorListQuery, frozen=True, kw_only=True):
    """Filters of the services of a subcategory. `search` also matches descriptions."""

    order_by: OrderBy = "name"
    search: Search | None = None


class ListServices(ListServicesBelow, frozen=True, kw_only=True):
    """Filters of services. `search` also matches descriptions."""

    subcategory_id: UUID | None = None


# Of any level. A class cannot have the fields of both.
ListLevel = ListEntries | ListServicesBelow
