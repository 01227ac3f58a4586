"""What `RETURNING` returns: a prepare does not say, so an equal SELECT is asked instead."""

from __future__ import annotations

from pymysql.connections import Connection
from sqlglot import exp

from aiosqlc.mysql.placeholders import for_server
from aiosqlc.mysql.prepare import Prepared, prepare
from aiosqlc.mysql.syntax import Tree
from aiosqlc.parse.scanner import Dialect, Kind, scan


def prepare_query(connection: Connection[object], sql: str, tree: Tree | None) -> Prepared:
    """Prepare a query; where it returns rows that the server does not describe, ask the proxy."""
    prepared = prepare(connection, for_server(sql).sql)
    proxy = _proxy(sql, tree) if not prepared.columns else None
    if proxy is None:
        return prepared
    return Prepared(prepared.parameters, prepare(connection, for_server(proxy).sql).columns)


def _proxy(sql: str, tree: Tree | None) -> str | None:
    """Return `SELECT <list> FROM <target>` for a statement with RETURNING."""
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
