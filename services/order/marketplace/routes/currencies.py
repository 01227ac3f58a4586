"""Routes of currencies. Reading is public, writing requires permission."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from lib.errors import Code
from lib.http import respond
from lib.http.app import Db
from lib.http.respond import Created, Done, Item, Page
from lib.http.routes import CHANGE_ERRORS, PUBLIC, Id, IfMatch, Routes
from services.order.marketplace.model.currencies import CurrencyChange, NewCurrency
from services.order.marketplace.model.lists import ListCurrencies
from services.order.marketplace.routes.access import WRITERS_OF_PLACES as WRITERS
from services.order.marketplace.service import currencies as service
from services.order.marketplace.store.models import Currency

route: Final = Routes("currencies")


@route("GET /api/v1/currencies", "List currencies", access=PUBLIC)
async def list_currencies(db: Db, wanted: ListCurrencies) -> Page[Currency]:
    """Return one page of matching currencies and the total count."""
    return respond.page(wanted, *await service.list_page(db, wanted))


@route("POST /api/v1/currencies", "Create a currency", Code.CONFLICT, access=WRITERS)
async def add_currency(db: Db, new: NewCurrency) -> Created[Currency]:
    """Create a currency. Return the currency with its URL."""
    added = await service.add(db, new)
    return respond.created(added, f"currencies/{added.id}")


@route("GET /api/v1/currencies/{id}", "Get a currency", Code.NOT_FOUND, access=PUBLIC)
async def get_currency(request: web.Request, db: Db, currency_id: Id) -> Item[Currency]:
    """Return a currency with its `ETag`."""
    return respond.item(request, await service.get(db, currency_id))


@route("PATCH /api/v1/currencies/{id}", "Update a currency", *CHANGE_ERRORS, access=WRITERS)
async def change_currency(
    db: Db, currency_id: Id, changes: CurrencyChange, version: IfMatch
) -> Item[Currency]:
    """Return the currency after a partial update. The code cannot change while offers use it."""
    return respond.changed(await service.change(db, currency_id, changes, version=version))


@route("DELETE /api/v1/currencies/{id}", "Delete a currency", *CHANGE_ERRORS, access=WRITERS)
async def remove_currency(db: Db, currency_id: Id, version: IfMatch) -> Done:
    """Delete a currency."""
    await service.remove(db, currency_id, version=version)
    return respond.no_content()
