"""Rules of products: an update may require the current version; prices and stock have a history."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final
from uuid import UUID

from msgspec import UNSET, UnsetType

from lib.db import Database, Executor
from lib.db.like import contains
from lib.ids import new_id
from lib.resource.input import is_empty
from lib.resource.lists import CursorPageQuery, Extent, Walk, page_or_walk_of
from lib.resource.rules import at_version, or_not_found
from lib.texts import trimmed
from services.product.model.products import (
    MAX_PRICE,
    ListProducts,
    NewProduct,
    ProductChange,
    SaleStatus,
)
from services.product.service import ledger
from services.product.service.events import ProductRemoved, product_event, product_removed
from services.product.store import products, stock
from services.product.store.postgres import keyset
from services.product.store.postgres.models import (
    PriceChange,
    Product,
    ProductStatus,
    StockMovement,
    StockMovementReason,
)

_STATUS: Final = {
    SaleStatus.ACTIVE: ProductStatus.ACTIVE,
    SaleStatus.INACTIVE: ProductStatus.INACTIVE,
}


async def get(db: Executor, product_id: UUID) -> Product:
    """Return the product or raise NOT_FOUND."""
    return or_not_found(await products(db).get_product(id=product_id), "product")


async def list_page(db: Executor, wanted: ListProducts) -> tuple[Sequence[Product], Extent]:
    """Return the page of products that `wanted` selects by a page number or a cursor."""
    queries = products(db)
    return await page_or_walk_of(
        wanted,
        queries.list_products,
        Walk(queries.walk_products, keyset),
        sort=wanted.sql_sort,
        status=_STATUS[wanted.status],
        min_price=Decimal(wanted.min_price or 0),
        max_price=MAX_PRICE if wanted.max_price is None else Decimal(wanted.max_price),
        min_stock=1 if wanted.in_stock else 0,
        currency=wanted.currency,
        search=contains(wanted.search),
    )


async def list_prices(
    db: Executor, product_id: UUID, wanted: CursorPageQuery
) -> tuple[Sequence[PriceChange], Extent]:
    """Return the page of the product's prices that `wanted` selects, newest price first."""
    await get(db, product_id)
    queries = products(db)
    walk = Walk(queries.walk_prices, keyset)
    return await page_or_walk_of(wanted, queries.list_prices, walk, product_id=product_id)


async def list_movements(
    db: Executor, product_id: UUID, wanted: CursorPageQuery
) -> tuple[Sequence[StockMovement], Extent]:
    """Return the page of the product's stock ledger that `wanted` selects, newest entry first."""
    await get(db, product_id)
    ledger_of = stock(db)
    walk = Walk(ledger_of.walk_movements, keyset)
    return await page_or_walk_of(wanted, ledger_of.list_movements, walk, product_id=product_id)


async def add(db: Database, new: NewProduct, *, actor: str) -> Product:
    """Create a product with its first price and stock."""
    product_id = new_id()
    async with db.transaction() as tx:
        await products(tx).add_product(
            id=product_id,
            name=trimmed(new.name),
            description=new.description,
            price=Decimal(new.price),
            currency=new.currency,
            stock=new.stock,
            status=_STATUS[new.status],
        )
        added = await get(tx, product_id)
        await _add_price(tx, added, actor)
        if added.stock:
            await ledger.record(
                tx, [(added, added.stock)], StockMovementReason.COUNTED, actor=actor
            )
        await product_event(tx, "product.created", added)
    return added


async def change(
    db: Database,
    product_id: UUID,
    changes: ProductChange,
    *,
    version: int | None,
    actor: str,
) -> Product:
    """Apply a partial update. If `version` is not None, it must be the current version.

    Raises:
        AppError: NOT_FOUND; PRECONDITION_FAILED if `version` is not the current version.
    """
    async with db.transaction() as tx:
        before = await _locked(tx, product_id, version)
        if is_empty(changes):
            return before
        await products(tx).change_product(
            id=product_id,
            name=UNSET if changes.name is UNSET else trimmed(changes.name),
            description=changes.description,
            price=UNSET if changes.price is UNSET else Decimal(changes.price),
            stock=changes.stock,
            status=_status(changes.status),
        )
        after = await get(tx, product_id)
        if after.price != before.price:
            await _add_price(tx, after, actor)
        if after.stock != before.stock:
            delta = after.stock - before.stock
            await ledger.record(tx, [(after, delta)], StockMovementReason.COUNTED, actor=actor)
        await product_event(tx, "product.changed", after)
    return after


async def remove(db: Database, product_id: UUID, *, version: int | None) -> None:
    """Delete the product. If `version` is not None, it must be the current version.

    The ledger of the product stays, and its reservations can still be confirmed or released.
    """
    async with db.transaction() as tx:
        before = await _locked(tx, product_id, version)
        await products(tx).change_product(id=product_id, status=ProductStatus.DELETED)
        await product_removed(tx, ProductRemoved(product_id, before.version + 1))


async def _locked(tx: Executor, product_id: UUID, version: int | None) -> Product:
    return at_version(await products(tx).lock_product(id=product_id), "product", version)


async def _add_price(tx: Executor, product: Product, actor: str) -> None:
    await products(tx).add_price(
        id=new_id(),
        product_id=product.id,
        price=product.price,
        currency=product.currency,
        changed_by=actor,
    )


def _status(given: SaleStatus | UnsetType) -> ProductStatus | UnsetType:
    return UNSET if given is UNSET else _STATUS[given]
