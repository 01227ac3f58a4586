"""Keys of nested rows on trees that the tests write: the first column of a table is its key."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest
from aiosqlc.ir import (
    Cardinality,
    Column,
    ColumnRef,
    Nesting,
    NestLevel,
    NotNested,
    SqlType,
    TypedEmbed,
)
from aiosqlc.relational.nest import merged, nested
from aiosqlc.relational.rows import RowCounter
from aiosqlc.relational.tree import Column as Part
from aiosqlc.relational.tree import (
    Condition,
    Expr,
    From,
    Join,
    JoinItem,
    JoinKind,
    Key,
    Leaf,
    Limit,
    Opaque,
    Query,
    Table,
)

from tests.relational.trees import INT, Knowing, col, equal, select, where

A, B, C = (Table(relation=number) for number in (1, 2, 3))
ID, NAME = col(1, 1), col(1, 2)
BOOK = (col(2, 1, 9), col(2, 2, 9))
REVIEW = (col(3, 1, 10), col(3, 2, 10))
OF_AUTHOR = equal(BOOK[1], ID)


def left(item: JoinItem, source: int, *on: Condition, reads: Sequence[Part] = ()) -> Join:
    return Join(
        kind=JoinKind.LEFT, left=item, right=Leaf(source=source), conditions=on, reads=lambda: reads
    )


def lists(*names: str, first: int = 2) -> list[TypedEmbed]:
    """Make lists of tables with two columns, which follow the other columns."""
    return [
        TypedEmbed(name, at, 2, ColumnRef("s", name, ""), nullable=True, presence=at, nest=True)
        for name, at in zip(names, range(first, 99, 2), strict=False)
    ]


def columns(query: Query, *nullable: int) -> list[Column]:
    kind = SqlType("pg_catalog", "int4")
    return [
        Column(f"c{at}", kind, not_null=at not in nullable) for at in range(len(query.outputs()))
    ]


def proved(
    query: Query, *names: str, nullable: Sequence[int] = (), first: int = 2
) -> tuple[Nesting | NotNested, Cardinality]:
    counter = RowCounter(Knowing())
    return nested(counter, query, lists(*names, first=first), columns(query, *nullable))


def flat(*outputs: Expr, root: From | None = None) -> Query:
    root = root or where(items=[left(Leaf(source=1), 2, OF_AUTHOR)])
    return select(root, A, B, outputs=(*outputs, *BOOK))


def test_one_column_of_each_level_is_its_key() -> None:
    found, rows = proved(flat(ID, NAME), "books")
    assert found == Nesting((NestLevel(None, 0, (0,)), NestLevel(0, 0, (2,), repeats=False)))
    assert rows is Cardinality.MANY


def test_rows_without_a_key_are_refused() -> None:
    found, _ = proved(flat(NAME, NAME), "books")
    assert isinstance(found, NotNested)
    assert "do not determine one row" in found.why


def test_a_key_that_may_be_null_is_refused() -> None:
    found, _ = proved(flat(ID, NAME), "books", nullable=(0, 2))
    assert isinstance(found, NotNested)


def test_a_compared_key_is_at_most_one_row() -> None:
    root = where(equal(ID), items=[left(Leaf(source=1), 2, OF_AUTHOR)])
    assert proved(flat(ID, NAME, root=root), "books")[1] is Cardinality.ZERO_OR_ONE


def siblings(*on: Condition) -> Query:
    inner = left(Leaf(source=1), 2, OF_AUTHOR)
    return select(where(items=[left(inner, 3, *on)]), A, B, C, outputs=(ID, NAME, *BOOK, *REVIEW))


def test_rows_that_another_list_multiplies_repeat() -> None:
    found, _ = proved(siblings(equal(REVIEW[1], ID)), "books", "reviews")
    assert isinstance(found, Nesting)
    assert [level.repeats for level in found.levels[1:]] == [True, True]


def test_a_row_of_an_inner_list_has_a_row_of_the_outer_one() -> None:
    found, _ = proved(siblings(equal(REVIEW[1], BOOK[0])), "books", "books.reviews")
    assert isinstance(found, Nesting)
    assert found.levels[2] == NestLevel(1, 1, (4,), repeats=False)
    found, _ = proved(siblings(equal(REVIEW[1], ID)), "books", "books.reviews")
    assert isinstance(found, NotNested)
    assert "has no row" in found.why


@pytest.mark.parametrize(
    ("reads", "key"), [((ID, BOOK[1]), (0,)), ((ID, col(3, 2, 10)), (0, 1)), (None, (0, 1))]
)
def test_an_optional_row_is_part_of_the_key_unless_the_key_decides_on_it(
    reads: Sequence[Part] | None, key: tuple[int, ...]
) -> None:
    """Source 2 is joined to the author by its key, and source 3 is the list."""
    one = Join(
        kind=JoinKind.LEFT, left=Leaf(source=1), right=Leaf(source=2),
        conditions=(equal(BOOK[0], NAME),), reads=lambda: reads,
    )  # fmt: skip
    root = where(items=[left(one, 3, equal(REVIEW[1], ID))])
    query = select(root, A, B, C, outputs=(ID, BOOK[1], *REVIEW))
    found, _ = proved(query, "reviews", nullable=(1,))
    assert isinstance(found, Nesting)
    assert found.levels[0].key == key


def test_a_volatile_value_is_refused() -> None:
    args = (ID,)
    for stable in (True, False):
        value = Opaque(key="f", args=args, from_args=True, stable=stable)
        found, _ = proved(flat(ID, value), "books")
        assert isinstance(found, Nesting if stable else NotNested)


@pytest.mark.parametrize(
    ("order", "nullable", "adjacent"),
    [
        ([(ID, 1), (BOOK[0], 3)], (), True),
        ([(NAME, 2), (ID, 1)], (), True),
        ([(BOOK[0], 3), (ID, 1)], (), False),
        ([(NAME, 2), (BOOK[0], 3), (ID, 1)], (), False),
        ([(NAME, 2)], (), False),
        ([], (), False),
    ],
)
def test_an_order_by_the_parent_keeps_its_rows_together(
    order: list[tuple[Expr, int]], nullable: Sequence[int], adjacent: bool
) -> None:
    keys = [Key(expr=expr, classes=frozenset({INT}), output=output) for expr, output in order]
    query = msgspec.structs.replace(flat(ID, NAME), order=lambda: keys)
    found, _ = proved(query, "books", nullable=nullable)
    assert isinstance(found, Nesting)
    assert found.adjacent == adjacent


@pytest.mark.parametrize(
    "changes",
    [
        {"limit": Limit(most=3, exact=True, some=True, from_first=True)},
        {"limit": Limit(exact=True, some=True)},
        {"plain_list": False},
        {"one_group": True},
        {"grouping_sets": None},
        {"group_keys": (Key(expr=ID),)},
    ],
)
def test_other_queries_than_plain_joins_are_refused(changes: dict[str, object]) -> None:
    found, _ = proved(msgspec.structs.replace(flat(ID, NAME), **changes), "books")
    assert isinstance(found, NotNested)


def test_two_texts_share_the_columns_of_both_keys() -> None:
    one = Nesting((NestLevel(None, 0, (0,)), NestLevel(0, 0, (2,), repeats=False)), adjacent=True)
    other = Nesting((NestLevel(None, 0, (1, 0)), NestLevel(0, 0, (2,))), adjacent=True)
    assert merged(one, other) == Nesting(
        (NestLevel(None, 0, (0, 1)), NestLevel(0, 0, (2,))), adjacent=True
    )
    refused = NotNested(0, "why", "hint")
    assert merged(one, refused) == merged(refused, one) == refused
