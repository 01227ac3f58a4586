"""Cities over HTTP: open to read, written by who may."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from lib.errors import Code
from lib.http import decode, respond
from lib.http.app import DATABASE
from lib.http.etag import if_match
from lib.http.middleware.auth import public
from lib.http.openapi import operation
from lib.resource.lists import PageQuery
from services.order.marketplace.model.lists import ListCities
from services.order.marketplace.model.places import CityChange, NewCity
from services.order.marketplace.routes.access import signed_in, writers_of_places
from services.order.marketplace.routes.describe import CHANGE_ERRORS, ID, SEEN, VERSION
from services.order.marketplace.routes.views import (
    CityView,
    ProviderLocationView,
    view_of_city,
    view_of_location,
)
from services.order.marketplace.service import cities as service

_TAGS: Final = ("cities",)


@public
@operation(summary="List cities", tags=_TAGS, query=ListCities, returns=list[CityView], paged=True)
async def list_cities(request: web.Request) -> web.Response:
    """One page of the cities that match, with the number of all."""
    wanted = decode.query(request, ListCities)
    rows, total = await service.list_page(request.app[DATABASE], wanted)
    return respond.page([view_of_city(row) for row in rows], wanted, total)


@writers_of_places
@operation(
    summary="Add a city",
    tags=_TAGS,
    body=NewCity,
    returns=CityView,
    status=201,
    errors=(Code.CONFLICT,),
)
async def add_city(request: web.Request) -> web.Response:
    """The new city, with where it is."""
    new = await decode.body(request, NewCity)
    added = await service.add(request.app[DATABASE], new)
    return respond.created(
        view_of_city(added), location=f"cities/{added.id}", version=added.version
    )


@public
@operation(
    summary="Get a city",
    tags=_TAGS,
    path=ID,
    headers=SEEN,
    returns=CityView,
    errors=(Code.NOT_FOUND,),
)
async def get_city(request: web.Request) -> web.Response:
    """One city with its `ETag`."""
    found = await service.get(request.app[DATABASE], decode.path_uuid(request))
    return respond.item(request, view_of_city(found), version=found.version)


@writers_of_places
@operation(
    summary="Change a city",
    tags=_TAGS,
    path=ID,
    headers=VERSION,
    body=CityChange,
    returns=CityView,
    errors=CHANGE_ERRORS,
)
async def change_city(request: web.Request) -> web.Response:
    """The city after a partial change."""
    city_id = decode.path_uuid(request)
    changes = await decode.body(request, CityChange)
    changed = await service.change(
        request.app[DATABASE], city_id, changes, version=if_match(request)
    )
    return respond.changed(view_of_city(changed), version=changed.version)


@writers_of_places
@operation(
    summary="Remove a city",
    tags=_TAGS,
    path=ID,
    headers=VERSION,
    status=204,
    errors=CHANGE_ERRORS,
)
async def remove_city(request: web.Request) -> web.Response:
    """Nothing, when it is done."""
    city_id = decode.path_uuid(request)
    await service.remove(request.app[DATABASE], city_id, version=if_match(request))
    return respond.no_content()


@signed_in
@operation(
    summary="List the providers of a city",
    tags=_TAGS,
    path=ID,
    query=PageQuery,
    returns=list[ProviderLocationView],
    errors=(Code.NOT_FOUND,),
    paged=True,
)
async def list_providers_of_city(request: web.Request) -> web.Response:
    """Who works from the city, and where."""
    city_id, wanted = decode.path_uuid(request), decode.query(request, PageQuery)
    rows, total = await service.providers_of(request.app[DATABASE], city_id, wanted)
    return respond.page([view_of_location(row) for row in rows], wanted, total)


ROUTES: Final = (
    web.get("/api/v1/cities", list_cities),
    web.post("/api/v1/cities", add_city),
    web.get("/api/v1/cities/{id}", get_city),
    web.patch("/api/v1/cities/{id}", change_city),
    web.delete("/api/v1/cities/{id}", remove_city),
    web.get("/api/v1/cities/{id}/providers", list_providers_of_city),
)
