"""The rules on trees that the tests write: each makes its claim only with its preconditions."""

from __future__ import annotations

import msgspec
import pytest
from aiosqlc.ir import Cardinality
from aiosqlc.postgres.rules import RULES
from aiosqlc.relational.closure import Closure
from aiosqlc.relational.port import Pessimist
from aiosqlc.relational.rows import RowCounter
from aiosqlc.relational.tree import (
    Column,
    Command,
    Condition,
    Conflict,
    CteUse,
    Equality,
    From,
    Grouped,
    Join,
    JoinKind,
    Key,
    Leaf,
    Limit,
    Merged,
    NoTable,
    Opaque,
    Parameter,
    Query,
    SetOp,
    SetOperation,
    Source,
    Subquery,
    Table,
    Values,
)

from tests.relational.trees import (
    INT,
    TEXT,
    UNLIMITED,
    Adopting,
    Knowing,
    col,
    derived,
    equal,
    select,
    the,
    where,
)

ONE, SOME, MANY = Cardinality.ZERO_OR_ONE, Cardinality.SOME, Cardinality.MANY
T = Table(relation=1)
LIMIT_1 = Limit(most=1, exact=True, some=True, from_first=True)
BY_KEY = select(where(equal(col(1, 1), Parameter())))


def _set(op: SetOp, *arms: Query) -> Query:
    return Query(
        command=Command.SELECT,
        sources=tuple(derived(arm) for arm in arms),
        plain_list=True,
        limit=UNLIMITED,
        arms=SetOperation(op=op, left=1, right=2),
    )


# A query for each rule of the core, what it claims, and what is claimed without the rule.
CLAIMS: dict[str, tuple[Query, Cardinality, Cardinality]] = {
    "limit": (select(where(equal(col(1, 2))), limit=LIMIT_1), ONE, MANY),
    "one-row": (
        Query(command=Command.SELECT, plain_list=True, one_group=True),
        ONE,
        MANY,
    ),
    "unique-key": (BY_KEY, ONE, MANY),
    "group-keys": (
        select(
            where(equal(col(1, 2))),
            distinct=(Key(expr=col(1, 2), classes=frozenset({INT})),),
        ),
        ONE,
        MANY,
    ),
    "set-operation-rows": (_set(SetOp.INTERSECT, select(where()), BY_KEY), ONE, MANY),
    "some-row": (select(where(), Values(rows=2)), SOME, MANY),
}


def count(query: Query, engine: Pessimist | None = None) -> Cardinality:
    return RowCounter(engine or Knowing()).count(query)


def test_every_rule_of_the_core_has_a_query_here() -> None:
    assert set(CLAIMS) == {r.name for r in RULES if r.applied_by.startswith("relational.")}


@pytest.mark.parametrize("rule", CLAIMS)
def test_an_engine_that_has_not_adopted_a_rule_claims_nothing_by_it(rule: str) -> None:
    query, claimed, without = CLAIMS[rule]
    assert count(query) == claimed
    assert count(query, Knowing(without=rule)) == without


@pytest.mark.parametrize("rule", CLAIMS)
def test_nothing_is_claimed_where_nothing_is_adopted(rule: str) -> None:
    counter = RowCounter(Pessimist())
    assert counter.count(CLAIMS[rule][0]) == MANY
    assert counter.reasons == []


@pytest.mark.parametrize("root", [where(), where(equal(col(1, 1), Parameter()))])
def test_an_engine_that_knows_nothing_claims_nothing_of_a_table(root: From) -> None:
    assert count(select(root), Adopting()) == MANY


def test_a_level_that_is_not_understood_claims_nothing() -> None:
    assert count(Query()) == MANY
    assert count(select(where(), derived(Query()))) == MANY
    assert count(select(where(), Source())) == MANY


# --- equalities -----------------------------------------------------------------------------------


def test_a_key_is_bound_only_by_the_equality_of_its_own_family() -> None:
    assert count(select(where(equal(col(1, 1), cls=TEXT)))) == MANY


def test_a_key_is_bound_through_a_column_that_is_bound() -> None:
    tables = (T, T)
    leaves = [Leaf(source=1), Leaf(source=2)]
    joined = where(equal(col(1, 1)), equal(col(2, 1), col(1, 2)), items=leaves)
    assert count(select(joined, *tables)) == ONE
    alone = where(equal(col(2, 1), col(1, 2)), items=leaves)
    assert count(select(alone, *tables)) == MANY


