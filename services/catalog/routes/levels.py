"""The four levels under their paths, and each level's lists under what it belongs to."""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web
from aiohttp.typedefs import Handler
from msgspec.structs import asdict

from lib.errors import Code
from lib.http import decode
from lib.http.middleware.auth import public
from services.catalog.model import entries, lists
from services.catalog.routes.entries import ID, SEEN, Entries, described, list_entries
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


def _below(parent: Entries, found: Entries, field: str) -> web.RouteDef:
    """Return the route of what belongs to an entry: `field` refers to it."""

    async def handler(request: web.Request) -> web.Response:
        common: dict[str, Any] = asdict(decode.query(request, lists.ListEntries))
        wanted = found.listing(**common | {field: decode.path_uuid(request)})
        return await list_entries(request, found.level, wanted, parent=parent.level)

    documented: Handler = described(
        handler,
        f"list_{found.path}_of_{parent.level.tag}",
        f"List the {found.path} of a {parent.level.noun}",
        found.path,
        path=ID,
        query=lists.ListEntries,
        headers=SEEN,
        returns=list[found.row],  # type: ignore[name-defined] # known when it runs
        paged=True,
        errors=(Code.NOT_FOUND,),
    )
    return web.get(f"/api/v1/{parent.path}/{{id}}/{found.path}", public(documented))


ROUTES: Final = (
    *_TYPES.routes,
    _below(_TYPES, _CATEGORIES, "type_id"),
    _below(_TYPES, _SUBCATEGORIES, "type_id"),
    *_CATEGORIES.routes,
    _below(_CATEGORIES, _SUBCATEGORIES, "category_id"),
    *_SUBCATEGORIES.routes,
    _below(_SUBCATEGORIES, _SERVICES, "subcategory_id"),
    *_SERVICES.routes,
)
