"""Find declared distributions that contradict the schema, the number of rows or each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from aiosqlc.analysis.planned.declared import Distribution

_EXACT = 1e-9  # the sum of decimal fractions is not exact


@dataclass(frozen=True, slots=True)
class Bounds:
    """The facts about a column that bound its distribution.

    `rows` is the number of rows of the table, and `assumed` is whether that number is not declared.
    `choices` are all values that the column allows, or nothing if they are unknown.
    """

    rows: float
    assumed: bool
    not_null: bool
    unique: bool
    choices: tuple[str, ...]


def contradictions(place: str, one: Distribution, bounds: Bounds) -> Iterator[tuple[str, str, str]]:
    """Yield the key, the message and the hint for each contradiction in a distribution.

    `place` is the column as `table.column`.
    """
    nulls = one.nulls or 0.0
    named = [share for _, share in one.values if share]
    if bounds.not_null and nulls:
        yield (
            "nulls",
            f"`{place}` is NOT NULL, so `nulls` cannot be {nulls:g}",
            "remove `nulls`",
        )
        nulls = 0.0
    there = round(bounds.rows * (1 - nulls))
    if one.distinct is not None:
        yield from _distinct(place, one.distinct, len(named), there, bounds)
    if bounds.unique and named and max(named) * bounds.rows > 1 + _EXACT:
        yield (
            "values",
            f"`{place}` is unique, so a value is in at most one of {_number(bounds.rows)} rows",
            "remove `values`",
        )
    possible = len(bounds.choices) if one.distinct is None else one.distinct
    known_nulls = bounds.not_null or one.nulls is not None
    total = sum(named) + nulls
    if possible and known_nulls and len(one.values) >= possible and total < 1 - _EXACT:
        said = f"`{place}` has no other values, but its shares are {total:g} in total"
        yield "values", said, "write shares that are 1 in total"


def _distinct(
    place: str, distinct: int, named: int, there: int, bounds: Bounds
) -> Iterator[tuple[str, str, str]]:
    rows = "1 row has" if there == 1 else f"{_number(there)} rows have"
    if distinct > there:
        declare = f"declare the number of rows; {_number(bounds.rows)} are assumed"
        said = f"{_number(distinct)} distinct values of `{place}`, but {rows} one"
        yield "distinct", said, declare if bounds.assumed else f"write at most `{there}`"
    elif bounds.unique and distinct < there:
        said = f"`{place}` is unique, so it has {_number(there)} distinct values"
        yield "distinct", said, "remove `distinct`"
    if distinct < named:
        yield (
            "distinct",
            f"`values` names {named} values of `{place}`, but `distinct` is {distinct}",
            f"write at least `{named}`",
        )
    if bounds.choices and distinct > len(bounds.choices):
        most = len(bounds.choices)
        yield "distinct", f"`{place}` can have {most} values only", f"write at most `{most}`"


def _number(value: float) -> str:
    return f"{value:,.0f}"
