"""Find declared distributions that contradict the schema, the number of rows or each other."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from aiosqlc.analysis.planned.declared import Distribution

_EXACT = 1e-9  # the sum of decimal fractions is not exact


class Referenced(Struct, frozen=True):
    """The table to which a column refers; `assumed` means that its row count is not declared."""

    name: str
    rows: float
    assumed: bool


class Bounds(Struct, frozen=True):
    """The limits that the schema and the row count set for the distribution of a column.

    `rows` is the number of rows of the table. `assumed` means that this number is not declared.
    `choices` are all values that the column allows, or empty if they are unknown. `referenced` is
    the table to which all values of the column refer.
    """

    rows: float
    assumed: bool
    not_null: bool
    unique: bool
    choices: tuple[str, ...]
    referenced: Referenced | None


def contradictions(place: str, one: Distribution, bounds: Bounds) -> Iterator[tuple[str, str, str]]:
    """Yield, for each contradiction in a distribution, the declared property, a message and a hint.

    `place` is the column as `table.column`.
    """
    nulls = one.nulls or 0.0
    named = {value: share for value, share in one.values if share}
    if bounds.not_null and nulls:
        yield (
            "nulls",
            f"`{place}` is NOT NULL, so `nulls` cannot be {nulls:g}",
            "remove `nulls`",
        )
        nulls = 0.0
    there = round(bounds.rows * (1 - nulls))
    if one.distinct is not None:
        possible = tuple(value for value in bounds.choices if value not in one.never)
        yield from _distinct(place, one.distinct, len(named), there, bounds)
        if bounds.choices and one.distinct > len(possible):
            most = len(possible)
            said = f"`{place}` can have {most} values only"
            yield "distinct", said, f"write at most `{most}`"
    if bounds.unique and named and max(named.values()) * bounds.rows > 1 + _EXACT:
        yield (
            "values",
            f"`{place}` is unique, so a value is in at most one of {_number(bounds.rows)} rows",
            "remove `values`",
        )
    for value in named if bounds.choices else ():
        if value not in bounds.choices:
            said = f"no row of `{place}` can have the value `{value}`"
            yield "values", said, f"possible are {', '.join(bounds.choices)}"
    exhausted = bool(bounds.choices) and {*bounds.choices} <= {*named, *one.never}
    exhausted |= one.distinct is not None and 0 < one.distinct <= len(named)
    known_nulls = bounds.not_null or one.nulls is not None
    total = sum(named.values()) + nulls
    if exhausted and known_nulls and total < 1 - _EXACT:
        said = f"`{place}` has only the declared values, but their shares add up to {total:g}"
        yield "values", said, "write shares that add up to 1"


def _distinct(
    place: str, distinct: int, named: int, there: int, bounds: Bounds
) -> Iterator[tuple[str, str, str]]:
    rows = f"{_rows(there)} {'has' if there == 1 else 'have'}"
    if distinct > there:
        declare = f"declare the number of rows; {_number(bounds.rows)} are assumed"
        said = f"`{place}` cannot have {_number(distinct)} distinct values: {rows} a value"
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
    if not distinct and there and not named and not bounds.unique:
        least = "write at least `1`"
        said = f"`distinct` of `{place}` is 0, but {rows} a value"
        yield "distinct", said, least if bounds.not_null else f"{least}, or `nulls: 1`"
    if (target := bounds.referenced) and distinct > target.rows:
        said = f"`{place}` cannot have {_number(distinct)} distinct values: {_rows(target.rows)} of"
        most = _number(target.rows)
        declare = f"declare the number of rows of `{target.name}`; {most} are assumed"
        hint = declare if target.assumed else f"write at most `{most}`"
        yield "distinct", f"{said} `{target.name}` exist", hint


def _rows(number: float) -> str:
    return "1 row" if number == 1 else f"{_number(number)} rows"


def _number(value: float) -> str:
    return f"{value:,.0f}"
