"""Findings about single nodes of a plan: memory, LIKE, OFFSET, NOT IN, and nested loops."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from aiosqlc.analysis.planned.plan import Plan
from aiosqlc.analysis.planned.statistics import Statistics
from aiosqlc.diagnostics import Diagnostic
from aiosqlc.engines.planner import PlannedDatabase
from aiosqlc.production.advice.conditions import aliases, comparisons
from aiosqlc.production.advice.found import finding
from aiosqlc.production.advice.shown import node_text, number
from aiosqlc.production.advice.tried import LEAST, better
from aiosqlc.production.plans import PlannedText

LARGE = 10_000  # rows of a table whose complete scan is worth a finding
_PAIRS = 10_000_000  # comparisons of a nested loop
_FEWEST_ROWS = 10  # of each input of such a loop
_FIRST_ROW = frozenset({"Semi", "Anti"})  # joins that stop at the first row
_MOST_NAMES = 3
_HEADER = 24  # bytes of a row in memory
_HASHED = 16  # further bytes of a row in a hash table
_SIZE = re.compile(r"(?P<count>\d+)(?P<unit>B|kB|MB|GB|TB)?")
_UNITS = {"": 1024, "B": 1, "kB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40}
_PATTERN = re.compile(r" ~~\*? '%")
_OFFSET = re.compile(r"\bOFFSET\s+(?!0\b)", re.IGNORECASE)
_NO_RANGE = re.compile(r" (?:%|/|<|>|<=|>=|<>|=|\|\|) |\b(?:CASE|COALESCE|NULLIF)\b|length\(")

_COMPARE = (
    "compare `{column}` itself, for example by a range: `{column} >= @first AND {column} < @next`;"
    " no index on the expression helped"
)
_NOT_DISTINCT = re.compile(r"\bNOT \(\S+?\.(?P<column>\"[^\"]+\"|\w+) IS DISTINCT FROM ")
_NULL_SAFE = re.compile(r"\bIS\s+NOT\s+DISTINCT\s+FROM\b", re.IGNORECASE)
_COMPARE_EQUAL = (
    "write `{column} = @value`, and find the rows with NULL by `{column} IS NULL` in another query"
)
Finding = tuple[str, str]


def findings(
    text: PlannedText, plan: Plan, rows: Mapping[str, float], statistics: Statistics
) -> Iterator[Diagnostic]:
    """Yield the findings about the nodes of a plan, at most one for each rule."""
    settings = dict(statistics.settings)
    memory = _bytes(settings.get("work_mem", "4MB"))
    hashing = memory * float(settings.get("hash_mem_multiplier", "2"))
    checks: Sequence[Callable[[Plan, Plan | None], Iterator[Finding]]] = (
        lambda node, parent: _spilling(node, parent, memory, hashing),
        lambda node, _: _wildcard(node, rows),
        lambda node, _: _skipping(node, text.sql),
        lambda node, _: _repeated(node, rows),
        lambda node, _: _pairs(node),
    )
    seen = set[str]()
    for node, parent in _with_parents(plan, None):
        for check in checks:
            for code, message in check(node, parent):
                if code not in seen:
                    seen.add(code)
                    yield finding(code, text, message)


def _spilling(node: Plan, parent: Plan | None, memory: float, hashing: float) -> Iterator[Finding]:
    if node.node == "Sort":
        sorted_ = node.rows * (_aligned(node.width) + _HEADER)
        limited = parent is not None and parent.node == "Limit"
        kept = parent.rows * (_aligned(node.width) + _HEADER) if limited and parent else sorted_
        if min(sorted_, 2 * kept if limited else sorted_) > memory:
            yield "V032", _needs(node, sorted_, memory, "work_mem")
    if node.node == "Hash":
        needed = node.rows * (_aligned(node.width) + _HEADER + _HASHED)
        if needed > hashing:
            yield "V032", _needs(node, needed, hashing, "work_mem * hash_mem_multiplier")
    if int(node.detail("Planned Partitions") or 0):
        needed = node.rows * (_aligned(node.width) + _HEADER + _HASHED)
        yield "V032", _needs(node, max(needed, hashing), hashing, "work_mem * hash_mem_multiplier")


def _needs(node: Plan, needed: float, memory: float, what: str) -> str:
    return (
        f"{node.node} of {number(node.rows)} rows needs about {_size(needed)}, and {what} is"
        f" {_size(memory)}, so the server writes temporary files"
    )


def _wildcard(node: Plan, rows: Mapping[str, float]) -> Iterator[Finding]:
    filtered = node.condition("Filter")
    if node.node == "Seq Scan" and _PATTERN.search(filtered):
        count = rows.get(node.relation, 0)
        if count >= LARGE:
            yield (
                "V034",
                (
                    f"{node_text(node)} compares {number(count)} rows with a pattern that"
                    " begins with a wildcard"
                ),
            )


def _skipping(node: Plan, sql: str) -> Iterator[Finding]:
    if node.node == "Limit" and node.children and _OFFSET.search(sql):
        below = node.children[0].rows
        if below >= LARGE:
            yield (
                "V036",
                (
                    f"OFFSET may read and discard up to {number(below)} rows of its input node, "
                    f"{node.children[0].node}"
                ),
            )


def _repeated(node: Plan, rows: Mapping[str, float]) -> Iterator[Finding]:
    filtered = node.condition("Filter")
    if "NOT (ANY" in filtered and "(SubPlan" in filtered:
        count = rows.get(node.relation, node.rows)
        if count >= LARGE:
            yield (
                "V037",
                (
                    f"{node_text(node)} reads the result of the sub-select again for each of"
                    f" {number(count)} rows, because the result does not fit into memory"
                ),
            )


def _pairs(node: Plan) -> Iterator[Finding]:
    inputs = [one for one in node.children if not one.detail("Subplan Name")]
    if node.node != "Nested Loop" or len(inputs) != 2:
        return
    outer, inner = inputs
    few = min(outer.rows, inner.rows) < _FEWEST_ROWS
    if few or outer.rows * inner.rows < _PAIRS or _is_lookup(node, outer, inner):
        return
    of = list(dict.fromkeys(one.relation for one in inner.walk() if one.relation))
    yield (
        "V038",
        (
            f"a nested loop compares {number(outer.rows)} rows with each of"
            f" {number(inner.rows)} rows{' of ' if of else ''}{' and '.join(of[:_MOST_NAMES])}"
        ),
    )


def _is_lookup(loop: Plan, outer: Plan, inner: Plan) -> bool:
    """Return whether the inner input of a nested loop finds the rows of an outer row by an index.

    A range of an index (`b.at > a.at`) does not count, unless the first row of the range suffices.
    """
    if inner.node == "Seq Scan":
        return False
    names = {one.alias for one in outer.walk() if one.alias}
    for node in inner.walk():
        for _, text in node.conditions:
            if not aliases(text) & names:
                continue
            found = [one for one in comparisons(text) if one.joined & names]
            if loop.join in _FIRST_ROW or not found or any(one.kind != "<" for one in found):
                return True
    return False


def hidden(
    text: PlannedText,
    plan: Plan,
    rows: Mapping[str, float],
    indexed: Collection[tuple[str, str]],
) -> Iterator[Diagnostic]:
    """Yield a finding if a scan compares an expression on a column that has an index."""
    for node in plan.walk():
        if node.node != "Seq Scan" or rows.get(node.relation, 0) < LARGE:
            continue
        for one in comparisons(node.condition("Filter")):
            column = one.column.strip('"')
            mine = one.alias == node.alias and one.kind in {"=", "<"} and not one.is_plain
            if len(one.columns) > 1 or _NO_RANGE.search(one.expression):
                continue  # no range of the column selects the same rows
            if mine and (node.relation, column) in indexed:
                message = (
                    f"{node_text(node)} reads {number(rows[node.relation])} rows, because"
                    f" {one.expression} cannot use the index of {column}"
                )
                yield finding("V033", text, message, _COMPARE.format(column=column))
                return


def null_safe(
    database: PlannedDatabase,
    text: PlannedText,
    plan: Plan,
    rows: Mapping[str, float],
    indexed: Collection[tuple[str, str]],
) -> Iterator[Diagnostic]:
    """Yield a finding if `=` in place of IS NOT DISTINCT FROM makes the plan much cheaper."""
    for node in plan.walk():
        column = _NOT_DISTINCT.search(node.condition("Filter"))
        if column is None or rows.get(node.relation, 0) < LARGE:
            continue
        name = column["column"].strip('"')
        after = database.plan(_NULL_SAFE.sub("=", text.sql))
        if (node.relation, name) in indexed and after is not None and better(plan, after, LEAST):
            message = (
                f"{node_text(node)} reads {number(rows[node.relation])} rows, because"
                f" IS NOT DISTINCT FROM cannot use the index of {name}"
            )
            yield finding("V033", text, message, _COMPARE_EQUAL.format(column=name))
            return


def _with_parents(node: Plan, parent: Plan | None) -> Iterator[tuple[Plan, Plan | None]]:
    yield node, parent
    for child in node.children:
        yield from _with_parents(child, node)


def _aligned(width: int) -> int:
    return -(-width // 8) * 8


def _bytes(setting: str) -> float:
    found = _SIZE.fullmatch(setting)
    return int(found["count"]) * _UNITS[found["unit"] or ""] if found else float(4 << 20)


def _size(count: float) -> str:
    for unit in ("TB", "GB", "MB"):
        if count >= _UNITS[unit]:
            return f"{number(count / _UNITS[unit])} {unit}"
    return f"{number(count / 1024)} kB"
