"""Test proposed indexes, and keep the fewest that make the plan of an SQL text much cheaper."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from aiosqlc.analysis.planned.plan import Plan
from aiosqlc.engines.planner import PlannedDatabase
from aiosqlc.production.advice.candidates import Candidate

_WORTH = 2.0  # times cheaper
LEAST = 100.0  # of the planner's units of cost: reading 100 pages in order
LEAST_WITH_VALUES = 1000.0  # other values are cheaper, so a single one must cost more
NEARLY = 1.2  # a smaller proposal may be that much more expensive


class Remedy(Struct, frozen=True):
    """Tested indexes, with an SQL text's plan without these indexes and the plan with them."""

    indexes: tuple[Candidate, ...]
    before: Plan
    after: Plan


def remedy(
    database: PlannedDatabase,
    sql: str,
    before: Plan,
    proposed: Sequence[Candidate],
    least: float = LEAST,
) -> Remedy | None:
    """Return the fewest proposed indexes that make an SQL text's plan much cheaper, or None.

    Together, these indexes must halve the cost and reduce it by at least `least`.
    """
    names = {
        database.tried[one.definition]: one for one in proposed if one.definition in database.tried
    }
    if not names or before.cost < least:
        return None
    best = database.plan(sql, using=names)
    if best is None or not better(before, best, least):
        return None
    used = [name for name in names if name in {node.index for node in best.walk()}]
    chosen, after = used, best
    for name, candidate in names.items():
        alone = database.plan(sql, using=[name])
        if alone and better(before, alone, least) and alone.cost <= best.cost * NEARLY:
            shorter = len(candidate.keys) < sum(len(names[one].keys) for one in chosen)
            if len(chosen) > 1 or shorter or alone.cost * NEARLY < after.cost:
                chosen, after = [name], alone
    if not chosen:
        return None
    return Remedy(tuple(names[name] for name in chosen), before, after)


def better(before: Plan, after: Plan, least: float) -> bool:
    """Return whether a plan is half as expensive as another, and at least `least` cheaper."""
    return after.cost * _WORTH <= before.cost and before.cost - after.cost >= least
