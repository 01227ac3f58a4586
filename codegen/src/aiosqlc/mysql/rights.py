"""Collect the table privileges that queries need on MySQL and MariaDB, from their syntax trees.

Triggers and views run with the privileges of their definers, and defaults call no user-defined
function.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from sqlglot import exp

from aiosqlc.analysis.grants import Needs, Right
from aiosqlc.ir import Table
from aiosqlc.mysql.relations import DEFAULT
from aiosqlc.mysql.syntax import Tree, parse
from aiosqlc.mysql.writes import changes


def needs(tables: Collection[Table], texts: Iterable[str], borrowed: Iterable[str] = ()) -> Needs:
    """Return the privileges that statements need, and reasons why they may need more.

    `borrowed` are statements of another configuration; they need no privileges on missing tables.
    """
    known = {(table.schema, table.name.lower()): table for table in tables}
    rights: set[Right] = set()
    unknown: dict[str, None] = {}
    for number, text in enumerate([*(own := list(texts)), *borrowed]):
        tree = parse(text)
        if tree is None:
            unknown[f"only the server can parse `{' '.join(text.split())[:60]}`"] = None
            continue
        found = {(p, *_name(t)) for p, t in _touched(tree, known)}
        if number >= len(own) and any((schema, name) not in known for _, schema, name in found):
            continue
        rights |= {
            Right(privilege, "TABLE", "" if schema == DEFAULT else schema, known[schema, name].name)
            for privilege, schema, name in found
            if (schema, name) in known
        }
    return Needs(frozenset(rights), tuple(unknown))


def _name(table: exp.Table) -> tuple[str, str]:
    return table.db or DEFAULT, table.name.lower()


def _touched(tree: Tree, known: Mapping[tuple[str, str], Table]) -> set[tuple[str, exp.Table]]:
    def has(table: exp.Table, name: str) -> bool:
        columns = known[_name(table)].columns if _name(table) in known else ()
        return any(column.name.lower() == name.lower() for column in columns)

    root = tree.root
    local = {cte.alias_or_name.lower() for cte in root.find_all(exp.CTE)}
    every = [t for t in root.find_all(exp.Table) if t.db or t.name.lower() not in local]
    changed = changes(root, has)
    found = {(privilege, table) for privilege, table in changed}
    heads = {id(table) for _, table in changed if _is_only_written(root)}
    found |= {("SELECT", table) for table in every if id(table) not in heads}
    if any(query.args.get("locks") for query in root.find_all(exp.Select)):
        found |= {("UPDATE", table) for table in every if id(table) not in heads}
    return found


def _is_only_written(root: exp.Expr) -> bool:
    """Return whether an INSERT only adds rows, and neither returns nor updates rows."""
    return isinstance(root, exp.Insert) and not (
        root.args.get("returning") or root.args.get("conflict")
    )
