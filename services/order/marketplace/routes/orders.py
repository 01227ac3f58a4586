"""Service orders over HTTP: made and changed by customers, found by providers."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from lib.auth.guards import forbidden
from lib.errors import Code
from lib.http import decode, respond
from lib.http.app import DATABASE
from lib.http.etag import if_match
from lib.http.middleware.idempotency import HEADER
from lib.http.openapi import operation
from lib.idempotency import parse_key
from services.order.marketplace.model.lists import ListOffers, ListServiceOrders
from services.order.marketplace.model.orders import NewServiceOrder, ServiceOrderChange
from services.order.marketplace.routes.access import (
    caller,
    own_id,
    signed_in,
    verified,
    verified_customers,
)
from services.order.marketplace.routes.deps import CATALOG
from services.order.marketplace.routes.describe import CHANGE_ERRORS, ID, SEEN, VERSION
from services.order.marketplace.routes.views import ServiceOrderView, view_of_order
from services.order.marketplace.service import listings
from services.order.marketplace.service import orders as service
from services.order.marketplace.store.models import Offer

_TAGS: Final = ("service orders",)


@signed_in
@operation(
    summary="List service orders",
    tags=_TAGS,
    query=ListServiceOrders,
    returns=list[ServiceOrderView],
    paged=True,
)
async def list_service_orders(request: web.Request) -> web.Response:
    """All to the staff, to providers what takes offers, to everybody else their own.

    With `near` what takes offers there, for providers and the staff.
    """
    wanted, db, who = decode.query(request, ListServiceOrders), request.app[DATABASE], caller()
    place = wanted.place()
    if place is None:
        rows, total = await listings.orders_for(db, wanted, who)
        return respond.page([view_of_order(row) for row in rows], wanted, total)
    if not (who.is_provider or who.sees_all):
        raise forbidden()
    near, total = await listings.orders_near(db, place, wanted)
    views = [view_of_order(row.service_order, round(row.distance_km, 3)) for row in near]
    return respond.page(views, wanted, total)


@verified_customers
@operation(
    summary="Order a service",
    tags=_TAGS,
    headers=(HEADER,),
    body=NewServiceOrder,
    returns=ServiceOrderView,
    status=201,
    errors=(Code.CONFLICT, Code.NOT_FOUND, Code.IDEMPOTENCY_KEY_REUSED),
)
async def add_service_order(request: web.Request) -> web.Response:
    """The new order, which is the caller's. The same `Idempotency-Key` gives the same order."""
    new = await decode.body(request, NewServiceOrder)
    header = request.headers.get(HEADER)
    added = await service.add(
        request.app[DATABASE],
        request.app[CATALOG],
        new,
        customer_id=own_id(),
        key=None if header is None else parse_key(header),
    )
    return respond.created(
        view_of_order(added), location=f"service-orders/{added.id}", version=added.version
    )


@signed_in
@operation(
    summary="Get a service order",
    tags=_TAGS,
    path=ID,
    headers=SEEN,
    returns=ServiceOrderView,
    errors=(Code.NOT_FOUND,),
)
async def get_service_order(request: web.Request) -> web.Response:
    """One order with its `ETag`."""
    found = await service.get(request.app[DATABASE], decode.path_uuid(request), caller())
    return respond.item(request, view_of_order(found), version=found.version)


@verified
@operation(
    summary="Change, pause, resume or cancel a service order",
    tags=_TAGS,
    path=ID,
    headers=VERSION,
    body=ServiceOrderChange,
    returns=ServiceOrderView,
    errors=CHANGE_ERRORS,
)
async def change_service_order(request: web.Request) -> web.Response:
    """The order after a partial change. Its terms stay once somebody has made an offer."""
    order_id = decode.path_uuid(request)
    changes = await decode.body(request, ServiceOrderChange)
    changed = await service.change(
        request.app[DATABASE],
        request.app[CATALOG],
        order_id,
        changes,
        caller(),
        version=if_match(request),
    )
    return respond.changed(view_of_order(changed), version=changed.version)


@verified
@operation(
    summary="Remove a service order",
    tags=_TAGS,
    path=ID,
    headers=VERSION,
    status=204,
    errors=CHANGE_ERRORS,
)
async def remove_service_order(request: web.Request) -> web.Response:
    """Nothing, when it is done; an order with offers is cancelled instead."""
    order_id = decode.path_uuid(request)
    await service.remove(request.app[DATABASE], order_id, caller(), version=if_match(request))
    return respond.no_content()


@signed_in
@operation(
    summary="List the offers on a service order",
    tags=_TAGS,
    path=ID,
    query=ListOffers,
    returns=list[Offer],
    errors=(Code.NOT_FOUND,),
    paged=True,
)
async def list_offers_on_service_order(request: web.Request) -> web.Response:
    """All of them to its customer and the staff, to providers their own."""
    order_id, wanted = decode.path_uuid(request), decode.query(request, ListOffers)
    rows, total = await listings.offers_on(request.app[DATABASE], order_id, wanted, caller())
    return respond.page(rows, wanted, total)


ROUTES: Final = (
    web.get("/api/v1/service-orders", list_service_orders),
    web.post("/api/v1/service-orders", add_service_order),
    web.get("/api/v1/service-orders/{id}", get_service_order),
    web.patch("/api/v1/service-orders/{id}", change_service_order),
    web.delete("/api/v1/service-orders/{id}", remove_service_order),
    web.get("/api/v1/service-orders/{id}/offers", list_offers_on_service_order),
)
