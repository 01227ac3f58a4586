"""Routes of service orders: created by customers, found by providers."""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias

from aiohttp import web
from msgspec import UNSET, UnsetType

from lib.auth.guards import forbidden
from lib.errors import Code
from lib.http import respond
from lib.http.app import Db
from lib.http.respond import Created, Done, Item, Page
from lib.http.routes import CHANGE_ERRORS, Id, IfMatch, Key, Routes, of_app, signed_in
from services.order.marketplace.model.caller import Caller
from services.order.marketplace.model.lists import ListOffers, ListServiceOrders
from services.order.marketplace.model.orders import NewServiceOrder, ServiceOrderChange
from services.order.marketplace.routes.access import VERIFIED, VERIFIED_CUSTOMERS, Own, Who
from services.order.marketplace.routes.deps import CATALOG
from services.order.marketplace.routes.views import ServiceOrderView, view_of_order
from services.order.marketplace.service import listings
from services.order.marketplace.service import orders as service
from services.order.marketplace.store.models import Offer, ServiceOrder
from services.order.ports import Catalog

_Catalog: TypeAlias = Annotated[Catalog, of_app(CATALOG)]
route: Final = Routes("service orders")


@route("GET /api/v1/service-orders", "List service orders", access=signed_in())
async def list_service_orders(
    db: Db, wanted: ListServiceOrders, who: Who
) -> Page[ServiceOrderView]:
    """Return all orders to the staff, and open orders to providers. Customers get their orders.

    With `near`, providers and the staff get the open orders near these coordinates.
    """
    place = wanted.place()
    if place is None:
        rows, total = await listings.orders_for(db, wanted, who)
        return respond.page(wanted, [_view(row, who) for row in rows], total)
    if not (who.is_provider or who.sees_all):
        raise forbidden()
    near, total = await listings.orders_near(db, place, wanted)
    views = [_view(row.service_order, who, round(row.distance_km, 3)) for row in near]
    return respond.page(wanted, views, total)


@route(
    "POST /api/v1/service-orders",
    "Create a service order",
    *CHANGE_ERRORS,
    access=VERIFIED_CUSTOMERS,
)
async def add_service_order(
    db: Db, catalog: _Catalog, new: NewServiceOrder, own: Own, key: Key
) -> Created[ServiceOrderView]:
    """Create an order whose customer is the caller.

    A repeated `Idempotency-Key` returns the same order.
    """
    added = await service.add(db, catalog, new, customer_id=own, key=key)
    return respond.created(view_of_order(added, exact=True), f"service-orders/{added.id}")


@route("GET /api/v1/service-orders/{id}", "Get a service order", Code.NOT_FOUND, access=signed_in())
async def get_service_order(
    request: web.Request, db: Db, order_id: Id, who: Who
) -> Item[ServiceOrderView]:
    """Return an order with its `ETag`."""
    order = await service.get(db, order_id, who)
    exact = await service.may_know_place(db, order, who)
    return respond.item(request, view_of_order(order, exact=exact))


@route(
    "PATCH /api/v1/service-orders/{id}",
    "Update a service order",
    *CHANGE_ERRORS,
    access=VERIFIED,
)
async def change_service_order(
    db: Db,
    catalog: _Catalog,
    order_id: Id,
    changes: ServiceOrderChange,
    who: Who,
    version: IfMatch,
) -> Item[ServiceOrderView]:
    """Return the order after a partial update. If it has offers, only its status can change."""
    changed = await service.change(db, catalog, order_id, changes, who, version=version)
    return respond.changed(view_of_order(changed, exact=True))


@route(
    "DELETE /api/v1/service-orders/{id}", "Delete a service order", *CHANGE_ERRORS, access=VERIFIED
)
async def remove_service_order(db: Db, order_id: Id, who: Who, version: IfMatch) -> Done:
    """Delete an order without offers. Return CONFLICT for an order with offers."""
    await service.remove(db, order_id, who, version=version)
    return respond.no_content()


@route(
    "GET /api/v1/service-orders/{id}/offers",
    "List the offers on a service order",
    Code.NOT_FOUND,
    access=signed_in(),
)
async def list_offers_on_service_order(
    db: Db, order_id: Id, wanted: ListOffers, who: Who
) -> Page[Offer]:
    """Return all offers to the customer and the staff. Providers get their own offers."""
    return respond.page(wanted, *await listings.offers_on(db, order_id, wanted, who))


def _view(
    order: ServiceOrder, who: Caller, distance_km: float | UnsetType = UNSET
) -> ServiceOrderView:
    """Return an order as lists show it: its location is exact for its customer and the staff."""
    return view_of_order(order, exact=who.may_see_of(order.customer_id), distance_km=distance_km)
