"""What GROUP BY makes of rows: whether every group has a row, and which keys a set can leave out."""

from __future__ import annotations

import itertools

from aiosqlc.postgres.infer import kinds
from aiosqlc.postgres.tree import Node

_MOST_SETS = 256  # CUBE grows exponentially; beyond this we claim nothing


def grouping_sets(query: Node) -> list[frozenset[int]] | None:
    """Return the grouping sets as sets of sort-group references; None if there are too many.

    A plain GROUP BY is one set. A query without grouping has the empty list.
    """
    if not query["groupingSets"]:
        keys = frozenset(c["tleSortGroupRef"] for c in query.items("groupClause"))
        return [keys] if keys else []
    product: list[frozenset[int]] = [frozenset()]
    for node in query["groupingSets"]:
        part = _expand(node)
        if part is None or len(product) * len(part) > _MOST_SETS:
            return None
        product = [left | right for left, right in itertools.product(product, part)]
    return product


def _expand(node: Node) -> list[frozenset[int]] | None:
    kind, content = node["kind"], node["content"] or []
    if kind == kinds.GroupingSet.EMPTY:
        return [frozenset()]
    if kind == kinds.GroupingSet.SIMPLE:
        return [frozenset(content)]
    if kind == kinds.GroupingSet.SETS:
        found: list[frozenset[int]] = []
        for inner in content:
            part = _expand(inner)
            if part is None:
                return None
            found += part
        return found
    parts = [frozenset(inner["content"] or []) for inner in content]
    if kind == kinds.GroupingSet.ROLLUP:
        return [frozenset().union(*parts[:n]) for n in range(len(parts), -1, -1)]
    if 2 ** len(parts) > _MOST_SETS:
        return None
    return [
        frozenset().union(*chosen)
        for n in range(len(parts) + 1)
        for chosen in itertools.combinations(parts, n)
    ]


def is_ungrouped_aggregate(query: Node) -> bool:
    """Whether the query makes one row of all its rows, even of none."""
    aggregated = query["hasAggs"] or query["havingQual"] is not None
    return bool(aggregated) and not query["groupClause"] and not query["groupingSets"]


def groups_have_rows(query: Node) -> bool:
    """Whether every group an aggregate sees holds at least one row."""
    sets = grouping_sets(query)
    return sets is not None and bool(sets) and all(sets)
