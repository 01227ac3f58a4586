"""Find indexes that are unnecessary, because another index begins with the same keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aiosqlc.analysis.planned.facts import Index
from aiosqlc.engines.planner import PlannedDatabase
from aiosqlc.production.advice.candidates import Candidate
from aiosqlc.production.advice.tried import NEARLY, Remedy
from aiosqlc.production.plans import PlannedText

_SAME = 1.1  # a plan without the index may be that much more expensive


def is_known(candidate: Candidate, existing: Sequence[Index]) -> bool:
    """Return whether an index of the schema begins with the keys of a proposed index."""
    keys = tuple(key.strip("()") for key in candidate.keys)
    return any(
        index.table == candidate.table
        and index.method == (candidate.method or "btree")
        and not (index.where or candidate.where)
        and tuple(key.strip("()") for key in index.keys[: len(keys)]) == keys
        for index in existing
    )


def merged(
    database: PlannedDatabase, remedies: Mapping[int, Remedy], texts: Sequence[PlannedText]
) -> dict[int, Remedy]:
    """Replace a proposed index by a longer one that begins with its keys and helps as much.

    The longer index is also proposed. `remedies` maps an SQL text's position in `texts` to the
    indexes that are proposed for it.
    """
    chosen = list(dict.fromkeys(one for remedy in remedies.values() for one in remedy.indexes))
    found = {}
    for number, remedy in remedies.items():
        found[number] = remedy
        longer = tuple(
            next((other for other in chosen if _begins(other, one)), one) for one in remedy.indexes
        )
        if longer != remedy.indexes:
            using = [database.tried[one.definition] for one in longer]
            plan = database.plan(texts[number].sql, using=using)
            if plan is not None and plan.cost <= remedy.after.cost * NEARLY:
                found[number] = Remedy(tuple(dict.fromkeys(longer)), remedy.before, plan)
    return found


def _begins(longer: Candidate, one: Candidate) -> bool:
    return (
        (longer.table, longer.method, longer.where) == (one.table, one.method, one.where)
        and len(longer.keys) > len(one.keys)
        and longer.keys[: len(one.keys)] == one.keys
    )


def replaced(
    database: PlannedDatabase, candidate: Candidate, texts: Sequence[PlannedText]
) -> list[Index]:
    """Return the indexes of the schema that a proposed index makes useless.

    The proposed index begins with the keys of each returned index. No plan becomes more than 10 %
    more expensive if the proposed index replaces the returned index.
    """
    using = [database.tried[candidate.definition]]
    return [
        index
        for index in database.indexes
        if index.table == candidate.table
        and index.method == (candidate.method or "btree")
        and not (index.unique or index.needed or index.includes or index.where or candidate.where)
        and index.keys == candidate.keys[: len(index.keys)]
        and unneeded(database, index, texts, using)
    ]


def unneeded(
    database: PlannedDatabase,
    index: Index,
    texts: Sequence[PlannedText],
    using: Sequence[str] = (),
) -> bool:
    """Return whether dropping an index makes no plan more than 10 % more expensive.

    The plans can use the indexes in `using` instead.
    """
    for text in texts:
        if text.plan is None or index.name not in {node.index for node in text.plan.walk()}:
            continue
        without = database.plan(text.sql, using=using, without=[index.name])
        if without is None or without.cost > text.plan.cost * _SAME:
            return False
    return True