def _joined(kind: JoinKind, *, absent: bool = False) -> Query:
    """Join source 2 by its key to source 1, whose key is fixed only in the ON or not at all."""
    left, right = Leaf(source=1), Leaf(source=2)
    by = (equal(col(1, 1)), equal(col(2, 1), col(1, 2, *([3] if absent else []))))
    join = Join(kind=kind, left=left, right=right, conditions=by)
    return select(where(items=[join]), T, T)


def test_the_on_of_an_outer_join_binds_only_the_side_it_need_not_find() -> None:
    assert count(_joined(JoinKind.INNER)) == ONE
    assert count(_joined(JoinKind.LEFT)) == MANY
    assert count(_joined(JoinKind.RIGHT)) == MANY


def test_a_full_join_claims_nothing() -> None:
    assert count(_joined(JoinKind.FULL)) == MANY


def test_a_column_that_a_join_may_leave_out_feeds_no_expression() -> None:
    def by(*absent: int) -> Query:
        args = (col(1, 2, *absent),)
        calculated = Opaque(key="f(x)", args=args, from_args=True, stable=True)
        conditions = equal(col(1, 1)), equal(col(2, 1), calculated)
        leaves = [Leaf(source=1), Leaf(source=2)]
        return select(where(*conditions, items=leaves), T, T)

    assert count(by()) == ONE
    assert count(by(3)) == MANY


@pytest.mark.parametrize(
    "expr",
    [
        Opaque(key="random()", args=(), from_args=True, stable=False),
        Opaque(key="max(x)", args=(), from_args=False, stable=True),
        Opaque(key="x + 1", args=(col(1, 2),), from_args=True, stable=True),
        Subquery(reads=(col(1, 2),), one_value=True),
        Subquery(reads=()),
    ],
)
def test_a_key_is_not_bound_by_what_has_more_than_one_value(expr: Opaque | Subquery) -> None:
    assert count(select(where(equal(col(1, 1), expr)))) == MANY


@pytest.mark.parametrize(
    "expr",
    [
        Opaque(key="$1 + 1", args=(Parameter(),), from_args=True, stable=True),
        Subquery(reads=(), one_value=True),
        col(1, 1, level=1),
    ],
)
def test_a_key_is_bound_by_what_has_one_value(expr: Opaque | Subquery | Column) -> None:
    assert count(select(where(equal(col(1, 1), expr)))) == ONE


def test_a_partial_key_needs_its_predicate() -> None:
    engine = Knowing(predicate=("active",))
    assert count(BY_KEY, engine) == MANY
    held = where(*BY_KEY.root.conditions, type(BY_KEY.root.conditions[0])(handle="active"))
    assert count(select(held), engine) == ONE


def test_a_merged_or_grouped_column_stands_for_what_is_behind_it() -> None:
    for source in (Merged(behind=lambda _: col(1, 1)), Grouped(behind=lambda _: col(1, 1))):
        query = select(where(equal(col(2, 1), Parameter())), T, source)
        only = msgspec.structs.replace(query, reads_from=(1,))
        assert count(only) == ONE


# --- sources --------------------------------------------------------------------------------------


def test_a_subquery_is_bound_by_what_is_bound_outside_of_it() -> None:
    inner = select(where(), outputs=[col(1, 2), col(1, 1)])
    assert count(select(where(equal(col(1, 2))), derived(inner))) == ONE
    assert count(select(where(equal(col(1, 1))), derived(inner))) == MANY


def test_a_subquery_beside_a_row_that_is_not_fixed_is_not_fixed() -> None:
    inner = select(where(), NoTable())
    leaves = [Leaf(source=1), Leaf(source=2)]
    fixed = select(where(equal(col(1, 1)), items=leaves), T, derived(inner, col(1, 2)))
    assert count(fixed) == ONE
    assert count(select(where(items=leaves), T, derived(inner, col(1, 2)))) == MANY


