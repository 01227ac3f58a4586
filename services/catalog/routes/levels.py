"""Routes of catalog entries, such as categories, and of the lists of an entry's children."""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web
from msgspec.structs import asdict

from lib.errors import Code
from lib.http.app import Db
from lib.http.routes import PUBLIC, Id, Routes
from services.catalog.model import entries, lists
from services.catalog.routes.answers import TaggedPage
from services.catalog.routes.entries import Entries, list_entries
from services.catalog.service.levels import CATEGORIES, CATEGORY_TYPES, SERVICES, SUBCATEGORIES
from services.catalog.store.models import Category, CategoryType, Service, Subcategory

_TYPES: Final = Entries(
    CATEGORY_TYPES,
    "category-types",
    CategoryType,
    entries.NewCategoryType,
    entries.CategoryTypeChange,
    lists.ListCategoryTypes,
)
_CATEGORIES: Final = Entries(
    CATEGORIES,
    "categories",
    Category,
    entries.NewCategory,
    entries.CategoryChange,
    lists.ListCategories,
)
_SUBCATEGORIES: Final = Entries(
    SUBCATEGORIES,
    "subcategories",
    Subcategory,
    entries.NewSubcategory,
    entries.SubcategoryChange,
    lists.ListSubcategories,
)
_SERVICES: Final = Entries(
    SERVICES,
    "services",
    Service,
    entries.NewService,
    entries.ServiceChange,
    lists.ListServices,
)


def _below(
    parent: Entries,
    found: Entries,
    field: str,
    listing: type[lists.ListLevel] = lists.ListEntries,
) -> None:
    """Declare the route that lists the entries below a parent. `field` is the filter by parent."""
    row: Any = found.row

    @route(
        f"GET /api/v1/{parent.path}/{{id}}/{found.path}",
        f"List the {found.path} of a {parent.level.noun}",
        Code.NOT_FOUND,
        access=PUBLIC,
        name=f"list_{found.path}_of_{parent.level.tag}",
        tag=found.path,
        types={"common": listing, "return": TaggedPage[row]},
    )
    async def list_(
        request: web.Request, db: Db, common: lists.ListLevel, parent_id: Id
    ) -> web.Response:
        wanted = found.listing(**asdict(common) | {field: parent_id})
        above = (parent.level, parent_id)
        return await list_entries(request, db, found.level, wanted, parent=above)


route: Final = Routes("catalog")
_TYPES.declare(route)
_below(_TYPES, _CATEGORIES, "type_id")
_below(_TYPES, _SUBCATEGORIES, "type_id")
_CATEGORIES.declare(route)
_below(_CATEGORIES, _SUBCATEGORIES, "category_id")
_SUBCATEGORIES.declare(route)
_below(_SUBCATEGORIES, _SERVICES, "subcategory_id", lists.ListServicesBelow)
_SERVICES.declare(route)
