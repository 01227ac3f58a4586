"""Embedded rows on trees that the tests write."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest
from aiosqlc.ir import Column, ColumnRef, Embed, SqlType
from aiosqlc.relational.embeds import Place, Row, embedded_rows, operands_of, part_of
from aiosqlc.relational.port import Pessimist
from aiosqlc.relational.tree import Expr, Grouped, Query, Relation, SetOp, SetOperation, Table
from aiosqlc.source import Span
from msgspec.structs import replace

from tests.relational.trees import Knowing, col, derived, select, where

T = Table(relation=1)
OWN, TABLE = ColumnRef("", "t", ""), ColumnRef("s", "t", "")


class Schema(Knowing):
    """Has one table of two columns, the first NOT NULL."""

    def whole(self, relation: Relation | None, columns: Sequence[int]) -> ColumnRef | None:
        return TABLE if relation == 1 and list(columns) == [1, 2] else None

    def not_null(self, relation: Relation | None, column: int) -> bool:
        return relation == 1 and column == 1

    def keeps_type(self, relation: Relation | None, column: int, kind: SqlType) -> bool:
        return relation == 1 and kind.name == "int4"


def _columns(*not_null: bool) -> list[Column]:
    return [Column(name="c", type=SqlType("s", "int4"), not_null=known) for known in not_null]


def _embedded(
    query: Query, *not_null: bool, engine: Pessimist | None = None, parts: int = 1
) -> Row | str:
    columns = _columns(*(not_null or (True, False)))
    return _of_columns(query, columns, engine or Schema(), parts)


def _of_columns(
    query: Query, columns: Sequence[Column], engine: Pessimist, parts: int = 1
) -> Row | str:
    there = _columns(True, False)
    embeds = (Embed("t", Span(0, 1), 0),) * parts
    operands = operands_of(query)
    place = Place(embeds, 0, 2, tuple(part_of(operand, 0, 2) for operand in operands))

    def present(at: int, missing: frozenset[int]) -> Column:
        return there[at] if missing else columns[at]

    [found] = embedded_rows([place], len(operands), columns, engine, present).values()
    return found


def _of(*outputs: Expr) -> Query:
    return select(where(), T, T, outputs=outputs)


def test_the_columns_of_a_table_in_its_order_are_a_row_of_it() -> None:
    row = _embedded(_of(col(1, 1), col(1, 2)))
    assert isinstance(row, Row)
    assert (row.embed.table, row.embed.nullable) == (TABLE, False)


@pytest.mark.parametrize(
    "outputs",
    [(col(1, 2), col(1, 1)), (col(1, 1), col(1, 1))],
)
def test_other_columns_of_a_table_are_a_row_of_the_query(outputs: tuple[Expr, ...]) -> None:
    row = _embedded(_of(*outputs))
    assert isinstance(row, Row)
    assert row.embed.table == OWN


def test_a_row_less_certain_than_its_table_is_a_row_of_the_query() -> None:
    row = _embedded(_of(col(1, 1), col(1, 2)), False, False)
    assert isinstance(row, Row)
    assert row.embed.table == OWN


def test_an_engine_that_knows_nothing_knows_no_table() -> None:
    row = _embedded(_of(col(1, 1), col(1, 2)), engine=Pessimist())
    assert isinstance(row, Row)
    assert row.embed.table == OWN


def test_a_row_that_may_be_missing_is_inferred_as_if_it_were_there() -> None:
    row = _embedded(_of(col(1, 1, 3), col(1, 2, 3)), False, False)
    assert isinstance(row, Row)
    assert row.embed.nullable
    assert [column.not_null for column in row.columns] == [True, False]


@pytest.mark.parametrize(
    "outputs",
    [
        (col(1, 1), col(2, 2)),
        (col(1, 1), col(1, 2, level=1)),
        (col(1, 1), msgspec.structs.replace(col(1, 2), row=1)),
    ],
)
def test_columns_of_two_rows_are_no_row(outputs: tuple[Expr, ...]) -> None:
    assert "may not form one row" in str(_embedded(_of(*outputs)))


_Sets = Sequence[tuple[int, ...]] | None


def _grouped(
    sets: _Sets = (),
    absent: tuple[int, ...] = (),
    *,
    keys: Sequence[tuple[int, ...]] = ((7,), (8,)),
    repeated: tuple[int, ...] = (),
    entries: bool = True,
) -> Row | str:
    """Return the embed of a row whose columns are the keys 7 and 8 of these grouping sets."""
    behind = Grouped(behind=lambda number: col(1, number), repeated=lambda: frozenset(repeated))
    source = 2 if entries else 1
    query = select(where(), T, behind, outputs=(col(source, 1, *absent), col(source, 2, *absent)))
    listed = None if sets is None else [frozenset(one) for one in sets]
    return _embedded(
        msgspec.structs.replace(
            query,
            grouping_sets=() if listed == [] else listed,
            set_keys=lambda: [frozenset(one) for one in keys],
        )
    )


def test_a_grouped_row_is_one() -> None:
    for row in (_grouped(), _grouped([(7, 8)]), _grouped([(7, 8), (7, 8, 9)])):
        assert isinstance(row, Row)
        assert not row.embed.nullable


@pytest.mark.parametrize("entries", [True, False])
def test_a_row_is_missing_in_the_grouping_sets_without_its_columns(entries: bool) -> None:
    for sets in ([(7, 8), ()], [(7, 8), (9,)], [(7, 8, 9), (7, 8), (9,)]):
        row = _grouped(sets, (2,), entries=entries)
        assert isinstance(row, Row)
        assert row.embed.nullable
        assert [column.not_null for column in row.columns] == [True, False]


def test_a_row_that_a_grouping_set_splits_is_refused() -> None:
    for sets in ([(7, 8), (7,)], [(7,), (8,)], [(7, 8), (8, 9), ()]):
        assert "group all of them together" in str(_grouped(sets, (2,)))
    # A column that is no key is there in every set.
    assert "group all of them together" in str(_grouped([(7,), ()], (2,), keys=((7,), ())))


def test_a_row_is_refused_if_the_sets_that_omit_it_are_unknown() -> None:
    assert "too many grouping sets" in str(_grouped(None, (2,)))
    assert "grouped twice" in str(_grouped([(7, 8), (9, 8)], (2,), keys=((7, 9), (8,))))
    assert "may not form one row" in str(_grouped([(7, 8), ()], (2,), repeated=(1,)))
    assert "may not form one row" in str(_grouped([(7, 8), ()]))  # which no column shows


def _union(*outputs: tuple[Expr, ...]) -> Query:
    arms = tuple(derived(_of(*one)) for one in outputs)
    operation = SetOperation(op=SetOp.UNION, left=1, right=2)
    return msgspec.structs.replace(select(where(), *arms), arms=operation)


def test_a_row_that_a_set_operation_gave_another_type_is_a_row_of_the_query() -> None:
    row = (col(1, 1), col(1, 2))
    first, second = _columns(True, False)
    text = replace(second, type=SqlType("s", "text"))
    kept = _of_columns(_union(row, row), [first, second], Schema(), parts=2)
    made = _of_columns(_union(row, row), [first, text], Schema(), parts=2)
    assert isinstance(kept, Row)
    assert isinstance(made, Row)
    assert (kept.embed.table, made.embed.table) == (TABLE, OWN)


def test_a_row_of_a_set_operation_is_there_in_each_part_and_of_one_table() -> None:
    def union(*outputs: tuple[Expr, ...], parts: int = 2) -> Row | str:
        return _embedded(_union(*outputs), parts=parts)

    row = (col(1, 1), col(1, 2))
    assert isinstance(union(row, row), Row)
    assert "single columns" in str(union(row, row, parts=1))
    assert "outer join" in str(union(row, (col(1, 1, 3), col(1, 2, 3))))
    assert "not a table" in str(union(row, (col(1, 2), col(1, 1))))
