"""Estimate the fraction of a table's rows that a partial index contains."""

from __future__ import annotations

import re
from collections.abc import Mapping

from aiosqlc.analysis.planned.arrays import items_of
from aiosqlc.analysis.planned.statistics import RelationSize, Statistics

_EQUAL = re.compile(
    r"""\(*"?(?P<column>\w+)"?\)*(?:::\w+)? = (?:'(?P<text>(?:[^']|'')*)'|(?P<other>-?\w+))"""
)
_NULL = re.compile(r'"?(?P<column>\w+)"? IS (?P<not>NOT )?NULL')
_BOOLEANS = {"true": "t", "false": "f"}


def share_of(statistics: Statistics, table: RelationSize, predicate: str) -> float:
    """Return the fraction of rows for which a partial index's predicate is true.

    Equalities with constants and tests for NULL each have a fraction, and the result is their
    product. Any other condition counts as true for all rows.
    """
    share = 1.0
    for part in predicate.split(" AND "):
        if " OR " in part:
            continue
        if found := _EQUAL.search(part):
            value = (
                (found["text"] or "").replace("''", "'")
                if found["other"] is None
                else found["other"]
            )
            share *= _of_value(values_of(statistics, table, found["column"]), value)
        elif found := _NULL.search(part):
            nulls = float(values_of(statistics, table, found["column"]).get("null_frac", "0"))
            share *= 1 - nulls if found["not"] else nulls
    return share


def values_of(statistics: Statistics, table: RelationSize, column: str) -> Mapping[str, str]:
    """Return the statistics of a column, or an empty mapping."""
    wanted = (table.schema, table.name, column)
    return next(
        (
            dict(item.values)
            for item in statistics.columns
            if (item.schema, item.relation, item.column) == wanted and not item.inherited
        ),
        {},
    )


def _of_value(values: Mapping[str, str], value: str) -> float:
    """Return the fraction of rows whose column equals `value`, from the column's statistics."""
    items = items_of(values.get("most_common_vals", "{}"))
    shares = values.get("most_common_freqs", "{}").strip("{}").split(",")
    value = _BOOLEANS.get(value, value)
    if value in items and len(shares) == len(items):
        return float(shares[items.index(value)])
    distinct = float(values.get("n_distinct", "200"))
    return 1 / distinct if distinct > 1 else 0.005
