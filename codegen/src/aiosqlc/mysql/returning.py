"""Infer the columns of RETURNING, `CALL` and `SHOW` if PREPARE does not describe them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import pymysql
from msgspec import Struct, field
from msgspec.structs import replace
from pymysql.connections import Connection
from pymysql.constants import FLAG
from sqlglot import exp

from aiosqlc.mysql import shown
from aiosqlc.mysql.called import returned_by
from aiosqlc.mysql.prepare import Described, Prepared, prepare
from aiosqlc.mysql.relations import Routine
from aiosqlc.mysql.syntax import mentions, parse
from aiosqlc.parse.placeholders import for_server
from aiosqlc.parse.scanner import Kind, scan
from aiosqlc.source import Dialect


class Prepares(Struct, frozen=True):
    """Prepares the texts of a query on one schema, and caches the results."""

    connection: Connection[object]
    routines: Sequence[Routine] = ()
    _known: dict[str, Prepared] = field(default_factory=dict)

    def query(self, sql: str) -> Prepared:
        """Prepare a query; if its columns are not described, prepare a SELECT that has them.

        The columns of a call or of a `SHOW` may be NULL. Raises `pymysql.MySQLError` with the
        server's message if it refuses the query.
        """
        prepared = self._text(sql)
        if shown.is_show(sql):
            columns = prepared.columns or _optional(self._shown(sql))
            return replace(prepared, columns=shown.named(columns))
        if prepared.columns:
            return prepared
        if proxy := _proxy(sql):
            return replace(prepared, columns=self._text(proxy).columns)
        if called := returned_by(sql, self.routines):
            with suppress(pymysql.MySQLError):  # a SELECT that is invalid without its procedure
                return replace(prepared, columns=_optional(self._text(called).columns))
        return prepared

    def _shown(self, sql: str) -> tuple[Described, ...]:
        """Run a `SHOW` and return its columns, or nothing if the server does not support it."""
        with suppress(pymysql.MySQLError):
            return shown.run(self.connection, sql)
        return ()

    def _text(self, sql: str) -> Prepared:
        text = for_server(sql).sql
        if text not in self._known:
            self._known[text] = prepare(self.connection, text)
        return self._known[text]


def _optional(columns: Sequence[Described]) -> tuple[Described, ...]:
    return tuple([replace(column, flags=column.flags & ~FLAG.NOT_NULL) for column in columns])


def _proxy(sql: str) -> str | None:
    """Return `SELECT <list> FROM <target>` in place of a statement with RETURNING, or None."""
    tree = parse(sql) if mentions(sql, "RETURNING") else None
    root = tree.root if tree else None
    if not isinstance(root, exp.Insert | exp.Delete) or root.args.get("returning") is None:
        return None
    target = root.this.this if isinstance(root.this, exp.Schema) else root.this
    at = _after_returning(sql)
    if at is None or not isinstance(target, exp.Table):
        return None
    bare = exp.Table(this=target.this, db=target.args.get("db"), alias=target.args.get("alias"))
    return f"SELECT {sql[at:]} FROM {bare.sql(dialect='mysql')}"  # noqa: S608 - prepared but never run


def _after_returning(sql: str) -> int | None:
    depth, found = 0, None
    for token in scan(sql, Dialect.MYSQL):
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if not depth and token.kind is Kind.NAME and token.text.upper() == "RETURNING":
            found = token.end
    return found