def test_an_outer_column_that_a_lateral_subquery_returns_is_bound_with_its_result() -> None:
    def of(inner: Query, *absent: int, reads: Column | None = None) -> Query:
        leaves = [Leaf(source=1), Leaf(source=2)]
        beside = derived(inner, reads or col(1, 1))
        return select(where(equal(col(2, 1, *absent)), items=leaves), T, beside)

    handed = [col(1, 1, level=1)]
    inner = select(where(), NoTable(), outputs=handed)
    assert count(of(inner)) == ONE
    assert count(of(inner, 3)) == MANY  # an outer join may omit the row
    assert count(of(select(where(), NoTable(), outputs=[col(1, 1)]))) == MANY
    assert count(of(select(where(), NoTable(), outputs=[col(1, 1, level=2)]))) == MANY
    assert count(of(select(where(), NoTable(), outputs=[col(0, 0, level=1)]))) == MANY
    key = Key(expr=handed[0], classes=frozenset({INT}))
    assert count(of(_changed(inner, group_keys=(key,)))) == MANY
    assert count(of(_changed(inner, grouping_sets=[frozenset()]))) == MANY
    assert count(of(_changed(inner, grouping_sets=None))) == MANY
    assert count(of(_changed(inner, command=Command.INSERT))) == MANY
    arms = SetOperation(op=SetOp.UNION, left=1, right=2)
    assert count(of(_changed(inner, arms=arms))) == MANY
    assert count(_changed(of(inner), command=Command.DELETE, target=1)) == MANY


def test_a_column_that_a_join_may_omit_stays_so_beside_a_lateral_subquery() -> None:
    inner = select(where(), NoTable(), outputs=[col(1, 2, 7, level=1)])
    leaves = [Leaf(source=1), Leaf(source=2)]
    query = select(
        where(equal(col(1, 1)), items=leaves),
        T,
        derived(inner, col(1, 2)),
        distinct=(Key(expr=col(2, 1), classes=frozenset({INT})),),
    )
    assert count(query) == ONE  # of its sources there is one row each
    closure = Closure(RowCounter(Knowing()), query)
    assert not closure.is_exact(col(2, 1))
    assert closure.is_exact(col(1, 2))


def test_a_recursive_query_is_not_counted() -> None:
    def of(*, recursive: bool) -> Query:
        use = CteUse(query=the(select(where(), NoTable())), recursive=recursive)
        return select(where(), use)

    assert count(of(recursive=False)) == Cardinality.ONE
    assert count(of(recursive=True)) == SOME


def test_a_limit_without_an_order_picks_another_row_each_time() -> None:
    """So its columns are not fixed, although it has one row."""
    picked = select(where(equal(col(1, 2))), limit=LIMIT_1, outputs=[col(1, 2)])
    leaves = [Leaf(source=1), Leaf(source=2)]
    joined = where(equal(col(2, 1), col(1, 1)), items=leaves)
    assert count(select(joined, derived(picked), T)) == MANY


# --- rows -----------------------------------------------------------------------------------------


def test_a_union_has_the_rows_of_both_and_an_intersection_those_of_the_smaller() -> None:
    rows, one = select(where(), Values(rows=2)), BY_KEY
    assert count(_set(SetOp.UNION, one, one)) == MANY
    assert count(_set(SetOp.UNION, rows, one)) == SOME
    assert count(_set(SetOp.INTERSECT, rows, one)) == ONE
    assert count(_set(SetOp.EXCEPT, one, rows)) == ONE
    assert count(_set(SetOp.EXCEPT, rows, one)) == MANY


def test_an_offset_a_limit_or_a_condition_may_leave_no_row() -> None:
    values = Values(rows=1)
    assert count(select(where(), values)) == Cardinality.ONE
    assert count(select(where(), values, limit=Limit(exact=True, some=True))) == ONE
    assert count(select(where(), values, limit=Limit(exact=True, from_first=True))) == ONE
    assert count(select(where(equal(col(1, 1))), values)) == ONE


def _changed(query: Query, **fields: object) -> Query:
    return msgspec.structs.replace(query, **fields)


PINNED = select(where(equal(col(1, 2))), distinct=(Key(expr=col(1, 2), classes=frozenset({INT})),))
SETS = [frozenset({1}), frozenset({2})]
INSERTED = Query(
    command=Command.INSERT,
    sources=(T, Values(rows=1)),
    root=where(items=[Leaf(source=2)]),
    reads_from=(2,),
    plain_list=True,
    limit=UNLIMITED,
    target=1,
)
WRITES = Conflict(updates=True, alone=True)
OF_SETS = Key(expr=col(1, 2), classes=frozenset({INT}))


