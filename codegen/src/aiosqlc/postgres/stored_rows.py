"""Read a bounded number of stored JSON values of a live database, in a read-only transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import psycopg
from psycopg import sql

from aiosqlc.ir import ColumnRef
from aiosqlc.servers.private import NoServerError, RefusedError

_CAREFUL = "-c default_transaction_read_only=on -c lock_timeout=2s -c statement_timeout=60s"


def stored_rows(
    uri: str, at: ColumnRef, key: Sequence[str], most: int
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the key and the JSON text of at most `most` rows, half from each end of the key order.

    Raises:
        RefusedError: if the server does not return the column, for example because it is missing.
        NoServerError: if the database cannot be reached.
    """
    places = [sql.Identifier("stored", name) for name in key]
    names = [sql.SQL("{}::text").format(sql.Identifier(name)) for name in (*key, at.column)]
    table = sql.SQL("FROM {} AS stored WHERE {} IS NOT NULL").format(
        sql.Identifier(at.schema, at.table), sql.Identifier(at.column)
    )
    orders = (sql.SQL("ASC"), sql.SQL("DESC")) if key else (sql.SQL(""),)
    try:
        with psycopg.connect(uri, options=_CAREFUL, connect_timeout=10) as connection:
            for order in orders:
                by = [sql.SQL("{} {}").format(place, order) for place in places]
                sorting = sql.SQL("ORDER BY ") + sql.SQL(", ").join(by) if key else sql.SQL("")
                text = sql.SQL("SELECT {} {} {} LIMIT {}").format(
                    sql.SQL(", ").join(names), table, sorting, sql.Literal(most // len(orders))
                )
                for *values, document in connection.execute(text):
                    yield tuple(values), document
    except psycopg.Error as error:
        said = str(error).strip().partition("\n")[0]
        kind = RefusedError if error.sqlstate else NoServerError
        raise kind(f"cannot read {at.table}.{at.column}: {said}") from None
