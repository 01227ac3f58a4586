"""Routes of products. Reading is public. Only the staff may write, and `If-Match` is required."""

from __future__ import annotations

from typing import Annotated, Final

from aiohttp import web

from lib.auth import require, require_principal
from lib.errors import AppError, Code
from lib.http import respond
from lib.http.app import Db
from lib.http.middleware.idempotency import HEADER
from lib.http.respond import Created, Done, Item, Page
from lib.http.routes import CHANGE_ERRORS, PUBLIC, From, Id, RequiredIfMatch, Routes, signed_in
from lib.resource.lists import CursorPageQuery
from services.product.model.products import ListProducts, NewProduct, ProductChange
from services.product.routes.access import WRITE
from services.product.service import products as service
from services.product.store.postgres.models import PriceChange, Product, StockMovement

_STAFF: Final = signed_in(require(WRITE))
route: Final = Routes("products")


@route("GET /api/v1/products", "List products", access=PUBLIC)
async def list_products(db: Db, wanted: ListProducts) -> Page[Product]:
    """Return one page of matching products and the total count."""
    return respond.page(wanted, *await service.list_page(db, wanted))


def _refuse_key(request: web.Request) -> None:
    if HEADER in request.headers:
        # Who relies on a promise that is not kept adds the product twice.
        raise AppError(
            Code.BAD_REQUEST,
            f"{HEADER} is not supported here: check the result before you repeat the request",
        )


@route("POST /api/v1/products", "Create a product", access=_STAFF)
async def add_product(
    _: Annotated[None, From(_refuse_key)], db: Db, new: NewProduct
) -> Created[Product]:
    """Create a product. Return the product with its URL. An `Idempotency-Key` is refused."""
    added = await service.add(db, new, actor=require_principal().subject)
    return respond.created(added, f"products/{added.id}")


@route("GET /api/v1/products/{id}", "Get a product", Code.NOT_FOUND, access=PUBLIC)
async def get_product(request: web.Request, db: Db, product_id: Id) -> Item[Product]:
    """Return a product, even if it is unavailable, with its `ETag`."""
    return respond.item(request, await service.get(db, product_id))


@route("PATCH /api/v1/products/{id}", "Update a product", *CHANGE_ERRORS, access=_STAFF)
async def change_product(
    db: Db, product_id: Id, changes: ProductChange, version: RequiredIfMatch
) -> Item[Product]:
    """Return the product after a partial update."""
    actor = require_principal().subject
    return respond.changed(
        await service.change(db, product_id, changes, version=version, actor=actor)
    )


@route("DELETE /api/v1/products/{id}", "Delete a product", *CHANGE_ERRORS, access=_STAFF)
async def remove_product(db: Db, product_id: Id, version: RequiredIfMatch) -> Done:
    """Delete a product."""
    await service.remove(db, product_id, version=version)
    return respond.no_content()


@route("GET /api/v1/products/{id}/prices", "List a product's prices", Code.NOT_FOUND, access=PUBLIC)
async def list_prices(db: Db, wanted: CursorPageQuery, product_id: Id) -> Page[PriceChange]:
    """Return the prices of the product, newest first."""
    return respond.page(wanted, *await service.list_prices(db, product_id, wanted))


@route(
    "GET /api/v1/products/{id}/movements",
    "List stock movements",
    Code.NOT_FOUND,
    access=_STAFF,
)
async def list_movements(db: Db, wanted: CursorPageQuery, product_id: Id) -> Page[StockMovement]:
    """Return the stock ledger of the product, newest first."""
    return respond.page(wanted, *await service.list_movements(db, product_id, wanted))
