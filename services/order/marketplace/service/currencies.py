"""Currencies: codes are unique. A currency that offers use cannot be deleted."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from lib.db import Database, Executor
from lib.db.like import contains
from lib.ids import new_id
from lib.resource.input import is_empty
from lib.resource.lists import page_of
from lib.resource.rules import at_version, change_errors, or_not_found
from services.order.marketplace.model.currencies import CurrencyChange, NewCurrency
from services.order.marketplace.model.lists import ListCurrencies
from services.order.marketplace.store import currencies as store
from services.order.marketplace.store.models import Currency

_TAKEN = "a currency with this code exists"
_IN_USE = "currency is still in use"


async def get(db: Executor, currency_id: UUID) -> Currency:
    """Return a currency or raise NOT_FOUND."""
    return or_not_found(await store.get_currency(db, id=currency_id), "currency")


async def list_page(db: Executor, wanted: ListCurrencies) -> tuple[Sequence[Currency], int]:
    """Return one page of matching currencies and the total count."""
    return await page_of(
        wanted,
        store.list_currencies,
        db,
        sort=wanted.sql_sort,
        search=contains(wanted.search),
    )


async def add(db: Database, new: NewCurrency) -> Currency:
    """Create a currency. Raises CONFLICT if the currency code exists."""
    currency_id = new_id()
    with change_errors(taken=_TAKEN):
        async with db.transaction() as tx:
            await store.add_currency(
                tx, id=currency_id, currency=new.currency, code=new.code, symbol=new.symbol
            )
            return await get(tx, currency_id)


async def change(
    db: Database, currency_id: UUID, changes: CurrencyChange, *, version: int | None
) -> Currency:
    """Apply a partial update. If `version` is not None, it must be the current version.

    Raises:
        AppError: NOT_FOUND; PRECONDITION_FAILED; CONFLICT if the new code is in use, or if the code
            changes while offers use the currency.
    """
    with change_errors(taken=_TAKEN, in_use=_IN_USE):
        async with db.transaction() as tx:
            before = at_version(await store.lock_currency(tx, id=currency_id), "currency", version)
            if is_empty(changes):
                return before
            await store.change_currency(
                tx,
                id=currency_id,
                currency=changes.currency,
                code=changes.code,
                symbol=changes.symbol,
            )
            return await get(tx, currency_id)


async def remove(db: Database, currency_id: UUID, *, version: int | None) -> None:
    """Delete a currency if `version` is current. Raises CONFLICT if offers use the currency."""
    with change_errors(in_use=_IN_USE):
        async with db.transaction() as tx:
            at_version(await store.lock_currency(tx, id=currency_id), "currency", version)
            await store.remove_currency(tx, id=currency_id)
