"""Prove how many rows a statement can return, and give the reasons of the proof."""

from __future__ import annotations

from aiosqlc.ir import Cardinality
from aiosqlc.mysql.called import returned_by
from aiosqlc.mysql.levels import row_counter
from aiosqlc.mysql.reader import Reader
from aiosqlc.mysql.relations import Schema
from aiosqlc.mysql.rules import Premises
from aiosqlc.mysql.syntax import parse
from aiosqlc.relational.closure import Closure
from aiosqlc.relational.rows import RowCounter
from aiosqlc.relational.tree import Command, Query, SetOp


def counted(query: Query, premises: Premises) -> tuple[Cardinality, tuple[str, ...]]:
    """Return the proved bounds of a query's number of rows, with the reasons of the proof."""
    counter = row_counter(premises)
    proved = counter.count(query)
    if proved.at_most_one:
        return proved, tuple(counter.reasons)
    reason = _doubt(counter, query)
    return proved, (reason,) if reason else ()


def of_call(sql: str, schema: Schema) -> tuple[Cardinality, tuple[str, ...]]:
    """Return how many rows a `CALL` can return; the rows come from the procedure's only SELECT."""
    body = returned_by(sql, schema.routines)
    tree = parse(body) if body is not None else None
    if tree is None:
        return Cardinality.MANY, ()
    query = Reader(schema, tree).read().query()
    rows, reasons = counted(query, schema.premises)
    return Cardinality.ZERO_OR_ONE if rows.at_most_one else Cardinality.MANY, reasons


def _doubt(counter: RowCounter, query: Query) -> str:
    """Return why a query may return many rows, or an empty string if no reason is known."""
    if query.command is Command.INSERT:
        return "several rows may be inserted"
    if query.arms is not None:
        return "UNION can return several rows" if query.arms.op is SetOp.UNION else ""
    closure = Closure(counter, query)
    open_ = [number for number in query.reads_from if number not in closure.determined]
    if open_:
        return (
            f"`{query.name(open_[0])}` may match several rows: the query does not compare all"
            " columns of a unique key"
        )
    return "ROLLUP adds rows" if query.grouping_sets is None else ""
