"""Choose common and rare values for the parameters of an SQL text, from column statistics.

The generic plan assumes a value of average frequency. If some values of a column are more frequent
than others, the server can choose different plans for a common and for a rare value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from aiosqlc.analysis.planned.arrays import items_of, numbers_of
from aiosqlc.analysis.planned.plan import Plan
from aiosqlc.analysis.planned.statistics import Statistics
from aiosqlc.engines.planner import PlannedDatabase
from aiosqlc.parse.scanner import Kind, scan
from aiosqlc.production.advice.conditions import Comparison, comparisons
from aiosqlc.production.advice.facts import Facts, facts_of
from aiosqlc.production.plans import PlannedText
from aiosqlc.source import Dialect

_UNEQUAL = 2.0  # times as frequent as the average value, or as rare
_FEWEST_BOUNDS = 4
_PARAMETER = re.compile(r"(?:ANY )?\(*\$(?P<number>\d+)\)*(?:::[\w ]+(?:\[\])?)?\)*")
_OF_ARRAYS = frozenset({"@>", "&&"})


class ValueClass(Struct, frozen=True):
    """Common or rare values for some parameters of an SQL text, as literals by parameter number.

    `words` describe the values without showing them: `a common value of status`. `wide` is true if
    the values select a range with nearly all rows.
    """

    words: str
    literals: Mapping[int, str]
    wide: bool = False


class _Choice(Struct, frozen=True):
    """Common or rare values for the parameters that are compared with one column."""

    words: str
    literals: Mapping[int, str]


def with_values(database: PlannedDatabase, text: PlannedText, facts: Facts) -> list[PlannedText]:
    """Return the SQL text with common values and with rare values, each with its plan.

    If all values are equally frequent, the list is empty.
    """
    found = []
    for one in value_classes(text.plan, facts) if text.plan else ():
        sql = with_literals(text.sql, one.literals)
        plan = database.plan(sql)
        if plan is not None:
            found.append(replace(text, sql=sql, plan=plan, values=one.words, wide=one.wide))
    return found


def differing(
    database: PlannedDatabase, text: PlannedText, statistics: Statistics
) -> list[PlannedText]:
    """Return the SQL text with each set of literals that changes the nodes of the generic plan."""
    found = with_values(database, text, facts_of(statistics))
    return [one for one in found if one.plan and text.plan and one.plan.shape != text.plan.shape]


def value_classes(plan: Plan, facts: Facts) -> list[ValueClass]:
    """Return the sets of common or rare values with which an SQL text should be planned again."""
    common: list[_Choice] = []
    rare: list[_Choice] = []
    wide: list[_Choice] = []
    narrow: list[_Choice] = []
    for (table, column), parameters in _compared(plan).items():
        values = facts.values.get((table, column), {})
        for number, one in parameters.items():
            if one.kind == "=":
                usual, unusual = _equal(values, facts.rows.get(table, 0.0))
            elif one.kind in _OF_ARRAYS:
                usual, unusual = _elements(values)
            else:
                continue
            listed = one.kind in _OF_ARRAYS or "ANY" in one.other or "[]" in one.other
            for value, how, choices in ((usual, "common", common), (unusual, "rare", rare)):
                if value is not None:
                    words = f"a {how} value of {column}"
                    choices.append(_Choice(words, {number: _written(value, listed=listed)}))
        ranges = {number: one for number, one in parameters.items() if one.kind == "<"}
        bounds = items_of(values.get("histogram_bounds", "{}"))
        if ranges and len(bounds) >= _FEWEST_BOUNDS:
            wide.append(_Choice(f"a wide range of {column}", _range(ranges, bounds, wide=True)))
            few = _range(ranges, bounds, wide=False)
            narrow.append(_Choice(f"a narrow range of {column}", few))
    found = [_together([*common, *wide], wide=bool(wide))]
    if common and narrow:
        found.append(_together([*common, *narrow]))
    found.append(_together([*rare, *narrow]))
    return [one for one in found if one.literals]


def _compared(plan: Plan) -> dict[tuple[str, str], dict[int, Comparison]]:
    """Return the comparisons of columns with parameters, by column and then by parameter number."""
    found: dict[tuple[str, str], dict[int, Comparison]] = {}
    seen: set[int] = set()
    for node in plan.walk():
        for _, condition in node.conditions if node.relation or node.index else ():
            for one in comparisons(condition):
                parameter = _PARAMETER.fullmatch(one.other)
                if parameter is None or one.alias != node.alias or not one.is_plain:
                    continue
                number = int(parameter["number"])
                if number not in seen:
                    seen.add(number)
                    found.setdefault((node.relation, one.column.strip('"')), {})[number] = one
    return found


def with_literals(sql: str, literals: Mapping[int, str]) -> str:
    """Return an SQL text in which the given literals replace parameters."""
    parts, end = [], 0
    for token in scan(sql, Dialect.POSTGRESQL):
        if token.kind is Kind.PARAM and int(token.text[1:]) in literals:
            parts += [sql[end : token.start], literals[int(token.text[1:])]]
            end = token.end
    return "".join((*parts, sql[end:]))


def _together(choices: Sequence[_Choice], *, wide: bool = False) -> ValueClass:
    literals = {number: text for one in choices for number, text in one.literals.items()}
    words = list(dict.fromkeys(one.words for one in choices))
    return ValueClass(" and ".join(words), literals, wide)


def _equal(values: Mapping[str, str], rows: float) -> tuple[str | None, str | None]:
    """Return a common and a rare value of a column; None if the statistics show no such value."""
    items = items_of(values.get("most_common_vals", "{}"))
    shares = numbers_of(values.get("most_common_freqs", "{}"))
    if not items or len(items) != len(shares):
        return None, None
    there = 1 - float(values.get("null_frac", "0"))
    distinct = float(values.get("n_distinct", "-1"))
    distinct = max(distinct if distinct > 0 else -distinct * rows, float(len(items)))
    average = there / distinct
    common = items[0] if shares[0] >= _UNEQUAL * average else None
    bounds = items_of(values.get("histogram_bounds", "{}"))
    if distinct > len(items) and bounds:
        other, share = bounds[len(bounds) // 2], (there - sum(shares)) / (distinct - len(items))
    else:
        other, share = items[-1], shares[-1]
    return common, other if share * _UNEQUAL <= average else None


def _elements(values: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Return a common and a rare element of the arrays in a column, or None for each."""
    items = items_of(values.get("most_common_elems", "{}"))
    shares = numbers_of(values.get("most_common_elem_freqs", "{}"))[: len(items)]
    if not items or len(shares) != len(items):
        return None, None
    ordered = sorted(zip(shares, items, strict=True))
    if ordered[-1][0] < _UNEQUAL * ordered[0][0]:
        return None, None
    return ordered[-1][1], ordered[0][1]


def _range(
    ranges: Mapping[int, Comparison], bounds: Sequence[str], *, wide: bool
) -> Mapping[int, str]:
    """Return values for the bounds of a range, so that it contains nearly all rows or few rows."""
    lower = [number for number, one in ranges.items() if one.sign.startswith(">")]
    upper = [number for number, one in ranges.items() if one.sign.startswith("<")]
    first, last = 0, len(bounds) - 1
    if not wide:
        middle = len(bounds) // 2
        first, last = (middle, middle + 1) if lower and upper else (last - 1, first + 1)
    return {
        **{number: _written(bounds[first]) for number in lower},
        **{number: _written(bounds[last]) for number in upper},
    }


def _written(value: str, *, listed: bool = False) -> str:
    """Return a value as a literal, or with `listed` as a literal of an array with one item."""
    if listed:
        item = value.replace("\\", "\\\\").replace('"', '\\"')
        value = f'{{"{item}"}}'
    return "'" + value.replace("'", "''") + "'"
