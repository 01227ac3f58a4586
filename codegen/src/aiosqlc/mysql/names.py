"""Find unknown tables and columns without a server."""

from __future__ import annotations

from collections.abc import Iterator

import pymysql
from sqlglot import exp

from aiosqlc.mysql.reader import Reader
from aiosqlc.mysql.scope import Level, is_dual


def unknown_names(reader: Reader) -> Iterator[pymysql.MySQLError]:
    """Yield the error that a server would report for each unknown name; skip ambiguous names."""
    root = reader.tree.root
    ctes = {cte.alias.lower() for cte in root.find_all(exp.CTE)}
    targets = {name.name.lower() for name in _delete_targets(root)}
    for table in root.find_all(exp.Table):
        known = not isinstance(table.this, exp.Identifier) or not table.name or is_dual(table)
        known = known or table.name.lower() in ctes | targets | reader.schema.lost
        if not known and reader.schema.relation(table.name, table.db) is None:
            yield pymysql.ProgrammingError(1146, f"Table '{table.name}' doesn't exist")
    for column in root.find_all(exp.Column):
        level = reader.level_of(column)
        if level is not None and not column.is_star and _is_unknown(column, level):
            yield pymysql.ProgrammingError(1054, f"Unknown column '{_written(column)}'")


def _delete_targets(root: exp.Expr) -> list[exp.Expr]:
    """Return the target names of a multi-table DELETE, which may be aliases."""
    if not isinstance(root, exp.Delete):
        return []
    return [*(root.args.get("tables") or []), *([root.this] if root.args.get("using") else [])]


def _is_unknown(column: exp.Column, level: Level) -> bool:
    """Return whether neither this SELECT nor an enclosing one can have a column of this name."""
    for scope in level.outwards():
        unclear = any(source.outputs is None for source in scope.sources)
        if unclear or not _is_read(scope):
            return False
        if scope.may_have(column):
            source = scope.source(column.table) if column.table else None
            clear = source is not None and source.alias == column.table and not column.db
            return clear and source is not None and source.output(column.name) is None
        if not column.table and column.name.lower() in _aliases(scope.node):
            return False
    return True


def _is_read(scope: Level) -> bool:
    """Return whether a statement's names can be checked: it must not have a lateral join."""
    return isinstance(scope.node, exp.Select | exp.Update | exp.Delete) and not scope.node.args.get(
        "laterals"
    )


def _aliases(node: exp.Expr) -> set[str]:
    items = node.expressions if isinstance(node, exp.Select) else []
    return {item.alias.lower() for item in items if isinstance(item, exp.Alias)}


def _written(column: exp.Column) -> str:
    return ".".join(part.name for part in column.parts)
