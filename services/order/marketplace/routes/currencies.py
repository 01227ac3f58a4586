"""Currencies over HTTP: open to read, written by who may."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from lib.errors import Code
from lib.http import decode, respond
from lib.http.app import DATABASE
from lib.http.etag import if_match
from lib.http.middleware.auth import public
from lib.http.openapi import operation
from services.order.marketplace.model.currencies import CurrencyChange, NewCurrency
from services.order.marketplace.model.lists import ListCurrencies
from services.order.marketplace.routes.access import writers_of_places
from services.order.marketplace.routes.describe import CHANGE_ERRORS, ID, SEEN, VERSION
from services.order.marketplace.service import currencies as service
from services.order.marketplace.store.models import Currency

_TAGS: Final = ("currencies",)


@public
@operation(
    summary="List currencies",
    tags=_TAGS,
    query=ListCurrencies,
    returns=list[Currency],
    paged=True,
)
async def list_currencies(request: web.Request) -> web.Response:
    """One page of the currencies that match, with the number of all."""
    wanted = decode.query(request, ListCurrencies)
    rows, total = await service.list_page(request.app[DATABASE], wanted)
    return respond.page(rows, wanted, total)


@writers_of_places
@operation(
    summary="Add a currency",
    tags=_TAGS,
    body=NewCurrency,
    returns=Currency,
    status=201,
    errors=(Code.CONFLICT,),
)
async def add_currency(request: web.Request) -> web.Response:
    """The new currency, with where it is."""
    new = await decode.body(request, NewCurrency)
    added = await service.add(request.app[DATABASE], new)
    return respond.created(added, location=f"currencies/{added.id}", version=added.version)


@public
@operation(
    summary="Get a currency",
    tags=_TAGS,
    path=ID,
    headers=SEEN,
    returns=Currency,
    errors=(Code.NOT_FOUND,),
)
async def get_currency(request: web.Request) -> web.Response:
    """One currency with its `ETag`."""
    found = await service.get(request.app[DATABASE], decode.path_uuid(request))
    return respond.item(request, found, version=found.version)


@writers_of_places
@operation(
    summary="Change a currency",
    tags=_TAGS,
    path=ID,
    headers=VERSION,
    body=CurrencyChange,
    returns=Currency,
    errors=CHANGE_ERRORS,
)
async def change_currency(request: web.Request) -> web.Response:
    """The currency after a partial change; its code stays while offers are in it."""
    currency_id = decode.path_uuid(request)
    changes = await decode.body(request, CurrencyChange)
    changed = await service.change(
        request.app[DATABASE], currency_id, changes, version=if_match(request)
    )
    return respond.changed(changed, version=changed.version)


@writers_of_places
@operation(
    summary="Remove a currency",
    tags=_TAGS,
    path=ID,
    headers=VERSION,
    status=204,
    errors=CHANGE_ERRORS,
)
async def remove_currency(request: web.Request) -> web.Response:
    """Nothing, when it is done."""
    currency_id = decode.path_uuid(request)
    await service.remove(request.app[DATABASE], currency_id, version=if_match(request))
    return respond.no_content()


ROUTES: Final = (
    web.get("/api/v1/currencies", list_currencies),
    web.post("/api/v1/currencies", add_currency),
    web.get("/api/v1/currencies/{id}", get_currency),
    web.patch("/api/v1/currencies/{id}", change_currency),
    web.delete("/api/v1/currencies/{id}", remove_currency),
)
