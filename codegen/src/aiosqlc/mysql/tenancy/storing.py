"""Decide whether the server stores a value in a column unchanged."""

from __future__ import annotations

from typing import Final

from sqlglot import exp

from aiosqlc.mysql.relations import Relation
from aiosqlc.mysql.scope import Output

WHOLE_NUMBERS: Final = ("tinyint", "smallint", "mediumint", "int", "bigint")
"""The types of whole numbers, from the smallest to the largest."""
_ROUNDED = frozenset({"float", "double"})


def is_unchanged(given: Output, relation: Relation, column: str) -> bool:
    """Return whether each value of a query's column is stored unchanged, or rejected.

    Strict mode rejects a number that is out of range. It does not reject a text whose trailing
    spaces are cut, bytes that are padded, or an enum label whose number is another one in the
    column.
    """
    found = relation.column(column)
    if found is None or given.type is None or found.type.name in _ROUNDED:
        return False
    if given.type.name in WHOLE_NUMBERS and found.type.name in WHOLE_NUMBERS:
        return True
    collation = relation.collations.get(found.name.lower(), "")
    return (given.type, given.collation) == (found.type, collation)


def is_strict(node: exp.Expr, relation: Relation) -> bool:
    """Return whether a statement rejects a value that does not fit its column."""
    return not node.args.get("ignore") and relation.transactional


def is_counted(node: exp.Expr, relation: Relation, column: str) -> bool:
    """Return whether an INSERT of NULL or 0 into a column generates an auto-increment value."""
    return isinstance(node, exp.Insert) and column.lower() in relation.counted
