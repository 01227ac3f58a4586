"""Convert an UPDATE or DELETE to a query from which tenant separation is proved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import structs
from sqlglot import exp

from aiosqlc.mysql.known_fields import is_understood
from aiosqlc.mysql.levels import limit_of
from aiosqlc.mysql.scope import Level, unwrap
from aiosqlc.mysql.tenancy.facts import OTHER, number_of, opaque
from aiosqlc.mysql.tenancy.lowering import TenantLowering
from aiosqlc.mysql.tenancy.nodes import parts
from aiosqlc.relational.tree import Command, Expr, Query

if TYPE_CHECKING:
    from aiosqlc.mysql.tenancy.statement import Statement

Targets = Mapping[int, Sequence[exp.Expr]]
"""The numbers of the changed tables, each with its assignments."""


def change_of(node: exp.Update | exp.Delete, statement: Statement) -> Query:
    """Convert an UPDATE or DELETE to a `Query`, with an action for each changed table."""
    level = statement.reader.levels.get(id(node))
    if level is None or not all(map(is_understood, parts(node))):
        return OTHER
    lowering = _Change(node, level, statement, ())
    update = isinstance(node, exp.Update)
    targets = _updated(node, level) if update else _deleted(node, level, statement)
    root, sources = lowering.root(node), lowering.sources()
    if root is None or lowering.is_ambiguous() or not targets:
        return OTHER
    links = lowering.sub_selects(node)
    whole = Query(
        command=Command.UPDATE if update else Command.DELETE,
        sources=sources,
        root=root,
        reads_from=tuple(range(1, len(sources) + 1)),
        outputs=lambda: lowering.returned(node),
        plain_list=True,
        limit=limit_of(node),
        no_windows=True,
        subqueries=lambda: links,
        name=lowering.name,
    )

    def action(number: int) -> Query:
        relation = level.sources[number].relation
        return structs.replace(
            whole,
            target=number + 1,
            assigned=lambda: lowering.assigned(number, targets),
            calls=lambda: (*statement.calls, *statement.fired(relation, node)),
        )

    actions = list(map(action, targets))
    return actions[0] if len(actions) == 1 else Query(actions=lambda: actions)


class _Change(TenantLowering):
    """Converts the assignments of an UPDATE."""

    def assigned(self, number: int, targets: Targets) -> Mapping[int, Expr]:
        """Return the expressions that an UPDATE assigns to a table's columns.

        The server assigns from left to right, so a column that the statement assigns may have its
        new value when another assignment reads it.
        """
        written = Counter(
            (source, item.this.name.lower()) for source, items in targets.items() for item in items
        )
        relation = self.level.sources[number].relation
        found: dict[int, Expr] = {}
        for item in targets[number] if relation is not None else ():
            name, value = item.this.name.lower(), unwrap(item.expression)
            local = self.level.local(value) if isinstance(value, exp.Column) else None
            place = (local[0].number, local[1].name.lower()) if local is not None else None
            once = written[number, name] == 1
            old = place is None or not written[place] or place == (number, name)
            if relation is not None:
                output = self._resolved(value)
                kept = self.statement.keeps(self.node, relation, name, output)
                known = once and old and kept
                found[number_of(relation, name)] = self.expr(value) if known else opaque(value)
        return found


def _updated(node: exp.Expr, level: Level) -> Targets:
    """Return the tables that an UPDATE changes, or no tables if a target is unknown."""
    found: dict[int, list[exp.Expr]] = {}
    for item in node.expressions:
        known = isinstance(item, exp.EQ) and isinstance(item.this, exp.Column)
        local = level.local(item.this) if known else None
        if local is None:
            return {}
        found.setdefault(local[0].number, []).append(item)
    return found


def _deleted(node: exp.Expr, level: Level, statement: Statement) -> Targets:
    """Return the tables from which a DELETE removes rows, or no tables if a target is unknown."""
    heads = node.args.get("tables") or []
    if node.args.get("using"):
        heads = [node.this, *(join.this for join in node.this.args.get("joins") or [])]
    if not heads:
        return {0: ()} if len(level.sources) == 1 else {}
    found: dict[int, Sequence[exp.Expr]] = {}
    for head in heads:
        named = isinstance(head, exp.Table)
        source = level.source(head.alias_or_name, head.db) if named else None
        if source is None:
            return {}
        statement.seen.add(id(head))
        found[source.number] = ()
    return found