class Quiet(Knowing):
    """An engine without triggers."""

    def may_skip(self, relation: object, command: Command) -> bool:
        del relation, command
        return False


@pytest.mark.parametrize(
    ("query", "claimed", "fields"),
    [
        (CLAIMS["limit"][0], ONE, {"limit": Limit(most=1, some=True, from_first=True)}),
        (PINNED, ONE, {"distinct_keys": (Key(expr=col(1, 3), classes=frozenset({INT})),)}),
        (PINNED, ONE, {"distinct_keys": (Key(expr=col(1, 2)),)}),
        (select(where(), Values(rows=2)), SOME, {"every_group": False}),
        (select(where(), Values(rows=2)), SOME, {"plain_list": False}),
        (_changed(PINNED, group_keys=(OF_SETS,)), ONE, {"grouping_sets": SETS}),
        (_changed(PINNED, group_keys=(OF_SETS,)), ONE, {"grouping_sets": None}),
        (INSERTED, Cardinality.ONE, {"plain_list": False}),
        (_changed(INSERTED, conflict=WRITES), Cardinality.ONE, {"command": Command.OTHER}),
    ],
)
def test_a_claim_about_rows_needs_each_of_its_premises(
    query: Query, claimed: Cardinality, fields: dict[str, object]
) -> None:
    assert count(query, Quiet()) == claimed
    assert count(_changed(query, **fields), Quiet()) == MANY


def test_a_row_that_is_inserted_is_returned_unless_something_may_be_in_its_way() -> None:
    def inserted(conflict: Conflict | None, engine: Pessimist) -> Cardinality:
        return count(_changed(INSERTED, conflict=conflict), engine)

    assert inserted(None, Quiet()) == Cardinality.ONE
    assert inserted(None, Knowing()) == ONE
    assert inserted(WRITES, Quiet()) == Cardinality.ONE
    assert inserted(Conflict(alone=True), Quiet()) == ONE
    assert inserted(Conflict(updates=True), Quiet()) == ONE


def test_a_column_that_is_cast_on_its_way_out_of_a_set_operation_is_not_bound_within() -> None:
    arms = [select(where(), outputs=[col(1, 1)]) for _ in range(2)]
    plain = _set(SetOp.EXCEPT, *arms)
    kept = SetOperation(op=SetOp.EXCEPT, left=1, right=2, left_kept=frozenset({1}))
    outside = where(equal(col(1, 1)))
    assert count(select(outside, derived(_changed(plain, arms=kept)))) == ONE
    assert count(select(outside, derived(plain))) == MANY


def test_a_recursive_query_has_no_row_of_its_own() -> None:
    use = CteUse(query=the(select(where(), NoTable())), recursive=True, itself=True)
    assert count(select(where(), use)) == MANY


def test_a_row_that_either_side_of_a_full_join_lacks_comes_once_for_each() -> None:
    left, right = Leaf(source=1), Leaf(source=2)
    pinned = equal(col(1, 1)), equal(col(2, 1))
    inner, full = (
        select(where(*pinned, items=[Join(kind=kind, left=left, right=right)]), T, T)
        for kind in (JoinKind.INNER, JoinKind.FULL)
    )
    assert count(inner) == ONE
    assert count(full) == MANY


def test_a_subquery_that_reads_many_rows_beside_it_has_many() -> None:
    one_row = select(where(), NoTable())
    leaves = [Leaf(source=1), Leaf(source=2)]
    query = select(where(items=leaves), T, derived(one_row, col(1, 2)))
    assert 2 not in Closure(RowCounter(Knowing()), query).determined


def test_a_column_is_not_bound_in_a_family_other_than_that_of_the_equality() -> None:
    """A column is fixed only for the kind of comparison that the equality makes."""
    equality = equal(col(1, 1)).meaning
    assert isinstance(equality, Equality)
    both = msgspec.structs.replace(
        equality, left_classes=frozenset({INT, TEXT}), families=frozenset({"texts"}), image=False
    )
    assert count(select(where(Condition(handle=None, meaning=both)))) == MANY


def test_nothing_is_said_by_a_rule_that_is_not_adopted() -> None:
    counter = RowCounter(Knowing(without="one-row"))
    assert not counter.at_most_one(INSERTED)
    assert counter.reasons == []
