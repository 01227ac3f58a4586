"""Find sub-selects that return the same rows at each read in one run of a statement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from aiosqlc.mysql.functions import AGGREGATES, STRICT, name_of
from aiosqlc.mysql.reading import READING
from aiosqlc.mysql.scope import Level, Output, Source

if TYPE_CHECKING:
    from aiosqlc.mysql.reader import Reader

_KNOWN = AGGREGATES | STRICT | {"COALESCE", "NULLIF", "AND", "OR", "CASE", "IF", "CAST"}
_CHANCE = frozenset({"RAND", "SLEEP", "SYSDATE", "UUID"})
# Nodes that may select other rows on each run, or that read results of earlier statements.
_LOOSE = (
    exp.Limit, exp.Fetch, exp.Offset, exp.With, exp.Lock, exp.Parameter, exp.SessionParameter,
    exp.PropertyEQ, exp.Window, exp.Lateral,
)  # fmt: skip


def is_fixed(query: exp.Query, level: Level, reader: Reader) -> bool:
    """Return whether a sub-select's rows depend only on stored rows and the outer query's row."""
    reader.sub_select(query, level)
    for node in query.walk():
        if isinstance(node, _LOOSE):
            return False
        if isinstance(node, exp.Func) and name_of(node) not in _KNOWN:
            return False
        if isinstance(node, exp.Table) and not _is_stored(node, level, reader):
            return False
    return True


def outer_columns(
    query: exp.Expr, level: Level, reader: Reader
) -> list[tuple[Source, Output]] | None:
    """Return the columns that a sub-select reads from the enclosing SELECT `level`.

    Return None if a column is unknown or belongs to a SELECT further out.
    """
    reader.sub_select(query, level)
    inside = {id(node) for node in query.walk()}
    found = []
    for column in query.find_all(exp.Column):
        if column.is_star and not column.table:
            continue
        here = reader.level_of(column)
        resolved = here.resolve(column) if here is not None else None
        if resolved is None:
            return None
        if resolved[0] is level:
            found.append(resolved[1:])
        elif id(resolved[0].node) not in inside:
            return None
    return found


def is_stable(query: exp.Expr, reader: Reader) -> bool:
    """Return whether a query returns the same rows each time one statement reads it."""
    return all(_is_stable(node, reader) for node in query.walk())


def _is_stable(node: exp.Expr, reader: Reader) -> bool:
    if isinstance(node, exp.Parameter | exp.SessionParameter | exp.PropertyEQ | exp.Dot):
        return False
    if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
        level = reader.level_of(node)
        common = level.ctes.get(node.name.lower()) if level is not None and not node.db else None
        if common is not None:
            return common.node is not None and is_stable(common.node, reader)
        relation = reader.schema.relation(node.name, node.db)
        # Only a view that is stable itself has a key.
        return relation is not None and (not relation.is_view or bool(relation.unique))
    name = name_of(node)
    return not name or (name in READING and name not in _CHANCE)


def _is_stored(table: exp.Table, level: Level, reader: Reader) -> bool:
    if not table.db and table.name.lower() in level.ctes:
        return False
    relation = reader.schema.relation(table.name, table.db)
    return relation is not None and not relation.is_view
