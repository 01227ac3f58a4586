"""What texts return, `RETURNING` too: a prepare does not say, so an equal SELECT is asked."""

from __future__ import annotations

from dataclasses import dataclass, field

from pymysql.connections import Connection
from sqlglot import exp

from aiosqlc.mysql.prepare import Prepared, prepare
from aiosqlc.mysql.syntax import mentions, parse
from aiosqlc.parse.placeholders import for_server
from aiosqlc.parse.scanner import Dialect, Kind, scan


@dataclass(frozen=True, slots=True)
class Prepares:
    """Prepares the texts of one query, on one schema: a text that was answered once is known."""

    connection: Connection[object]
    _known: dict[str, Prepared] = field(default_factory=dict)

    def query(self, sql: str) -> Prepared:
        """Prepare a query; where it returns rows that the server does not describe, ask the proxy.

        Raises `pymysql.MySQLError` with the server's message where it refuses the query.
        """
        prepared = self._text(sql)
        proxy = _proxy(sql) if not prepared.columns else None
        if proxy is None:
            return prepared
        return Prepared(prepared.parameters, self._text(proxy).columns)

    def _text(self, sql: str) -> Prepared:
        text = for_server(sql).sql
        if text not in self._known:
            self._known[text] = prepare(self.connection, text)
        return self._known[text]


def _proxy(sql: str) -> str | None:
    """Return `SELECT <list> FROM <target>` for a statement with RETURNING."""
    tree = parse(sql) if mentions(sql, "RETURNING") else None
    root = tree.root if tree else None
    if not isinstance(root, exp.Insert | exp.Delete) or root.args.get("returning") is None:
        return None
    target = root.this.this if isinstance(root.this, exp.Schema) else root.this
    at = _after_returning(sql)
    if at is None or not isinstance(target, exp.Table):
        return None
    bare = exp.Table(this=target.this, db=target.args.get("db"), alias=target.args.get("alias"))
    return f"SELECT {sql[at:]} FROM {bare.sql(dialect='mysql')}"  # noqa: S608 - prepared, never run


def _after_returning(sql: str) -> int | None:
    depth, found = 0, None
    for token in scan(sql, Dialect.MYSQL):
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if not depth and token.kind is Kind.NAME and token.text.upper() == "RETURNING":
            found = token.end
    return found
