"""Detect whether an aggregate, possibly in a sub-select, makes a SELECT group its rows."""

from __future__ import annotations

from sqlglot import exp

from aiosqlc.mysql.functions import SCALAR, is_aggregate, name_of
from aiosqlc.mysql.relations import Schema
from aiosqlc.mysql.scope import Level, own_nodes


def aggregates(shown: list[exp.Expr], level: Level, schema: Schema) -> tuple[bool, bool]:
    """Return whether a SELECT certainly has an aggregate, and whether it may have one.

    An aggregate in a sub-select that uses only outer columns belongs to the outer SELECT.
    An unknown function may be a user's aggregate.
    """
    certain = possible = False
    for item in shown:
        for node in own_nodes(item):
            if is_aggregate(node) and not _is_windowed(node):
                outer = _only_outer(node, level)
                certain, possible = certain or not outer, possible or outer
            elif isinstance(node, exp.Anonymous) and name_of(node) not in SCALAR:
                possible = True
            elif isinstance(node, exp.Query):
                possible = possible or any(
                    is_aggregate(inner) and _could_be_ours(inner, level, schema)
                    for inner in node.walk()
                )
    return certain, possible


def _is_windowed(node: exp.Expr) -> bool:
    """Return whether an aggregate has an OVER clause, possibly after WITHIN GROUP (…)."""
    while isinstance(node.parent, exp.WithinGroup | exp.IgnoreNulls | exp.RespectNulls):
        node = node.parent
    return isinstance(node.parent, exp.Window) and node.parent.this is node


def _only_outer(node: exp.Expr, level: Level) -> bool:
    columns = list(node.find_all(exp.Column))
    return bool(columns) and level.parent is not None and not any(map(level.local, columns))


def _could_be_ours(node: exp.Expr, level: Level, schema: Schema) -> bool:
    """Return whether an aggregate in a sub-select may use only columns of the outer SELECT."""
    columns = list(node.find_all(exp.Column))
    if not columns or not all(level.may_have(column) for column in columns):
        return False
    inner = node.find_ancestor(exp.Select)
    while inner is not None and inner is not level.node:
        if any(_surely_has(inner, column, schema) for column in columns):
            return False
        inner = inner.find_ancestor(exp.Select)
    return True


def _surely_has(select: exp.Select, column: exp.Column, schema: Schema) -> bool:
    """Return whether a table in a sub-select's FROM has this column, which hides outer columns."""
    clause = select.args.get("from_")
    items = [clause.this] if clause is not None else []
    items += [join.this for join in select.args.get("joins") or []]
    for item in items:
        relation = schema.relation(item.name, item.db) if isinstance(item, exp.Table) else None
        named = not column.table or (
            column.table == item.alias_or_name and column.db in {"", item.db}
        )
        if relation is not None and named and relation.column(column.name):
            return True
    return False
