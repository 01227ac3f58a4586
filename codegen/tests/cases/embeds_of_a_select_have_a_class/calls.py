"""Rows of a WITH and of a select in FROM are nested like a table's."""

from decimal import Decimal
from typing import Any


async def run(db: Any, queries: Any) -> None:
    (row,) = await queries.list_shops_of_with(db)
    assert (type(row.open).__name__, row.open.name, row.letters) == ("Shop", "corner", 6)
    (total,) = await queries.list_totals(db)
    assert (total.id, total.total.amount, total.total.sales) == (1, Decimal(12), 2)
    one, other = await queries.list_maybe_totals(db)
    assert (one.shop.name, one.total.sales) == ("corner", 2)
    assert (other.shop.name, other.total) == ("closed", None)
    assert [row.called.name for row in await queries.list_names(db)] == ["closed", "corner"]
    assert (await queries.last_name(db)).called.name == "corner"
