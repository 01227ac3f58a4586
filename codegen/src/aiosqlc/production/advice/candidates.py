"""Propose indexes for a plan: from its conditions, joins and sort keys."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import chain, islice

from msgspec import Struct

from aiosqlc.analysis.planned.facts import Index
from aiosqlc.analysis.planned.plan import Plan
from aiosqlc.production.advice.conditions import (
    Comparison,
    alternatives,
    comparisons,
    sort_columns,
)

FEWEST = 1000  # rows of a table that an index can help
_MOST = 12  # indexes that are tried for one relation of a plan
_MOST_COLUMNS = 4
_IN_ARRAYS = frozenset({"@>", "&&", "<@"})
_CONSTANT = re.compile(r"'(?:[^']|'')*'(?:::[\w ]+)?|-?\d+|true|false")
_CONDITIONS = ("Index Cond", "Recheck Cond", "Filter", "Join Filter", "Hash Cond", "Merge Cond")


class Candidate(Struct, frozen=True):
    """An index that may make a plan cheaper.

    `hidden` are the columns inside an indexed expression such as `lower(email)`.

    `keys` are columns and expressions as in CREATE INDEX. `table` is the table's name as in plans.
    `method` is '' for a B-tree. `where` is the condition of a partial index, or ''.
    """

    table: str
    keys: tuple[str, ...]
    hidden: tuple[str, ...] = ()
    method: str = ""
    where: str = ""

    @property
    def definition(self) -> str:
        """Return the part of a CREATE INDEX after ON: the table, the keys and the condition."""
        table = ".".join(_quoted(part) for part in self.table.split("."))
        using = f" USING {self.method}" if self.method else ""
        where = f" WHERE {self.where}" if self.where else ""
        return f"{table}{using} ({', '.join(self.keys)}){where}"


def candidates(
    plan: Plan,
    rows: Mapping[str, float],
    distinct: Mapping[tuple[str, str], float],
    ordered_columns: Collection[tuple[str, str]] = (),
    *,
    constants: bool = True,
) -> list[Candidate]:
    """Return the indexes that may make a plan cheaper.

    `rows` maps a table to its number of rows, and `distinct` a column to its number of distinct
    values. `ordered_columns` are columns in whose order a table's rows are stored. All names are as
    in plans. If `constants` is true, an index can depend on constants in the plan.
    """
    found: dict[Candidate, None] = {}
    all_comparisons = [
        one for one in _all(plan, comparisons) if constants or "'" not in one.expression
    ]
    parts = [one for one in _all(plan, alternatives) if constants or "'" not in one.expression]
    sorts = [*_limited_sorts(plan, limited=False), *_extremes(plan)]
    for table, alias in dict.fromkeys(
        (node.relation, node.alias) for node in plan.walk() if node.relation
    ):
        if rows.get(table, 0) < FEWEST:
            continue
        mine = [one for one in all_comparisons if one.alias == alias]
        ordered = [[(c, down) for _, c, down in keys] for keys in sorts if _only(keys, alias)]
        proposed = chain(
            _of_relation(table, mine, ordered, distinct),
            _of_ranges(table, mine, ordered_columns),
            _of_parts(table, [one for one in parts if one.alias == alias]),
        )
        for candidate in islice(proposed, _MOST):
            if constants or not candidate.where:
                found[candidate] = None
    return list(found)


def indexed_columns(indexes: Sequence[Index]) -> frozenset[tuple[str, str]]:
    """Return the table and the first column of each index."""
    return frozenset((index.table, index.columns[0]) for index in indexes if index.columns)


def _of_relation(
    table: str,
    mine: Sequence[Comparison],
    ordered: Sequence[Sequence[tuple[str, bool]]],
    distinct: Mapping[tuple[str, str], float],
) -> Iterator[Candidate]:
    plain = [one for one in mine if one.is_plain and one.kind in {"=", "<"}]

    def rare_first(columns: Sequence[str]) -> list[str]:
        unique = list(dict.fromkeys(columns))
        return sorted(unique, key=lambda column: -distinct.get((table, column.strip('"')), 1.0))

    equal = rare_first([one.column for one in plain if one.kind == "=" and not one.joined])
    joined = rare_first([one.column for one in plain if one.kind == "=" and one.joined])
    ranges = [one.column for one in plain if one.kind == "<" and one.column not in equal]
    sets: list[list[str]] = []
    if equal:
        sets += [[*equal, *ranges[:1]], equal, equal[:1]]
    elif ranges:
        sets.append(ranges[:1])
    for keys in ordered:
        sorted_ = _keys([(column, down) for column, down in keys if column not in equal])
        sets.append([*equal, *sorted_])
        sets += [[*equal, column, *sorted_] for column in joined[:1] if column not in sorted_]
    sets += [[column, *equal] for column in joined[:2]] if equal else []
    sets += [[column] for column in joined]
    for columns in sets:
        if columns:
            yield Candidate(table, tuple(dict.fromkeys(columns))[:_MOST_COLUMNS])
    yield from _of_some_rows(table, plain, ranges, ordered)
    for one in mine:
        if one.is_plain and one.kind in _IN_ARRAYS:
            yield Candidate(table, (one.column,), method="gin")
        if not one.is_plain and one.kind in {"=", "<"}:
            yield Candidate(table, (f"({one.expression})",), _unquoted(one.columns))


def _of_parts(table: str, parts: Sequence[Comparison]) -> Iterator[Candidate]:
    """Yield an index for each part of `a = $1 OR b = $2`."""
    for one in parts:
        if one.is_plain and one.kind in {"=", "<"}:
            yield Candidate(table, (one.column,))
        elif one.kind in {"=", "<"}:
            yield Candidate(table, (f"({one.expression})",), _unquoted(one.columns))


def _of_ranges(
    table: str, mine: Sequence[Comparison], ordered_columns: Collection[tuple[str, str]]
) -> Iterator[Candidate]:
    """Yield indexes for range conditions such as `created_at >= $1`.

    Yield indexes on an equated expression and the range column, and BRIN indexes. A BRIN index
    needs a column in whose order the rows of the table are stored.
    """
    ranges = list(dict.fromkeys(one.column for one in mine if one.is_plain and one.kind == "<"))
    for one in mine:
        if not one.is_plain and one.kind == "=" and ranges:
            keys = (f"({one.expression})", ranges[0])
            yield Candidate(table, keys, _unquoted(one.columns))
    for column in ranges:
        if (table, column.strip('"')) in ordered_columns:
            yield Candidate(table, (column,), method="brin")


def _of_some_rows(
    table: str,
    plain: Sequence[Comparison],
    ranges: Sequence[str],
    ordered: Sequence[Sequence[tuple[str, bool]]],
) -> Iterator[Candidate]:
    """Yield a partial index for rows that a query selects by constants such as `status = 'new'`."""
    constant = {
        one.column: one.other for one in plain if one.kind == "=" and _CONSTANT.fullmatch(one.other)
    }
    equal = [one.column for one in plain if one.kind == "=" and not one.joined]
    others = [column for column in dict.fromkeys(equal) if column not in constant]
    sorts = [column for keys in ordered for column, _ in keys]
    keys = [one for one in dict.fromkeys([*others, *ranges, *sorts]) if one not in constant]
    if constant and keys:
        where = " AND ".join(f"{column} = {value}" for column, value in constant.items())
        yield Candidate(table, tuple(keys[:_MOST_COLUMNS]), where=where)


def _keys(sort: Sequence[tuple[str, bool]]) -> list[str]:
    """Return the keys of an index whose order, or reverse order, is the given sort order."""
    if len({down for _, down in sort}) <= 1:
        return [column for column, _ in sort]
    return [f"{column} DESC" if down else column for column, down in sort]


def _limited_sorts(node: Plan, *, limited: bool) -> Iterator[Sequence[tuple[str, str, bool]]]:
    """Yield the keys of each sort below a LIMIT, where only the first sorted rows are needed."""
    limited = limited or node.node == "Limit"
    if limited and (keys := sort_columns(node.condition("Sort Key") or "?")):
        yield keys
    for child in node.children:
        yield from _limited_sorts(child, limited=limited)


def _extremes(plan: Plan) -> Iterator[Sequence[tuple[str, str, bool]]]:
    """Yield each column of `min` and `max`, whose value is the first or last key of an index."""
    for node in plan.walk():
        for column in node.detail("Extremes").split(", "):
            yield from filter(None, [sort_columns(column)])


def _only(keys: Sequence[tuple[str, str, bool]], alias: str) -> bool:
    return {of for of, _, _ in keys} == {alias}


def _all(plan: Plan, parse: Callable[[str], Iterator[Comparison]]) -> Iterator[Comparison]:
    for node in plan.walk():
        for kind, text in node.conditions:
            if kind in _CONDITIONS:
                yield from parse(text)


def _unquoted(columns: Sequence[str]) -> tuple[str, ...]:
    return tuple(column.strip('"') for column in columns)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
