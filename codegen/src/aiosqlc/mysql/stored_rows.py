"""Read a bounded number of stored JSON values of a live database, in a read-only transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import unquote, urlsplit

import pymysql

from aiosqlc.ir import ColumnRef
from aiosqlc.mysql.errors import code_of
from aiosqlc.mysql.relations import DEFAULT
from aiosqlc.servers.mysql.session import open_session
from aiosqlc.servers.private import NoServerError, RefusedError

_CLIENT = 2000  # the first number of an error that the client raises, such as a lost connection


def stored_rows(
    uri: str, at: ColumnRef, key: Sequence[str], most: int
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the key and the JSON text of at most `most` rows: the first and last by key.

    Raises:
        RefusedError: if the server does not return the column, for example because it is missing.
        NoServerError: if the database cannot be reached.
    """
    database = unquote(urlsplit(uri).path.strip("/"))
    table = f"{_quoted(database if at.schema == DEFAULT else at.schema)}.{_quoted(at.table)}"
    names = ", ".join(map(_quoted, (*key, at.column)))
    orders = ("ASC", "DESC") if key else ("",)
    session = open_session(uri, None)
    try:
        session.run("START TRANSACTION READ ONLY")
        for order in orders:
            sorting = ", ".join(f"{_quoted(name)} {order}" for name in key)
            by = f" ORDER BY {sorting}" if key else ""
            text = f"SELECT {names} FROM {table} WHERE {_quoted(at.column)} IS NOT NULL{by}"  # noqa: S608 - quoted names
            for *values, document in session.rows(f"{text} LIMIT {most // len(orders)}"):
                yield tuple(map(str, values)), str(document)
    except pymysql.MySQLError as error:
        kind = RefusedError if 0 < code_of(error) < _CLIENT else NoServerError
        raise kind(f"cannot read {at.table}.{at.column}: {error.args[-1]}") from None
    finally:
        session.connection.close()


def _quoted(name: str) -> str:
    return f"`{name.replace('`', '``')}`"
