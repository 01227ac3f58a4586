"""Find the unique keys of views: sets of columns that determine at most one row each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aiosqlc.ir import TableColumn
from aiosqlc.mysql import types
from aiosqlc.mysql.fixed import is_stable
from aiosqlc.mysql.levels import classes_of, row_counter
from aiosqlc.mysql.reader import Reader
from aiosqlc.mysql.relations import Relation
from aiosqlc.mysql.scope import Result
from aiosqlc.relational.closure import Binding


def view_keys(view: Relation, made: Result, reader: Reader) -> tuple[tuple[str, ...], ...]:
    """Return the unique keys of a view, proved from its SELECT.

    If a view calls a volatile function, or has LIMIT without an order, each read may return another
    row, so the view has no key. A key contains no column whose type changes during execution.
    """
    columns = view.table.columns
    if made.node is None or not is_stable(made.node, reader):
        return ()
    usable = [n for n, column in enumerate(columns, 1) if column.type != types.ANY]
    return tuple(
        tuple(columns[number - 1].name for number in key)
        for key in _keys(view, made, reader, usable)
    )


def _keys(
    view: Relation, made: Result, reader: Reader, usable: Sequence[int]
) -> Iterator[tuple[int, ...]]:
    """Yield each key of one column; if there is none, yield one key of several columns."""
    counter = row_counter(reader.schema.premises)
    query = made.query()

    def is_key(numbers: Sequence[int]) -> bool:
        given = {number: _compared(view, view.table.columns[number - 1]) for number in numbers}
        return counter.at_most_one(query, given, limits=False)

    alone = [number for number in usable if is_key([number])]
    yield from ((number,) for number in alone)
    if alone or not is_key(usable):
        return
    kept = list(usable)
    for number in usable:
        fewer = [other for other in kept if other != number]
        kept = fewer if is_key(fewer) else kept
    yield tuple(kept)


def _compared(view: Relation, column: TableColumn) -> Binding:
    """Return how a unique key compares the column."""
    collation = view.collations.get(column.name.lower(), "")
    return Binding(False, classes_of(column.type), collation)
