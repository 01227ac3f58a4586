"""A name that the module needs itself is the user's with an underscore behind it."""

from datetime import date
from decimal import Decimal
from typing import Any


async def run(db: Any, queries: Any) -> None:
    (row,) = await queries.list_executors(db, db_="Ann")
    assert (type(row).__name__, row.id, row.name) == ("Executor_", 1, "Ann")
    assert await queries.list_(db, list_="Ann") == [1]
    assert await queries.next_day(db, date_=date(2024, 2, 28)) == date(2024, 2, 29)
    (mark,) = await queries.starmap_(db)
    assert (mark.id, mark.kind) == (1, "comma")
    (one,) = await queries.dataclass_(db)
    assert one.amount == Decimal("1.5")
