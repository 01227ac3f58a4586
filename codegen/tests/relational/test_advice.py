"""Useless joins and DISTINCT on trees that the tests write."""

from __future__ import annotations

import msgspec
import pytest
from aiosqlc.relational.advice import dead_joins, is_distinct_anyway
from aiosqlc.relational.port import Pessimist
from aiosqlc.relational.rows import RowCounter
from aiosqlc.relational.tree import Join, JoinKind, Key, Leaf, Query, Table

from tests.relational.trees import INT, Adopting, Knowing, col, equal, select, where

T = Table(relation=1)


def _joined(kind: JoinKind, *, by: int = 1, left: int = 1) -> Query:
    """Join source 2 by a column of it to source 1; `left` is the source on the left."""
    on = equal(col(2, by), col(1, 2))
    sides = Leaf(source=left), Leaf(source=3 - left)
    join = Join(kind=kind, left=sides[0], right=sides[1], conditions=(on,))
    return msgspec.structs.replace(select(where(items=[join]), T, T), no_locks=True)


def _dead(query: Query, engine: Pessimist | None = None, *, unread: bool = True) -> list[int]:
    return list(dead_joins(RowCounter(engine or Knowing()), query, lambda _join, _added: unread))


def test_a_join_by_a_key_that_nothing_reads_may_go() -> None:
    assert _dead(_joined(JoinKind.LEFT)) == [2]


@pytest.mark.parametrize("kind", [JoinKind.INNER, JoinKind.FULL, JoinKind.RIGHT])
def test_a_join_that_takes_rows_away_or_adds_many_may_not_go(kind: JoinKind) -> None:
    assert _dead(_joined(kind)) == []
    assert _dead(_joined(kind, left=2)) == ([2] if kind is JoinKind.RIGHT else [])


def test_a_join_may_not_go_where_it_is_read_locked_many_or_nothing_is_known() -> None:
    left = _joined(JoinKind.LEFT)
    assert _dead(left, unread=False) == []
    assert _dead(msgspec.structs.replace(left, no_locks=False)) == []
    assert _dead(_joined(JoinKind.LEFT, by=2)) == []
    assert _dead(left, Adopting()) == []


def _shown(*columns: int, **fields: object) -> Query:
    keys = tuple(
        Key(expr=col(1, column), classes=frozenset({INT}), output=number)
        for number, column in enumerate(columns, 1)
    )
    outputs = [col(1, column) for column in columns]
    query = select(where(), outputs=outputs, distinct=keys)
    return msgspec.structs.replace(query, **{"distinct_rows": True, **fields})


def _distinct(query: Query, engine: Pessimist | None = None, *, has_value: bool = True) -> bool:
    return is_distinct_anyway(RowCounter(engine or Knowing()), query, lambda _: has_value)


def test_rows_with_a_key_that_has_a_value_are_distinct() -> None:
    assert _distinct(_shown(2, 1))
    assert not _distinct(_shown(2))
    assert not _distinct(_shown(2, 1), has_value=False)
    assert not _distinct(_shown(2, 1), Adopting())
    assert not _distinct(_shown(2, 1, distinct_rows=False))
    assert not _distinct(_shown(2, 1, plain_list=False))


def test_groups_are_distinct_where_all_their_keys_are_shown() -> None:
    shown, hidden = (Key(expr=col(1, 2), classes=frozenset({INT}), output=n) for n in (1, 0))
    assert _distinct(_shown(2, group_keys=(shown,)))
    assert not _distinct(_shown(2, group_keys=(shown, hidden)))
    assert not _distinct(_shown(2, group_keys=(shown,), grouping_sets=None))
    assert not _distinct(_shown(2, group_keys=(shown,), grouping_sets=[frozenset({1})]))
