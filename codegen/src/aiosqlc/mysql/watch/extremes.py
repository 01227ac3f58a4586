"""Put extreme values into generated rows: the least, the greatest, the longest, and duplicates.

A migration that narrows a type, or adds a constraint, fails on such values or changes them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from itertools import count

import pymysql

from aiosqlc.mysql.relations import Schema
from aiosqlc.mysql.sample import value
from aiosqlc.mysql.watch.contents import quoted
from aiosqlc.servers.mysql.session import Session

_LIMITS = {
    "tinyint": 120,
    "smallint": 32_000,
    "mediumint": 8_000_000,
    "int": 2_000_000_000,
    "bigint": 9_000_000_000_000_000_000,
}
_MARGIN = 6  # between a limit and the end of its type
_LONG = 1000  # characters of a long text
_MOMENTS = ("'2024-05-05 10:00:00.123456'", "'2024-05-05 10:00:07.123457'")
_COLUMNS = """
SELECT c.table_name, c.column_name, c.data_type,
       coalesce(c.character_maximum_length, c.numeric_precision, 0), coalesce(c.numeric_scale, 0)
FROM information_schema.columns c
WHERE c.table_schema = DATABASE() AND coalesce(c.generation_expression, '') = ''
"""


def add_extremes(session: Session, schema: Schema) -> None:
    """Replace values of the first generated rows; skip a value that a constraint refuses.

    The second row gets the value of the first one, which a later unique key refuses. The values of
    the fourth and fifth row may differ in their least part only.
    """
    kinds = {
        (relation.table.name, column.name): column.type
        for relation in schema.relations
        if not relation.is_view
        for column in relation.table.columns
    }
    numbers = count()
    for table, column, kind, size, scale in session.rows(_COLUMNS):
        if (table, column) not in kinds:
            continue
        old = [value(kinds[table, column], number) for number in range(1, 6)]
        extremes = _extremes(str(kind), int(size), int(scale), next(numbers))
        for before, after in ((old[1], old[0]), *zip(old[3:], extremes, strict=False)):
            with suppress(pymysql.MySQLError):
                session.run(
                    f"UPDATE {quoted(table)} SET {quoted(column)} = {after}"  # noqa: S608 - quoted names and literals
                    f" WHERE {quoted(column)} = {before} LIMIT 1"
                )


def _extremes(kind: str, size: int, scale: int, number: int) -> Iterator[str]:
    """Yield two extreme values; `number` makes the values of each column different."""
    if limit := _LIMITS.get(kind):
        more = number % _MARGIN
        yield from (str(limit + more), str(-limit - more))
    elif kind == "decimal":
        most = 10**size - 1
        yield from (f"{Decimal(f'{each}e-{scale}'):f}" for each in (most, most - 1))
    elif kind in {"char", "varchar"} or kind.endswith("text"):
        text = str(number).ljust(min(size, _LONG), "x")[: min(size, _LONG)]
        yield from (f"'{text}'", f"'{text[:-1]}y'")
    elif kind in {"datetime", "timestamp"}:
        yield from _MOMENTS
    elif kind in {"float", "double"}:
        yield from ("1e30", "-1e30")
