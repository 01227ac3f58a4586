"""Routes of cities. Reading is public, writing requires permission."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from lib.errors import Code
from lib.http import respond
from lib.http.app import Db
from lib.http.respond import Created, Done, Item, Page
from lib.http.routes import CHANGE_ERRORS, PUBLIC, Id, IfMatch, Routes, signed_in
from lib.resource.lists import CursorPageQuery
from services.order.marketplace.model.lists import ListCities
from services.order.marketplace.model.places import CityChange, NewCity
from services.order.marketplace.routes.access import WRITERS_OF_PLACES, Who
from services.order.marketplace.routes.views import (
    CityView,
    ProviderLocationView,
    view_of_city,
    view_of_location,
)
from services.order.marketplace.service import cities as service

route: Final = Routes("cities")


@route("GET /api/v1/cities", "List cities", access=PUBLIC)
async def list_cities(db: Db, wanted: ListCities) -> Page[CityView]:
    """Return one page of matching cities and the total count."""
    rows, total = await service.list_page(db, wanted)
    return respond.page(wanted, [view_of_city(row) for row in rows], total)


@route("POST /api/v1/cities", "Create a city", Code.CONFLICT, access=WRITERS_OF_PLACES)
async def add_city(db: Db, new: NewCity) -> Created[CityView]:
    """Create a city. Return the city with its URL."""
    added = await service.add(db, new)
    return respond.created(view_of_city(added), f"cities/{added.id}")


@route("GET /api/v1/cities/{id}", "Get a city", Code.NOT_FOUND, access=PUBLIC)
async def get_city(request: web.Request, db: Db, city_id: Id) -> Item[CityView]:
    """Return a city with its `ETag`."""
    return respond.item(request, view_of_city(await service.get(db, city_id)))


@route("PATCH /api/v1/cities/{id}", "Update a city", *CHANGE_ERRORS, access=WRITERS_OF_PLACES)
async def change_city(db: Db, city_id: Id, changes: CityChange, version: IfMatch) -> Item[CityView]:
    """Return the city after a partial update."""
    changed = await service.change(db, city_id, changes, version=version)
    return respond.changed(view_of_city(changed))


@route("DELETE /api/v1/cities/{id}", "Delete a city", *CHANGE_ERRORS, access=WRITERS_OF_PLACES)
async def remove_city(db: Db, city_id: Id, version: IfMatch) -> Done:
    """Delete a city."""
    await service.remove(db, city_id, version=version)
    return respond.no_content()


@route(
    "GET /api/v1/cities/{id}/providers",
    "List the providers of a city",
    Code.NOT_FOUND,
    access=signed_in(),
)
async def list_providers_of_city(
    db: Db, city_id: Id, wanted: CursorPageQuery, who: Who
) -> Page[ProviderLocationView]:
    """Return the providers of the city. Only the provider and the staff see an exact location."""
    rows, total = await service.providers_of(db, city_id, wanted)
    views = [view_of_location(row, exact=who.may_see_of(row.provider_id)) for row in rows]
    return respond.page(wanted, views, total)
