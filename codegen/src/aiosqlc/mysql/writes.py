"""Find the tables that a statement changes, and the privileges for the changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sqlglot import exp

from aiosqlc.ir import ColumnRef
from aiosqlc.mysql.relations import Relation, Schema

Change = tuple[str, exp.Table]


def changes(root: exp.Expr | None, has: Callable[[exp.Table, str], bool]) -> list[Change]:
    """Return the tables that a statement changes, each with the required privilege.

    `has` returns whether a table has a column with a name.
    """
    if isinstance(root, exp.Insert):
        return _by_insert(root)
    if isinstance(root, exp.Update):
        return [("UPDATE", table) for table in _updated(root, has)]
    if isinstance(root, exp.Delete):
        heads = root.args.get("tables") or _joined([root.this]).values()
        named = _joined(root.args.get("using") or [root.this])
        found = (named.get(head.name.lower(), head) for head in heads)
        return [("DELETE", table) for table in found if isinstance(table, exp.Table)]
    return []


def _by_insert(root: exp.Insert) -> list[Change]:
    target = root.this.this if isinstance(root.this, exp.Schema) else root.this
    if not isinstance(target, exp.Table):
        return []
    conflict = root.args.get("conflict")
    updates = conflict is not None and conflict.args.get("expressions")
    rights = ["INSERT", *(["UPDATE"] if updates else []), *(["DELETE"] if replaces(root) else [])]
    return [(right, target) for right in rights]


def replaces(root: exp.Expr | None) -> bool:
    """Return whether a statement is a REPLACE, which deletes conflicting rows."""
    return isinstance(root, exp.Insert) and bool(root.args.get("overwrite"))


def _updated(root: exp.Update, has: Callable[[exp.Table, str], bool]) -> list[exp.Table]:
    """Return the tables whose columns an UPDATE assigns, or all its tables if this is ambiguous."""
    tables = _joined([root.this])
    found: dict[str, exp.Table] = {}
    for item in root.expressions:
        left = item.this
        wanted = left.table.lower() if isinstance(left, exp.Column) else ""
        named = {name: table for name, table in tables.items() if wanted in ("", name)}
        if not wanted and isinstance(left, exp.Column):
            named = {name: table for name, table in named.items() if has(table, left.name)}
        if len(named) != 1:
            return list(tables.values())
        found |= named
    return list(found.values())


def _joined(sources: Iterable[exp.Expr]) -> dict[str, exp.Table]:
    """Return the joined tables by the names that the statement uses."""
    found: dict[str, exp.Table] = {}
    for source in sources:
        if isinstance(source, exp.Table):
            found.setdefault(source.alias_or_name.lower(), source)
        elif not source.find(exp.Query) or isinstance(source.this, exp.Table):  # in parentheses
            found |= _joined([source.this])
        found |= _joined(join.this for join in source.args.get("joins") or ())
    return found


def targets(root: exp.Expr | None, schema: Schema) -> list[Relation]:
    """Return the tables that a statement changes, without tables that the schema does not have."""

    def has(table: exp.Table, column: str) -> bool:
        relation = schema.relation(table.name, table.db)
        return relation is not None and relation.column(column) is not None

    named = dict.fromkeys((table.name, table.db) for _, table in changes(root, has))
    found = (schema.relation(*name) for name in named)
    return [relation for relation in found if relation]


def insert_into(root: exp.Expr | None, schema: Schema) -> ColumnRef | None:
    """Return the table or view that an INSERT writes to."""
    if not isinstance(root, exp.Insert):
        return None
    changed = targets(root, schema)
    return ColumnRef(changed[0].table.schema, changed[0].table.name, "") if changed else None
