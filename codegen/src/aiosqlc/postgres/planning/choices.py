"""Read the lists of values to which CHECK constraints restrict columns."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct

from aiosqlc.servers.postgres.connection import Connection

_CHECKS = """
select c.conrelid::int8 as oid, c.conkey[1]::int as column, pg_get_constraintdef(c.oid) as text,
       format_type(a.atttypid, a.atttypmod) as type
from pg_constraint c
join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
where c.contype = 'c' and c.convalidated and cardinality(c.conkey) = 1
order by c.conname
"""
# The condition is nothing but a list: a function of the column, or an OR, allows other values.
_LIST = re.compile(
    r'CHECK \(\(+(?:"(?:[^"]|"")+"|[\w$]+)\)*(?:::[\w ]+)? = ANY '
    r"\(+(?P<items>ARRAY\[.*\])\)*(?:::[^()]+)?\)+(?: NO INHERIT)?"
)


class _Check(Struct):
    oid: int
    column: int
    text: str
    type: str


def choices(connection: Connection) -> Mapping[tuple[int, int], tuple[str, ...]]:
    """Return all values that a column can have, by the table's OID and the column's number.

    The values are in the server's spelling. A column without a CHECK that lists its values is left
    out. A constraint that is NOT VALID does not count, because existing rows may violate it.
    """
    found: dict[tuple[int, int], tuple[str, ...]] = {}
    for check in connection.decode(_CHECKS, _Check):
        if listed := _LIST.fullmatch(check.text):
            at = (check.oid, check.column)
            items = _values(connection, listed["items"], check.type)
            found[at] = tuple(item for item in found.get(at, items) if item in items)
    return {at: items for at, items in found.items() if items}


def _values(connection: Connection, array: str, kind: str) -> tuple[str, ...]:
    """Return the distinct values of an SQL array, in order, or () if the server rejects it."""
    query = f"select item::{kind} from unnest({array}) as item where item is not null"  # noqa: S608 - the schema's own text
    try:
        rows = connection.rows(query)
    except RuntimeError:
        return ()
    return tuple(dict.fromkeys(str(row[0]) for row in rows))
