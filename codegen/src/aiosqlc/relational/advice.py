"""Find joins and DISTINCT that have no effect, for rules of `vet`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from aiosqlc.relational.closure import Binding, Closure
from aiosqlc.relational.joins import joins_of, optional_side, sources_of
from aiosqlc.relational.rows import RowCounter
from aiosqlc.relational.tree import Column, Join, JoinKind, Query


def dead_joins(
    counter: RowCounter, query: Query, is_unread: Callable[[Join, frozenset[int]], bool]
) -> Iterator[int]:
    """Yield one FROM item for each outer join whose removal would not change the result.

    The item is the first one on the join's optional side. `is_unread` returns whether nothing
    outside the join reads the optional items, and no function in the join has a side effect.
    """
    if not query.no_locks or query.arms is not None:
        return
    for join in joins_of(query.root):
        if join.kind not in (JoinKind.LEFT, JoinKind.RIGHT):
            continue
        added = frozenset(sources_of(optional_side(join)))
        if is_unread(join, added):
            closure = Closure(counter, query, fixed=frozenset(sources_of(query.root)) - added)
            if not closure.has_full_join and added <= closure.determined:
                yield min(added)


def is_distinct_anyway(counter: RowCounter, query: Query, has_value: Callable[[int], bool]) -> bool:
    """Return whether the rows of a query are distinct even without DISTINCT.

    `has_value` returns whether a result column is NULL only if an outer join found no match.
    """
    if not query.distinct_keys or not query.distinct_rows or not query.plain_list:
        return False
    if query.arms is not None or query.grouping_sets is None:
        return False
    if query.one_group:
        return True
    if query.grouping_sets:
        return False
    if query.group_keys:
        return all(key.output for key in query.group_keys)
    # Equal rows have equal non-null columns. Two NULLs may come from different rows.
    bound = {
        key.output: Binding(False, key.classes, key.expr.collation)
        for key in query.distinct_keys
        if isinstance(key.expr, Column) and key.classes is not None and has_value(key.output)
    }
    closure = Closure(counter, query, bound)
    return not closure.has_full_join and closure.all_determined
