"""The query strings of the catalogue's lists."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta

from lib.resource.lists import ListQuery, orders_of


class ListEntries(ListQuery, frozen=True, kw_only=True):
    """What all lists have in common; `search` looks into names."""

    order_by: Annotated[Literal["name", "created_at"], orders_of("the list")] = "name"
    search: Annotated[str, Meta(max_length=100)] | None = None


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
