"""Find the required columns to which an INSERT or MERGE assigns no value."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from aiosqlc.postgres.catalog.facts import Facts
from aiosqlc.postgres.catalog.rows import Attribute
from aiosqlc.postgres.infer import kinds
from aiosqlc.postgres.infer.access import writing_queries
from aiosqlc.postgres.tree import Node

_ROW, _BEFORE, _ON_INSERT = 1, 2, 4  # bits of pg_trigger.tgtype


class Missing(Struct, frozen=True):
    """The required columns that get no value, or a literal NULL, each as `table.column`.

    `always` means that the statement always fails: an INSERT that always inserts a row omits the
    column. Other statements fail only if they insert a row: a MERGE, an INSERT from a SELECT, or an
    INSERT under the condition of a rule.
    """

    columns: tuple[str, ...] = ()
    always: bool = True


def missing_columns(facts: Facts, queries: Iterable[Node]) -> Missing:
    """Return the required columns that an INSERT always omits, or else those that it may omit.

    The server has already added defaults, identities and generated values to the tree. Nothing is
    reported if a trigger may assign a value before the server checks the row.
    """
    surely: dict[str, None] = {}
    perhaps: dict[str, None] = {}
    for top in queries:
        for query in writing_queries(top):
            if query["commandType"] == kinds.Command.INSERT and query["jointree"]["quals"] is None:
                # An INSERT with a condition of its own is the result of a rewrite rule.
                into = surely if _has_a_row(query) else perhaps
                into |= dict.fromkeys(_missing(facts, query, query))
            for action in query.list_of("mergeActionList"):
                if action["commandType"] == kinds.Command.INSERT:
                    perhaps |= dict.fromkeys(_missing(facts, query, action))
    return Missing(tuple(surely or perhaps), always=bool(surely) or not perhaps)


def _has_a_row(query: Node) -> bool:
    """Return whether an INSERT always inserts a row, for any content of the tables."""
    join = query["jointree"]
    if join["quals"] is not None or any(query[name] is not None for name in _FEWER):
        return False
    sources = [source for source in join.list_of("fromlist") if source.kind == "RANGETBLREF"]
    if len(sources) != len(join.list_of("fromlist")):
        return False
    entries = [query["rtable"][source["rtindex"] - 1] for source in sources]
    return not query["hasTargetSRFs"] and all(
        entry["rtekind"] == kinds.Rte.VALUES
        or (entry["rtekind"] == kinds.Rte.SUBQUERY and _has_a_row(entry["subquery"]))
        for entry in entries
    )


# Clauses that may remove rows.
_FEWER = ("havingQual", "limitCount", "limitOffset", "setOperations")


def _missing(facts: Facts, query: Node, insert: Node) -> list[str]:
    relation = int(query["rtable"][query["resultRelation"] - 1]["relid"])
    entry = facts.relations.get(relation)
    if entry is None or entry.kind not in "rp" or _may_be_filled_in(facts, relation):
        return []
    given = {t["resno"] for t in insert.list_of("targetList") if not _is_null(t["expr"])}
    return [
        f"{entry.name}.{column.name}"
        for column in facts.columns.get(relation, ())
        if column.number not in given and not column.generated and _is_required(facts, column)
    ]


def _may_be_filled_in(facts: Facts, relation: int) -> bool:
    needed = _ROW | _BEFORE | _ON_INSERT
    return any(
        trigger.type & needed == needed
        for oid in (relation, *facts.descendants(relation))
        for trigger in facts.triggers.get(oid, ())
    )


def _is_required(facts: Facts, column: Attribute) -> bool:
    kind = facts.types.get(column.type)
    while kind is not None and kind.kind == "d" and not kind.not_null:
        kind = facts.types.get(kind.base)
    return column.not_null or (kind is not None and kind.kind == "d")


def _is_null(expression: Node) -> bool:
    return expression.kind == "CONST" and bool(expression["constisnull"])
