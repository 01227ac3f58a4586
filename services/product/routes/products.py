"""Products over HTTP: open to read, written by the staff against a version."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from aiohttp import web

from lib.auth import require, require_principal
from lib.errors import AppError, Code
from lib.http import decode, respond
from lib.http.app import DATABASE
from lib.http.etag import require_if_match
from lib.http.middleware.auth import guarded, public
from lib.http.middleware.idempotency import HEADER
from lib.http.openapi import operation
from lib.resource.lists import PageQuery
from services.product.model.products import ListProducts, NewProduct, ProductChange
from services.product.routes.access import WRITE
from services.product.service import products as service
from services.product.store.postgres.models import PriceChange, Product, StockMovement

_TAGS: Final = ("products",)
_ID: Final = {"id": UUID}
_WRITE_ERRORS: Final = (
    Code.NOT_FOUND,
    Code.CONFLICT,
    Code.PRECONDITION_FAILED,
    Code.PRECONDITION_REQUIRED,
)
_staff = guarded(require(WRITE))


@public
@operation(
    summary="List products",
    tags=_TAGS,
    query=ListProducts,
    returns=list[Product],
    paged=True,
)
async def list_products(request: web.Request) -> web.Response:
    """One page of the products that match, with the number of all."""
    wanted = decode.query(request, ListProducts)
    rows, total = await service.list_page(request.app[DATABASE], wanted)
    return respond.page(rows, wanted, total)


@_staff
@operation(
    summary="Add a product",
    tags=_TAGS,
    body=NewProduct,
    returns=Product,
    status=201,
)
async def add_product(request: web.Request) -> web.Response:
    """The new product, with where it is. Each request adds one: an `Idempotency-Key` is refused."""
    if HEADER in request.headers:
        # Who relies on a promise that is not kept adds the product twice.
        raise AppError(Code.BAD_REQUEST, f"{HEADER} is not supported here: look before you repeat")
    new = await decode.body(request, NewProduct)
    added = await service.add(request.app[DATABASE], new, actor=require_principal().subject)
    return respond.created(added, location=f"products/{added.id}", version=added.version)


@public
@operation(
    summary="Get a product",
    tags=_TAGS,
    path=_ID,
    headers=("If-None-Match",),
    returns=Product,
    errors=(Code.NOT_FOUND,),
)
async def get_product(request: web.Request) -> web.Response:
    """One product with its `ETag`, for sale at the moment or not."""
    found = await service.get(request.app[DATABASE], decode.path_uuid(request))
    return respond.item(request, found, version=found.version)


@_staff
@operation(
    summary="Change a product",
    tags=_TAGS,
    path=_ID,
    headers=("If-Match",),
    body=ProductChange,
    returns=Product,
    errors=_WRITE_ERRORS,
)
async def change_product(request: web.Request) -> web.Response:
    """The product as it is after a partial change."""
    product_id = decode.path_uuid(request)
    changes = await decode.body(request, ProductChange)
    changed = await service.change(
        request.app[DATABASE],
        product_id,
        changes,
        version=require_if_match(request),
        actor=require_principal().subject,
    )
    return respond.changed(changed, version=changed.version)


@_staff
@operation(
    summary="Remove a product",
    tags=_TAGS,
    path=_ID,
    headers=("If-Match",),
    status=204,
    errors=_WRITE_ERRORS,
)
async def remove_product(request: web.Request) -> web.Response:
    """Nothing, when it is done."""
    product_id = decode.path_uuid(request)
    version = require_if_match(request)
    await service.remove(request.app[DATABASE], product_id, version=version)
    return respond.no_content()


@public
@operation(
    summary="List a product's prices",
    tags=_TAGS,
    path=_ID,
    query=PageQuery,
    returns=list[PriceChange],
    errors=(Code.NOT_FOUND,),
    paged=True,
)
async def list_prices(request: web.Request) -> web.Response:
    """What the product has cost, newest first."""
    wanted = decode.query(request, PageQuery)
    rows, total = await service.list_prices(
        request.app[DATABASE], decode.path_uuid(request), wanted
    )
    return respond.page(rows, wanted, total)


@_staff
@operation(
    summary="List the movements of a product's stock",
    tags=_TAGS,
    path=_ID,
    query=PageQuery,
    returns=list[StockMovement],
    errors=(Code.NOT_FOUND,),
    paged=True,
)
async def list_movements(request: web.Request) -> web.Response:
    """The ledger that explains the stock, newest first."""
    wanted = decode.query(request, PageQuery)
    rows, total = await service.list_movements(
        request.app[DATABASE], decode.path_uuid(request), wanted
    )
    return respond.page(rows, wanted, total)


ROUTES: Final = (
    web.get("/api/v1/products", list_products),
    web.post("/api/v1/products", add_product),
    web.get("/api/v1/products/{id}", get_product),
    web.patch("/api/v1/products/{id}", change_product),
    web.delete("/api/v1/products/{id}", remove_product),
    web.get("/api/v1/products/{id}/prices", list_prices),
    web.get("/api/v1/products/{id}/movements", list_movements),
)
