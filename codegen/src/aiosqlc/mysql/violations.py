"""Find the constraints that a writing statement can violate.

A constraint is left out only if no write can violate it; a trigger may change the written row.
Constraints of other tables that a trigger writes are not included.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec.structs import replace
from sqlglot import exp

from aiosqlc.ir import Constraint
from aiosqlc.mysql.relations import Reference, Relation, Schema
from aiosqlc.mysql.scope import unwrap
from aiosqlc.mysql.writes import replaces

_KEYS = frozenset({"primary", "unique"})
_NOT_LOCATED = frozenset({"primary", "unique", "not_null"})
_CASCADES = frozenset({"CASCADE", "SET NULL"})
_VALUES = (exp.Literal, exp.Boolean, exp.HexString, exp.BitString)


def violable(
    root: exp.Expr | None, changed: Sequence[Relation], schema: Schema
) -> tuple[Constraint, ...]:
    """Return the constraints of the written tables, and foreign keys to them, that can be violated.

    The server's error names only the violated key, or for NOT NULL only the column, but not the
    table. If a trigger can violate a constraint of another table with the same name, the two errors
    cannot be distinguished.
    """
    found: dict[Constraint, None] = {}
    for relation in (base for one in changed for base in _bases(one, schema)):
        triggered = bool(_events(root) & relation.triggers)
        # Changed through a view, which has other column names.
        whole = triggered or relation not in changed
        parts = _everything(relation, schema) if whole else _by(root, relation, schema)
        for constraint in parts:
            unclear = triggered and constraint.kind in _NOT_LOCATED
            found[replace(constraint, identifiable=False) if unclear else constraint] = None
    return tuple(found)


def _bases(relation: Relation, schema: Schema) -> Iterator[Relation]:
    """Yield the tables that a view reads rows from, or a table itself."""
    if not relation.is_view:
        yield relation
    for schema_name, name in relation.made_of:
        base = schema.relation(name, schema_name)
        if base is not None:
            yield from _bases(base, schema)


def _events(root: exp.Expr | None) -> frozenset[str]:
    """Return the events of the triggers that a statement fires."""
    if isinstance(root, exp.Delete):
        return frozenset({"DELETE"})
    if isinstance(root, exp.Update):
        return frozenset({"UPDATE"})
    events = {"INSERT"}
    if replaces(root):
        events.add("DELETE")
    return frozenset({*events, "UPDATE"} if _conflict(root) else events)


def _everything(relation: Relation, schema: Schema) -> Iterator[Constraint]:
    yield from relation.table.constraints
    yield from (reference.key for reference in relation.referring)
    yield from _by_delete(relation, schema, set())
    every = _lower([column.name for column in relation.table.columns])
    yield from _by_new_keys(relation, every, schema, {_name(relation)})


def _by(root: exp.Expr | None, relation: Relation, schema: Schema) -> Iterator[Constraint]:
    if isinstance(root, exp.Update | exp.Delete) and root.args.get("ignore"):
        return  # the rows that would violate one stay as they are
    if isinstance(root, exp.Delete):
        yield from _by_delete(relation, schema, set())
    elif isinstance(root, exp.Update):
        yield from _by_update(root.expressions, relation, schema)
    elif isinstance(root, exp.Insert):
        yield from _by_insert(root, relation, schema)


def _by_insert(root: exp.Insert, relation: Relation, schema: Schema) -> Iterator[Constraint]:
    """Yield the constraints that a new row can violate; with IGNORE, these are only CHECKs."""
    own = relation.table.constraints
    if root.args.get("ignore"):
        yield from (c for c in own if c.kind == "check")
        return
    replacing, updates = replaces(root), _conflict(root)
    nulls = _may_be_null(root, relation)
    for constraint in own:
        if constraint.kind == "not_null":
            if nulls.intersection(_lower(constraint.columns)):
                yield constraint
        elif constraint.kind not in _KEYS or not (replacing or updates):
            yield constraint
    if replacing:
        yield from _by_delete(relation, schema, set())
    if updates:
        yield from _by_update(updates, relation, schema)


def _by_update(
    assignments: Sequence[exp.Expr], relation: Relation, schema: Schema
) -> Iterator[Constraint]:
    """Yield the constraints of this table on changed columns, and foreign keys to these columns."""
    assigned = [item for item in assignments if isinstance(item.this, exp.Column)]
    names = {item.this.name.lower() for item in assigned}
    nulls = {item.this.name.lower() for item in assigned if not _is_value(item.expression)}
    changed = names | relation.generated
    nulls |= relation.generated
    for constraint in relation.table.constraints:
        looked_at = _lower(constraint.columns)
        of = nulls if constraint.kind == "not_null" else changed
        if not looked_at or looked_at & of:
            yield constraint
    yield from _by_new_keys(relation, changed, schema, {_name(relation)})


def _by_delete(
    relation: Relation, schema: Schema, seen: set[tuple[str, str]]
) -> Iterator[Constraint]:
    """Yield the constraints that a DELETE can violate, through foreign keys and their cascades."""
    seen.add(_name(relation))
    for reference in relation.referring:
        if reference.on_delete not in _CASCADES:
            yield reference.key
        child = schema.relation(reference.key.table, reference.key.schema)
        if child is None:
            continue
        if reference.on_delete == "SET NULL":
            yield from _by_action(reference, child, schema, {_name(relation)})
        elif reference.on_delete == "CASCADE" and _name(child) not in seen:
            yield from _by_delete(child, schema, seen)


def _by_new_keys(
    relation: Relation, changed: set[str], schema: Schema, seen: set[tuple[str, str]]
) -> Iterator[Constraint]:
    """Yield the constraints that a change of referenced columns can violate in referring tables.

    If the cascade returns to a table that it has already changed, its key is treated like RESTRICT.
    """
    for reference in relation.referring:
        if not changed & _lower(reference.columns):
            continue
        child = schema.relation(reference.key.table, reference.key.schema)
        again = child is not None and _name(child) in seen
        if reference.on_update not in _CASCADES or again:
            yield reference.key
        elif child is not None:
            yield from _by_action(reference, child, schema, seen)


def _by_action(
    reference: Reference, child: Relation, schema: Schema, seen: set[tuple[str, str]]
) -> Iterator[Constraint]:
    """Yield the constraints that a foreign key's action, such as SET NULL, can violate.

    The action changes the key's columns. It fires no trigger, and a CHECK cannot use these columns.
    """
    changed = _lower(reference.key.columns) | child.generated
    for constraint in child.table.constraints:
        looks = constraint.kind in {*_KEYS, "foreign"} and _lower(constraint.columns) & changed
        if looks and constraint.name != reference.key.name:
            yield constraint
    yield from _by_new_keys(child, changed, schema, {*seen, _name(child)})


def _may_be_null(root: exp.Insert, relation: Relation) -> set[str]:
    """Return the columns for which an INSERT may provide NULL.

    Omitted columns get a default, and NULL in an auto-increment column becomes the next number.
    """
    listed = root.this.expressions if isinstance(root.this, exp.Schema) else []
    columns = [column.name.lower() for column in relation.table.columns]
    shown = [name for name in columns if name not in relation.invisible]
    names = [part.name.lower() for part in listed] or shown
    rows = root.expression
    if isinstance(rows, exp.Values):
        given = [_members(row) for row in rows.expressions]
        values = {
            name
            for row in given
            for name, value in zip(names, row, strict=False)
            if not _is_value(value)
        }
    else:
        values = set(names)
    return (values - relation.counted) | relation.generated


def _members(row: exp.Expr) -> list[exp.Expr]:
    inner = row.expressions[0] if len(row.expressions) == 1 else row
    is_row = isinstance(inner, exp.Anonymous) and inner.name.upper() == "ROW"
    return inner.expressions if is_row else row.expressions


def _is_value(node: exp.Expr) -> bool:
    """Return whether an expression is a literal other than NULL."""
    inner = unwrap(node)
    inner = unwrap(inner.this) if isinstance(inner, exp.Neg) else inner
    return isinstance(inner, _VALUES)


def _conflict(root: exp.Expr | None) -> list[exp.Expr]:
    """Return the assignments after ON DUPLICATE KEY UPDATE."""
    conflict = root.args.get("conflict") if isinstance(root, exp.Insert) else None
    return list(conflict.expressions) if conflict is not None else []


def _lower(names: Sequence[str]) -> set[str]:
    return {name.lower() for name in names}


def _name(relation: Relation) -> tuple[str, str]:
    return relation.table.schema, relation.table.name
