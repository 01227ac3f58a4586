"""Find redundant work in a query from its syntax tree, for three `vet` rules.

A finding has the code of a rule, and a name in the spelling of the query.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from sqlglot import exp

from aiosqlc.mysql.fixed import is_stable
from aiosqlc.mysql.levels import row_counter
from aiosqlc.mysql.reader import Reader
from aiosqlc.mysql.scope import Level, Output, Result, unwrap
from aiosqlc.relational.advice import dead_joins, is_distinct_anyway
from aiosqlc.relational.tree import Join

_DEAD_JOIN, _NEEDLESS_DISTINCT, _COUNTS_ROWS = "V013", "V014", "V015"

Advice = tuple[str, str]


def advice_of(reader: Reader | None) -> Iterator[Advice]:
    """Yield the redundant work in each SELECT of a statement.

    The queries of views are not checked.
    """
    if reader is None or reader.tree.root.find(exp.Join, exp.Distinct, exp.Count) is None:
        return
    for level, result in reader.selects():
        yield from _of_select(level, result, reader)


def _of_select(level: Level, result: Result, reader: Reader) -> Iterator[Advice]:
    counter, query = row_counter(level.premises), result.query()
    for number in dead_joins(counter, query, partial(_is_unread, level, reader)):
        yield _DEAD_JOIN, level.sources[number - 1].alias
    if is_distinct_anyway(counter, query, partial(_has_value, level, result.outputs or ())):
        yield _NEEDLESS_DISTINCT, ""
    yield from _counted_rows(level)


# --- joins without used columns -------------------------------------------------------------------


def _is_unread(level: Level, reader: Reader, join: Join, entries: frozenset[int]) -> bool:
    """Return whether a query reads the joined tables only in the conditions of the join."""
    if level.joined_by_name:
        return False
    sources = {number - 1 for number in entries}
    skipped = {
        id(inner.on)
        for inner in level.joins
        if inner.on is not None and (inner is join.handle or inner.left | inner.right <= sources)
    }
    conditions = [inner.on for inner in level.joins if id(inner.on) in skipped]
    made = [source.made.node for number in sources if (source := level.sources[number]).made]
    parts = [part for part in (*conditions, *made) if part is not None]
    if not all(is_stable(part, reader) for part in parts):
        return False
    if any(isinstance(item, exp.Star) for item in level.node.expressions):
        return False
    read = level.node.walk(prune=lambda node: id(node) in skipped)
    columns = (node for node in read if isinstance(node, exp.Column) and id(node) not in skipped)
    return not any(_reads(column, level, sources, reader) for column in columns)


def _reads(column: exp.Column, level: Level, sources: set[int], reader: Reader) -> bool:
    """Return whether a column may belong to one of the FROM items `sources` of a SELECT."""
    here = reader.level_of(column)
    if here is None:
        return True
    if column.is_star:
        whole = here.source(column.table)
        return here is level and (whole is None or whole.number in sources)
    found = here.resolve(column)
    if found is None:
        return not _is_alias(column, here)
    return found[0] is level and found[1].number in sources


def _is_alias(column: exp.Column, level: Level) -> bool:
    """Return whether a name refers to an alias in the select list, as in `ORDER BY total`."""
    aliases = {item.alias.lower() for item in level.node.expressions if item.alias}
    return not column.table and column.name.lower() in aliases


# --- DISTINCT -------------------------------------------------------------------------------------


def _has_value(level: Level, outputs: tuple[Output, ...], number: int) -> bool:
    """Return whether a result column is NULL only if an outer join found no match."""
    output = outputs[number - 1]
    if output.column is None:
        return output.not_null
    there = level.sources[output.column[0]].output(output.column[1])
    return output.not_null or (there is not None and there.not_null)


# --- count(x) -------------------------------------------------------------------------------------


def _counted_rows(level: Level) -> Iterator[Advice]:
    if level.rollup:
        return
    having = level.node.args.get("having")
    for part in (*level.node.expressions, *([having] if having is not None else [])):
        for count in part.find_all(exp.Count):
            column = unwrap(count.this) if isinstance(count.this, exp.Expr) else None
            if not isinstance(column, exp.Column) or column.is_star:
                continue
            found = level.local(column) if count.find_ancestor(exp.Query) is level.node else None
            if found is not None and not level.column(*found).null:
                yield _COUNTS_ROWS, found[1].name
