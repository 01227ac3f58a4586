"""Hints for aggregates and window functions in clauses that do not allow them.

The right correction depends on the clause.
"""

from __future__ import annotations

from typing import Final

NOT_GROUPED: Final = "add the column to GROUP BY, or use an aggregate such as `max(…)`"


def group_advice(place: str, aggregate: str = "aggregate") -> str:
    """Return a hint for an aggregate or window function in a clause that does not allow it.

    `place` is the clause in upper case, or `NESTED` if the function is inside another aggregate or
    window function.
    """
    if place == "NESTED":
        return "compute the inner one in a sub-select in FROM, and the outer one over it"
    if place.startswith("WHERE"):
        if aggregate == "window":
            return "compute it in a sub-select in FROM, and filter its rows: `WHERE n = 1`"
        return (
            "move a condition on a group to `HAVING`; to compare with an aggregate of the whole"
            " table, write a sub-select: `a = (SELECT max(a) FROM t)`"
        )
    if place.startswith("GROUP"):
        return "group by the columns themselves; compute this in a sub-select in FROM"
    if place.startswith(("HAVING", "ORDER")):
        return "compute it in a sub-select in FROM"
    return "compute the aggregate in a sub-select: `(SELECT max(a) FROM t)`"
