"""Which rights the queries need on MySQL and MariaDB: those on tables, from the statement's tree.

Triggers and views run as whoever defined them there, and defaults call nothing of the user's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlglot import exp

from aiosqlc.grants import Needs, Right
from aiosqlc.ir import Table
from aiosqlc.mysql.relations import DEFAULT
from aiosqlc.mysql.syntax import Tree, parse


def needs(tables: Collection[Table], texts: Iterable[str], borrowed: Iterable[str] = ()) -> Needs:
    """Return the rights, and what cannot be followed.

    Of `borrowed` statements, those on tables that are not there need nothing.
    """
    known = {(table.schema, table.name.lower()): table.name for table in tables}
    rights: set[Right] = set()
    unknown: dict[str, None] = {}
    for number, text in enumerate([*(own := list(texts)), *borrowed]):
        tree = parse(text)
        if tree is None:
            unknown[f"`{' '.join(text.split())[:60]}` is read by the server alone"] = None
            continue
        found = {(p, *_name(t)) for p, t in _touched(tree)}
        if number >= len(own) and any((schema, name) not in known for _, schema, name in found):
            continue
        rights |= {
            Right(privilege, "TABLE", "" if schema == DEFAULT else schema, known[schema, name])
            for privilege, schema, name in found
            if (schema, name) in known
        }
    return Needs(frozenset(rights), tuple(unknown))


def _name(table: exp.Table) -> tuple[str, str]:
    return table.db or DEFAULT, table.name.lower()


def _touched(tree: Tree) -> set[tuple[str, exp.Table]]:
    root = tree.root
    local = {cte.alias_or_name.lower() for cte in root.find_all(exp.CTE)}
    every = [t for t in root.find_all(exp.Table) if t.db or t.name.lower() not in local]
    changed = _changed(root, every)
    found = {(privilege, table) for privilege, table in changed}
    heads = {id(table) for _, table in changed if _is_only_written(root)}
    found |= {("SELECT", table) for table in every if id(table) not in heads}
    if any(query.args.get("locks") for query in root.find_all(exp.Select)):
        found |= {("UPDATE", table) for table in every if id(table) not in heads}
    return found


def _is_only_written(root: exp.Expr) -> bool:
    """Whether nothing of the row that an INSERT makes, or meets, is read."""
    return isinstance(root, exp.Insert) and not (
        root.args.get("returning") or root.args.get("conflict")
    )


def _changed(root: exp.Expr, every: list[exp.Table]) -> list[tuple[str, exp.Table]]:
    if isinstance(root, exp.Insert):
        target = root.this.this if isinstance(root.this, exp.Schema) else root.this
        conflict = root.args.get("conflict")
        updates = [("UPDATE", target)] if conflict and conflict.args.get("expressions") else []
        replaces = [("DELETE", target)] if root.args.get("overwrite") else []
        return [("INSERT", target), *updates, *replaces]
    if isinstance(root, exp.Update):
        joined = [root.this, *root.this.find_all(exp.Table)]
        return [("UPDATE", table) for table in joined if isinstance(table, exp.Table)]
    if isinstance(root, exp.Delete):
        heads = root.args.get("tables") or [root.this]
        aliases = {table.alias_or_name.lower(): table for table in every}
        return [("DELETE", aliases.get(head.name.lower(), head)) for head in heads]
    return []
