"""Orders of goods over HTTP: one's own for customers, everybody's for the staff."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from aiohttp import web

from lib.auth import require, require_principal, require_verified
from lib.auth.guards import forbidden
from lib.errors import Code
from lib.http import decode, respond
from lib.http.etag import require_if_match
from lib.http.middleware.auth import guarded
from lib.http.middleware.idempotency import HEADER, REPLAYED
from lib.http.openapi import operation
from lib.idempotency import parse_key
from services.order.goods.model.orders import ListOrders, NewOrder, OrderChange
from services.order.goods.routes.deps import SHOP
from services.order.goods.routes.views import OrderView, view_of
from services.order.goods.service import orders as service
from services.order.goods.service import placing
from services.order.goods.service.shop import Caller

_TAGS: Final = ("orders",)
_ID: Final = {"id": UUID}
_ACCESS: Final = (Code.UNAUTHORIZED, Code.FORBIDDEN)
_WRITE_ERRORS: Final = (
    *_ACCESS,
    Code.NOT_FOUND,
    Code.CONFLICT,
    Code.PRECONDITION_FAILED,
    Code.PRECONDITION_REQUIRED,
)
_MANAGE: Final = "orders:manage"


@guarded(require_verified)
@operation(
    summary="Order products",
    tags=_TAGS,
    headers=(HEADER,),
    body=NewOrder,
    returns=OrderView,
    status=201,
    errors=(*_ACCESS, Code.NOT_FOUND, Code.CONFLICT, Code.IDEMPOTENCY_KEY_REUSED),
)
async def place_order(request: web.Request) -> web.Response:
    """The order, at the prices of this moment. The same `Idempotency-Key` gives the same order."""
    new = await decode.body(request, NewOrder)
    caller = _caller()
    header = request.headers.get(HEADER)
    placed = await placing.place(
        request.app[SHOP],
        new,
        placing.Request(
            user_id=_for_whom(new, caller),
            actor=caller.subject,
            key=None if header is None else parse_key(header),
        ),
    )
    body = view_of(placed.order, placed.lines, placed.user)
    location = f"orders/{placed.order.id}"
    made = respond.created(body, location=location, version=placed.order.version)
    if placed.replayed:
        made.headers[REPLAYED] = "true"
    return made


@operation(
    summary="List orders",
    tags=_TAGS,
    query=ListOrders,
    returns=list[OrderView],
    paged=True,
    errors=_ACCESS,
)
async def list_orders(request: web.Request) -> web.Response:
    """One page of the orders that match, newest first, with the number of all."""
    wanted = decode.query(request, ListOrders)
    page = await service.list_page(request.app[SHOP].db, wanted, _caller())
    views = [view_of(found.order, found.lines) for found in page.found]
    return respond.page(views, wanted, page.total)


@operation(
    summary="Get an order",
    tags=_TAGS,
    path=_ID,
    returns=OrderView,
    errors=(*_ACCESS, Code.NOT_FOUND),
)
async def get_order(request: web.Request) -> web.Response:
    """One order with its user and its `ETag`, the version to name in a change."""
    found = await service.get(request.app[SHOP], decode.path_uuid(request), _caller())
    body = view_of(found.order, found.lines, found.user)
    # Never 304: the user in it has no part in the version.
    return respond.changed(body, version=found.order.version)


@operation(
    summary="Take an order to another status",
    tags=_TAGS,
    path=_ID,
    headers=("If-Match",),
    body=OrderChange,
    returns=OrderView,
    errors=_WRITE_ERRORS,
)
async def change_order(request: web.Request) -> web.Response:
    """The order as it is now. Customers may cancel theirs, the rest is for the staff."""
    order_id = decode.path_uuid(request)
    changed = await service.change(
        request.app[SHOP],
        order_id,
        await decode.body(request, OrderChange),
        version=require_if_match(request),
        caller=_caller(),
    )
    return respond.changed(view_of(changed.order, changed.lines), version=changed.order.version)


@guarded(require(_MANAGE))
@operation(
    summary="Remove an order",
    tags=_TAGS,
    path=_ID,
    headers=("If-Match",),
    status=204,
    errors=_WRITE_ERRORS,
)
async def remove_order(request: web.Request) -> web.Response:
    """Nothing, when it is hidden; it was cancelled first where it had not been shipped."""
    order_id = decode.path_uuid(request)
    await service.remove(
        request.app[SHOP], order_id, version=require_if_match(request), caller=_caller()
    )
    return respond.no_content()


def _caller() -> Caller:
    """Return who asks. Raises FORBIDDEN for who is nobody's account, such as a service."""
    principal = require_principal()
    staff = principal.may(_MANAGE)
    if not staff:
        _account(principal.subject)
    return Caller(principal.subject, staff=staff)


def _for_whom(new: NewOrder, caller: Caller) -> UUID:
    if new.user_id is None:
        return _account(caller.subject)
    if not caller.staff and str(new.user_id) != caller.subject:
        raise forbidden("you may order only for yourself")
    return new.user_id


def _account(subject: str) -> UUID:
    try:
        return UUID(subject)
    except ValueError:
        raise forbidden("only an account has orders of its own") from None


ROUTES: Final = (
    web.get("/api/v1/orders", list_orders),
    web.post("/api/v1/orders", place_order),
    web.get("/api/v1/orders/{id}", get_order),
    web.patch("/api/v1/orders/{id}", change_order),
    # As older systems call it; what is left out stays all the same.
    web.put("/api/v1/orders/{id}", change_order),
    web.delete("/api/v1/orders/{id}", remove_order),
)
