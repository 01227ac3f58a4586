"""Routes of orders of goods. Customers see their own orders, the staff sees all."""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias
from uuid import UUID

from aiohttp import web

from lib.auth import require, require_principal
from lib.auth.guards import forbidden
from lib.auth.permissions import permission
from lib.errors import Code
from lib.http import respond
from lib.http.middleware.idempotency import REPLAYED
from lib.http.respond import Answer, Created, Done, Item, Page
from lib.http.routes import CHANGE_ERRORS, From, Id, Key, RequiredIfMatch, Routes, of_app, signed_in
from services.order.goods.model.orders import ListOrders, NewOrder, OrderChange
from services.order.goods.routes.deps import SHOP
from services.order.goods.routes.views import OrderView, view_of
from services.order.goods.service import orders as service
from services.order.goods.service import placing
from services.order.goods.service.shop import Caller, Shop

_MANAGE: Final = permission("orders:manage")
route: Final = Routes("orders")


def _caller(_: web.Request) -> Caller:
    """Return the caller. Raises FORBIDDEN for a caller without an account, such as a service."""
    principal = require_principal()
    staff = principal.may(_MANAGE)
    return Caller(principal.subject, None if staff else _account(principal.subject))


_By: TypeAlias = Annotated[Caller, From(_caller)]
_In: TypeAlias = Annotated[Shop, of_app(SHOP)]


@route("GET /api/v1/orders", "List orders", access=signed_in())
async def list_orders(shop: _In, wanted: ListOrders, caller: _By) -> Page[OrderView]:
    """Return one page of matching orders, newest first, and the total count."""
    found, total = await service.list_page(shop.db, wanted, caller)
    return respond.page(wanted, list(map(view_of, found)), total)


@route(
    "POST /api/v1/orders",
    "Create an order",
    Code.NOT_FOUND,
    Code.CONFLICT,
    access=signed_in(),
)
async def place_order(shop: _In, new: NewOrder, caller: _By, key: Key) -> Created[OrderView]:
    """Create an order at the current prices.

    A repeated `Idempotency-Key` returns the same order.
    """
    wanted = placing.Request(user_id=_for_whom(new, caller), actor=caller.subject, key=key)
    placed = await placing.place(shop, new, wanted)
    made = respond.created(view_of(placed), f"orders/{placed.order.id}")
    if placed.replayed:
        made.headers[REPLAYED] = "true"
    return made


@route("GET /api/v1/orders/{id}", "Get an order", Code.NOT_FOUND, access=signed_in())
async def get_order(shop: _In, order_id: Id, caller: _By) -> Answer[OrderView]:
    """Return an order with its user and its `ETag`, which an update sends as `If-Match`."""
    # Never 304: the user in it has no part in the version.
    return respond.changed(view_of(await service.get(shop, order_id, caller)))


# The legacy systems use PUT; fields that the body omits stay unchanged here too.
@route(
    "PATCH /api/v1/orders/{id}",
    "Update the status of an order",
    *CHANGE_ERRORS,
    access=signed_in(),
    alias="PUT /api/v1/orders/{id}",
)
async def change_order(
    shop: _In, order_id: Id, change: OrderChange, version: RequiredIfMatch, caller: _By
) -> Item[OrderView]:
    """Update the status of an order. Customers may only cancel their orders."""
    changed = await service.change(shop, order_id, change, version=version, caller=caller)
    return respond.changed(view_of(changed))


@route(
    "DELETE /api/v1/orders/{id}",
    "Delete an order",
    *CHANGE_ERRORS,
    access=signed_in(require(_MANAGE)),
)
async def remove_order(shop: _In, order_id: Id, version: RequiredIfMatch, caller: _By) -> Done:
    """Delete an order. If the order is not shipped yet, it is also cancelled."""
    await service.remove(shop, order_id, version=version, caller=caller)
    return respond.no_content()


def _for_whom(new: NewOrder, caller: Caller) -> UUID:
    if new.user_id is None:
        return _account(caller.subject)
    if caller.owner not in (None, new.user_id):
        raise forbidden("you can order only for yourself")
    return new.user_id


def _account(subject: str) -> UUID:
    try:
        return UUID(subject)
    except ValueError:
        raise forbidden("only user accounts have orders") from None
