"""What a statement changes, and which constraints it can violate."""

from __future__ import annotations

from sqlglot import exp

from aiosqlc.ir import ColumnRef, Constraint
from aiosqlc.mysql.relations import Relation, Schema


def targets(root: exp.Expr | None, schema: Schema) -> list[Relation]:
    """Return the tables that a statement changes, as far as they are named at its head."""
    if isinstance(root, exp.Insert):
        target = root.this.this if isinstance(root.this, exp.Schema) else root.this
        tables = [target]
    elif isinstance(root, exp.Delete) and root.args.get("tables"):
        tables = list(root.args["tables"])
    elif isinstance(root, exp.Update | exp.Delete):
        tables = [root.this]
    else:
        tables = []
    found = [schema.relation(t.name, t.db) for t in tables if isinstance(t, exp.Table)]
    return [relation for relation in found if relation]


def insert_into(root: exp.Expr | None, schema: Schema) -> ColumnRef | None:
    """Return the table that an INSERT fills, without a column."""
    if not isinstance(root, exp.Insert):
        return None
    changed = targets(root, schema)
    return ColumnRef(changed[0].table.schema, changed[0].table.name, "") if changed else None


def violable(root: exp.Expr | None, changed: list[Relation]) -> tuple[Constraint, ...]:
    """Return the constraints that a statement can violate."""
    if not isinstance(root, exp.Insert | exp.Update):
        return ()
    return tuple(constraint for relation in changed for constraint in relation.table.constraints)
