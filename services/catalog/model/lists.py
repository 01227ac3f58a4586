"""Query parameters of the routes that list catalog entries."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta

from lib.resource.lists import CursorListQuery, ListQuery, orders_of

OrderBy = Annotated[Literal["name", "created_at"], orders_of("the list")]
Search = Annotated[str, Meta(max_length=100, examples=["piano"])]


class ListEntries(ListQuery, frozen=True, kw_only=True):
    """Query parameters of a list that has no cursors. `search` matches names."""

    order_by: OrderBy = "name"
    search: Search | None = None


class ListCategoryTypes(ListEntries, frozen=True, kw_only=True):
    """Query parameters of the list of category types."""


class ListCategories(ListEntries, frozen=True, kw_only=True):
    """Query parameters of the list of categories, with its filter by category type."""

    type_id: UUID | None = None


class ListSubcategories(ListEntries, frozen=True, kw_only=True):
    """Query parameters of the list of subcategories, with its filters by category and type."""

    category_id: UUID | None = None
    type_id: UUID | None = None


class ListServicesBelow(CursorListQuery, frozen=True, kw_only=True):
    """Query parameters of a list of services. `search` matches names and descriptions."""

    order_by: OrderBy = "name"
    search: Search | None = None


class ListServices(ListServicesBelow, frozen=True, kw_only=True):
    """Query parameters of the list of all services, with its filter by subcategory."""

    subcategory_id: UUID | None = None


# Of any level. A class cannot have the fields of both.
ListLevel = ListEntries | ListServicesBelow
