"""Put extreme values into rows: the least, the greatest, the longest, and values without a parent.

A migration that narrows a type, or adds a constraint, fails on such values or changes them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import count

from aiosqlc.ir import SqlType, TypeKind
from aiosqlc.postgres.catalog.facts import Facts
from aiosqlc.postgres.catalog.types import Types
from aiosqlc.postgres.population import Attempts, Population, answered, quoted
from aiosqlc.servers.postgres.connection import Connection

_LONG = 1000  # characters of a text without a limit
_LIMITS = {"int2": 32_000, "int4": 2_000_000_000, "int8": 9_000_000_000_000_000_000}
_MARGIN = 700  # between a limit and the end of its type
_DIGITS, _SCALE = 30, 6  # of a numeric without a limit
_MOMENTS = ("2024-05-05 10:00:00.123456", "2024-05-05 10:00:00.123457", "0001-01-01 00:00")
_FIXED = {
    "float4": ("1e30", "-1e30"),
    "float8": ("1e300", "-1e300"),
    "date": ("9999-12-31", "9999-12-30", "0001-01-01"),
    "timestamp": _MOMENTS,
    "timestamptz": _MOMENTS,
    "time": ("10:00:00.123456", "10:00:00.123457"),
}


def add_extremes(connection: Connection, facts: Facts, population: Population) -> None:
    """Replace values of rows by extreme values; skip a value that a constraint refuses.

    Also copy a value of each column into a second row, which a later unique key refuses. The caller
    must have started a transaction.
    """
    types = Types(facts)
    numbers = count(1)
    for table in population.order:
        name = population.named(table)
        rows = deque(row for (row,) in connection.rows(f"select ctid from {name}"))  # noqa: S608 - a quoted name
        attempts = Attempts(connection)
        for column in facts.columns.get(table, ()):
            if column.generated or not rows:
                continue
            shown = quoted(column.name)
            change = f"update {name} set {shown} ="  # noqa: S608 - quoted names
            kind = types.get(column.type, column.typmod, column.dims)
            given = [] if column.not_null else [None]
            for value in (*given, *values(kind, next(numbers))):
                _apply(attempts, rows, f"{change} $2", value)
            # A value for the second time.
            first = f"(select {shown} from {name} where ctid = $2)"  # noqa: S608 - quoted names
            _apply(attempts, rows, f"{change} {first}", rows[-1])
        attempts.end()


def _apply(attempts: Attempts, rows: deque[str | None], change: str, value: str | None) -> None:
    """Change the first row; if the server accepts this, the row becomes the last one."""
    result = attempts.run(f"{change} where ctid = $1 returning ctid", [rows[0], value])
    if answered(result) and result.ntuples:
        rows.popleft()
        rows.append((result.get_value(0, 0) or b"").decode())


def values(kind: SqlType, number: int) -> Iterator[str]:
    """Yield extreme values of a type; some of them differ only in their least part.

    `number` is the number of the column, so that no column has the values of another column.
    """
    if kind.array_dims:
        return
    if kind.kind is TypeKind.DOMAIN and kind.base is not None:
        yield from values(kind.base, number)
    elif limit := _LIMITS.get(kind.name):
        yield from (str(limit + number % _MARGIN), str(-limit - number % _MARGIN))
    elif kind.name == "numeric":
        yield from _decimals(kind)
    elif kind.name in {"text", "varchar", "bpchar"}:
        length = kind.length or _LONG
        text = str(number).ljust(length, "x")[:length]
        yield from (text, text[:-1] + "y")
    else:
        yield from _FIXED.get(kind.name, ())


def _decimals(kind: SqlType) -> Iterator[str]:
    """Yield the greatest number, the next smaller one, and the least."""
    digits, scale = kind.precision or _DIGITS, kind.scale or 0
    if not kind.precision:
        scale = _SCALE
    most = 10**digits - 1
    for number in (most, most - 1, -most):
        yield f"{number}e-{scale}"
