"""Prove that a statement is read-only from its syntax tree, so that a replica can run it.

The proof is conservative: it allows only functions on a list, no stored functions, and only tables
of the schema.
"""

from __future__ import annotations

from typing import Final

from sqlglot import exp

from aiosqlc.mysql.functions import AGGREGATES, RANKS, SCALAR, name_of, routine_name
from aiosqlc.mysql.relations import Schema

# Functions that read or change the session, wait for a lock or advance a counter.
_DENIED: Final = frozenset({
    "BENCHMARK", "CONNECTION_ID", "FOUND_ROWS", "GET_LOCK", "LAST_INSERT_ID", "LASTVAL", "NEXTVAL",
    "RELEASE_LOCK", "ROW_COUNT", "UUID_SHORT",
})  # fmt: skip
_SYNTAX: Final = frozenset({
    "ALL", "AND", "ANY", "CASE", "CAST", "COLLATE", "CONVERT", "EXISTS", "EXTRACT", "FIRST_VALUE",
    "IF", "JSON_TABLE", "LAG", "LAST_VALUE", "LEAD", "MATCH_AGAINST", "NOT", "NTH_VALUE", "NTILE",
    "OR", "REGEXP_I_LIKE", "TRY_CAST", "XOR",
})  # fmt: skip
READING: Final = (SCALAR | AGGREGATES | RANKS | _SYNTAX) - _DENIED
_WRITES = (exp.DML, exp.DDL, exp.Command, exp.Into)


def why_not(root: exp.Expr | None, schema: Schema) -> str:
    """Return why a statement is not proved read-only, or '' if it is."""
    if root is None:
        return "the query was not parsed"
    if not isinstance(root, exp.Query):
        return "the statement is not a SELECT"
    return next(filter(None, (_of(node, schema) for node in root.walk())), "")


def _of(node: exp.Expr, schema: Schema) -> str:
    """Return why a syntax node is not read-only, or '' if it is; ignore the nodes below it."""
    if isinstance(node, _WRITES) and not isinstance(node, exp.Query):
        return "a part of the query writes"
    if isinstance(node, exp.Lock) or node.args.get("operation_modifiers"):
        return "the query locks rows or changes the session"
    if isinstance(node, exp.Parameter | exp.PropertyEQ):
        return "the query uses a session variable"
    if isinstance(node, exp.Dot) and isinstance(node.expression, exp.Func):
        return "the query calls a stored function"
    if isinstance(node, exp.Table):
        return _table(node, schema)
    name = name_of(node)
    if name and (schema.routine(routine_name(name)) is not None or name not in READING):
        return f"{name}() is not on the list of read-only functions"
    return ""


def _table(node: exp.Table, schema: Schema) -> str:
    if not isinstance(node.this, exp.Identifier):  # a function, which is checked separately
        return ""
    if not node.db and _is_common(node):
        return ""
    relation = schema.relation(node.name, node.db)
    if relation is None:
        return f"{node.name} is not a table of the schema"
    return relation.unproved_reading


def _is_common(node: exp.Table) -> bool:
    """Return whether a table name refers to a WITH query of an enclosing SELECT."""
    around: exp.Expr | None = node
    while around is not None:
        found = around.args.get("with_")
        if found and any(cte.alias.lower() == node.name.lower() for cte in found.expressions):
            return True
        around = around.parent
    return False
