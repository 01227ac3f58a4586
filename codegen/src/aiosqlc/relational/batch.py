"""Find the parameters by which a query looks up rows, and prove that it can take many keys at once.

A query reads by a key if it selects the rows in which a column equals a parameter. With a list of
keys in place of the parameter, the query returns the rows of all keys. The rows of one key are then
those that the original query returns for this key, in the same order, unless a clause such as GROUP
BY or LIMIT combines or counts rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aiosqlc.ir import Lookup
from aiosqlc.relational.tree import Column, Command, Equality, Parameter, Query


def lookup_of(query: Query) -> Lookup:
    """Find the parameters that a list of keys can replace.

    `why` of the result is the reason if the query cannot take several keys, or ''.
    """
    return Lookup(tuple(_keys(query)), _why_not(query))


def in_both(ours: Lookup | None, theirs: Lookup | None, numbers: Sequence[int]) -> Lookup | None:
    """Return the parameters that a list of keys can replace in a query and in its variant.

    `numbers` has, for each parameter of the variant, its number in the query.
    """
    if ours is None or theirs is None:
        return None
    keys = {numbers[number - 1] for number in theirs.keys}
    return Lookup(tuple(key for key in ours.keys if key in keys), ours.why or theirs.why)


def _keys(query: Query) -> Iterator[int]:
    """Yield each parameter that is compared with a column whose values can be keys of a dict."""
    for condition in query.root.conditions:
        meaning = condition.meaning
        if not isinstance(meaning, Equality) or not meaning.key:
            continue
        sides = meaning.left, meaning.right
        for column, given in (sides, sides[::-1]):
            if isinstance(column, Column) and not column.level and isinstance(given, Parameter):
                yield given.number


def _why_not(query: Query) -> str:
    if query.arms is not None:
        return "a set operation combines rows of several SELECTs"
    if query.command is not Command.SELECT:
        return "only a SELECT can be proved to read by a key"
    limit = query.limit
    if not (limit.most is None and limit.exact and limit.some and limit.from_first):
        return "LIMIT or OFFSET would count the rows of all keys together"
    if query.one_group or query.group_keys or query.grouping_sets != () or not query.every_group:
        return "GROUP BY or an aggregate would combine the rows of several keys"
    if query.distinct_keys and not query.distinct_rows:
        return "DISTINCT ON would combine the rows of several keys"
    if not query.no_windows:
        return "a window function would read the rows of several keys"
    if not query.no_locks:
        return "FOR UPDATE or FOR SHARE would lock the rows of all keys"
    return ""
