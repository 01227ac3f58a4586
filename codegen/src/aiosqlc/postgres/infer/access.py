"""Find a statement's effects: written tables, violable constraints, changed session state."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from msgspec import Struct

from aiosqlc.ir import ColumnRef, Constraint
from aiosqlc.postgres.catalog.facts import FIRST_USER_OID, Facts
from aiosqlc.postgres.infer import kinds
from aiosqlc.postgres.infer.oids import functions_in
from aiosqlc.postgres.infer.violations import violable as violable_by
from aiosqlc.postgres.tree import Node

# Built-ins whose effects outlast the transaction and which a pool's reset undoes.
_LEAVES_TRACE = re.compile(
    r"set_config|pg_(?:try_)?advisory_lock(?:_shared)?|setseed|dblink\w*|lo_open|pg_reload_conf"
)
_SUSPECT_SOURCE = re.compile(
    r"\b(?:set_config|set|listen|execute|declare|prepare|temp|temporary|dblink\w*"
    r"|pg_(?:try_)?advisory_lock\w*)\b",
    re.IGNORECASE,
)
_WRITES = frozenset(
    {kinds.Command.INSERT, kinds.Command.UPDATE, kinds.Command.DELETE, kinds.Command.MERGE}
)


class Access(Struct, frozen=True):
    """The effects of a statement on the database; `TypedQuery` has fields with the same names."""

    writes: tuple[str, ...]
    violable: tuple[Constraint, ...]
    insert_into: ColumnRef | None
    session_clean: bool


def access_of(facts: Facts, queries: Iterable[Node]) -> Access:
    """Return the effects of a statement on the database, from its rewritten queries."""
    tops = list(queries)
    if any(top["commandType"] == kinds.Command.UTILITY for top in tops):
        return Access((), (), None, session_clean=False)
    called = {function for top in tops for function in functions_in(top)}
    calls = any(f >= FIRST_USER_OID and facts.volatile(f) for f in called)
    session_clean = all(_is_clean(facts, function) for function in called)
    writes: dict[str, None] = {}
    violable: dict[tuple[str, str, str], Constraint] = {}
    insert_into: ColumnRef | None = None
    for top in tops:
        for query in writing_queries(top):
            relation = int(query["rtable"][query["resultRelation"] - 1]["relid"])
            entry = facts.relations.get(relation)
            session_clean &= _triggers_are_clean(facts, relation)
            if entry is None:
                continue
            writes[f"{entry.schema}.{entry.name}"] = None
            for constraint in violable_by(facts, query, relation, calls=calls):
                violable[constraint.schema, constraint.table, constraint.name] = constraint
            if query is top and query["commandType"] == kinds.Command.INSERT:
                insert_into = ColumnRef(entry.schema, entry.name, "")
    return Access(tuple(writes), tuple(violable.values()), insert_into, session_clean)


def writing_queries(top: Node) -> Iterator[Node]:
    """Yield those queries that write: the statement itself and its WITH queries.

    Only the WITH queries at the top of a statement can write.
    """
    for query in (top, *(cte["ctequery"] for cte in top.list_of("cteList"))):
        if query["commandType"] in _WRITES and query["resultRelation"]:
            yield query


def _is_clean(facts: Facts, function: int) -> bool:
    entry = facts.functions.get(function)
    if entry is None:
        return False
    if entry.oid < FIRST_USER_OID:
        return _LEAVES_TRACE.fullmatch(entry.name) is None
    return not _SUSPECT_SOURCE.search(entry.source + entry.body)


def _triggers_are_clean(facts: Facts, relation: int) -> bool:
    return all(
        _is_clean(facts, trigger.function)
        for oid in (relation, *facts.descendants(relation))
        for trigger in facts.triggers.get(oid, ())
    )
