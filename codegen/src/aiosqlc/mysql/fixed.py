"""Recognize sub-selects with one value for the whole statement, which the server runs once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from aiosqlc.mysql.functions import AGGREGATES, STRICT, name_of
from aiosqlc.mysql.scope import Level

if TYPE_CHECKING:
    from aiosqlc.mysql.reader import Reader

_KNOWN = AGGREGATES | STRICT | {"COALESCE", "NULLIF", "AND", "OR", "CASE", "IF", "CAST"}
# Nodes that may select other rows on each run, or that read results of earlier statements.
_LOOSE = (
    exp.Limit, exp.Fetch, exp.Offset, exp.With, exp.Lock, exp.Parameter, exp.SessionParameter,
    exp.PropertyEQ, exp.Window, exp.Lateral,
)  # fmt: skip


def is_constant(query: exp.Query, level: Level, reader: Reader) -> bool:
    """Return whether a sub-select depends neither on outer rows nor on random functions."""
    reader.sub_select(query, level)
    inside = {id(node) for node in query.walk()}
    for node in query.walk():
        if isinstance(node, _LOOSE):
            return False
        if isinstance(node, exp.Func) and name_of(node) not in _KNOWN:
            return False
        if isinstance(node, exp.Table) and not _is_stored(node, level, reader):
            return False
        if isinstance(node, exp.Column):
            found = _level_of(node, reader)
            if found is None or id(found.node) not in inside:
                return False
    return True


def _is_stored(table: exp.Table, level: Level, reader: Reader) -> bool:
    if not table.db and table.name.lower() in level.ctes:
        return False
    relation = reader.schema.relation(table.name, table.db)
    return relation is not None and not relation.is_view


def _level_of(column: exp.Column, reader: Reader) -> Level | None:
    """Return the SELECT level that a column belongs to."""
    level = reader.level_of(column)
    found = level.resolve(column) if level is not None else None
    return found[0] if found else None
