"""Prove whether a query returns at least one row, at most one row, or both."""

from __future__ import annotations

from collections.abc import Mapping

from aiosqlc.ir import Cardinality
from aiosqlc.relational.closure import Binding, Closure
from aiosqlc.relational.port import Engine
from aiosqlc.relational.tree import (
    Column,
    Command,
    CteUse,
    Derived,
    From,
    Function,
    Join,
    JoinItem,
    JoinKind,
    Key,
    Leaf,
    NoTable,
    Query,
    SetOp,
    SetOperation,
    Source,
    Table,
    Values,
)

Given = Mapping[int, Binding]


class RowCounter:
    """Infers the row counts of queries.

    `reasons` collects the reasons for the outermost query's row count.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.reasons: list[str] = []

    def count(self, query: Query) -> Cardinality:
        """Return how many rows a query returns, as far as it is proved."""
        some = self.at_least_one(query)
        single = self.at_most_one(query)
        if single:
            return Cardinality.ONE if some else Cardinality.ZERO_OR_ONE
        return Cardinality.SOME if some else Cardinality.MANY

    # --- at most one --------------------------------------------------------------------------

    def at_most_one(self, query: Query, given: Given | None = None, *, limits: bool = True) -> bool:
        """Return whether a query returns at most one row.

        `given` are result columns that the outer query fixes to one value. If `limits` is false,
        LIMIT is ignored.
        """
        if query.command is Command.SELECT:
            return self._select_at_most_one(query, given or {}, limits=limits)
        if query.command is Command.OTHER or not query.plain_list:
            return False
        if self._is_cut(query):
            return True
        closure = Closure(self, query)
        if closure.has_full_join:
            return False
        if query.command is Command.INSERT:
            return closure.all_determined and self._say("one-row", "one row is inserted")
        return query.target in closure.determined and self._say(
            "unique-key", closure.why.get(query.target, "one target row")
        )

    def _say(self, rule: str, text: str) -> bool:
        reason = f"{text} [{rule}]"
        if rule in self.engine.applies and reason not in self.reasons:
            self.reasons.append(reason)
        return rule in self.engine.applies

    def _is_cut(self, query: Query) -> bool:
        most = query.limit.most
        cut = most is not None and most <= 1
        return (
            cut
            and self.engine.holds("limit", "no WITH TIES", query.limit.exact)
            and self._say("limit", f"LIMIT {most}")
        )

    def _select_at_most_one(self, query: Query, given: Given, *, limits: bool) -> bool:
        if limits and self._is_cut(query):
            return True
        if not self.engine.holds(
            "one-row", "the select list has no set-returning function", query.plain_list
        ):
            return False
        if query.arms is not None:
            return self._set_at_most_one(query.arms, query, given, limits=limits)
        if query.one_group:
            return self._say("one-row", "an aggregate without GROUP BY returns one row")
        sets = query.grouping_sets
        if sets is None or sets:
            if sets is not None and list(sets) == [frozenset()]:
                return self._say("one-row", "GROUP BY () returns one row")
            single = sets is not None and len(sets) == 1
            if not self.engine.holds("group-keys", "the query has a single grouping set", single):
                return False
        closure = Closure(self, query, given)
        if closure.has_full_join:
            return False
        if closure.all_determined:
            for reason in closure.why.values():
                self._say("unique-key", reason)
            return True
        if query.group_keys:
            return self._keys_pinned(query.group_keys, closure) and self._say(
                "group-keys", "every GROUP BY key has one value"
            )
        if query.distinct_keys:
            return self._keys_pinned(query.distinct_keys, closure) and self._say(
                "group-keys", "every DISTINCT key has one value"
            )
        return False

    def _set_at_most_one(
        self, arm: SetOperation | int, query: Query, given: Given, *, limits: bool
    ) -> bool:
        if isinstance(arm, int):
            source = query.source(arm)
            return isinstance(source, Derived) and self.at_most_one(
                source.query(), given, limits=limits
            )
        union = arm.op is SetOp.UNION
        if not self.engine.holds("set-operation-rows", "no UNION", not union):
            return False
        sides = [(arm.left, arm.left_kept), (arm.right, arm.right_kept)]
        single = any(
            self._set_at_most_one(side, query, self._uncast(given, kept), limits=limits)
            for side, kept in (sides[:1] if arm.op is SetOp.EXCEPT else sides)
        )
        return single and self._say(
            "set-operation-rows",
            "the set operation returns no more rows than a branch that has at most one row",
        )

    def _uncast(self, given: Given, kept: frozenset[int]) -> Given:
        """Return the columns in `given` that a set operation takes from an operand without a cast.

        If the set operation casts a column, different values of the operand may become equal.
        """
        return {
            number: binding
            for number, binding in given.items()
            if self.engine.holds(
                "set-operation-rows", "the column of the set operation is not cast", number in kept
            )
        }

    def _keys_pinned(self, keys: tuple[Key, ...], closure: Closure) -> bool:
        pinned = all(self._key_pinned(key, closure) for key in keys)
        return self.engine.holds("group-keys", "every key column has a single value", pinned)

    def _key_pinned(self, key: Key, closure: Closure) -> bool:
        if key.classes is None:
            return False
        expr = closure.resolve(key.expr)
        if closure.is_exact(expr):
            return True
        if not isinstance(expr, Column) or expr.level or expr.absent:
            return False
        binding = closure.columns.get((expr.source, expr.column))
        return (
            binding is not None
            and bool(binding.classes & key.classes)
            and (
                binding.collation == expr.collation or self.engine.deterministic(binding.collation)
            )
        )

    # --- at least one -------------------------------------------------------------------------

    def at_least_one(self, query: Query) -> bool:
        """Return whether a query always returns at least one row."""
        if not self.engine.holds("some-row", "no OFFSET", query.limit.from_first):
            return False
        if not self.engine.holds("some-row", "LIMIT allows at least one row", query.limit.some):
            return False
        if query.arms is not None:
            return self._set_at_least_one(query.arms, query)
        if query.command is Command.INSERT:
            return self._insert_at_least_one(query)
        if query.command is not Command.SELECT:
            return False
        if not self.engine.holds(
            "some-row", "the select list has no set-returning function", query.plain_list
        ):
            return False
        if not self.engine.holds("some-row", "no HAVING", query.every_group):
            return False
        if query.one_group or frozenset() in (query.grouping_sets or ()):
            return True
        return self._item_at_least_one(query.root, query)

    def reads_a_row(self, query: Query) -> bool:
        """Return whether FROM and WHERE always yield a row, before rows are grouped."""
        plain = query.command is Command.SELECT and query.arms is None
        return plain and self._item_at_least_one(query.root, query)

    def _set_at_least_one(self, arm: SetOperation | int, query: Query) -> bool:
        if isinstance(arm, int):
            return self._source_at_least_one(query.source(arm))
        return arm.op is SetOp.UNION and (
            self._set_at_least_one(arm.left, query) or self._set_at_least_one(arm.right, query)
        )

    def _insert_at_least_one(self, query: Query) -> bool:
        target = query.source(query.target)
        if not isinstance(target, Table) or not query.plain_list:
            return False
        kept = not self.engine.may_skip(target.relation, Command.INSERT)
        if not self.engine.holds("some-row", "no trigger skips the row", kept):
            return False
        conflict = query.conflict
        if conflict is not None:
            done = conflict.updates and not self.engine.may_skip(target.relation, Command.UPDATE)
            if not self.engine.holds(
                "some-row", "ON CONFLICT always updates the existing row", done
            ):
                return False
            # A WITH query in SET may change the same row, which the update then skips.
            if not self.engine.holds(
                "some-row", "SET of ON CONFLICT reads no WITH query", conflict.alone
            ):
                return False
        return self._item_at_least_one(query.root, query)

    def _item_at_least_one(self, item: JoinItem, query: Query) -> bool:
        if isinstance(item, Leaf):
            return self._source_at_least_one(query.source(item.source))
        if isinstance(item, From):
            always = self.engine.holds("some-row", "no condition", item.every_row)
            return always and all(self._item_at_least_one(i, query) for i in item.items)
        return self._join_at_least_one(item, query)

    def _join_at_least_one(self, join: Join, query: Query) -> bool:
        left = self._item_at_least_one(join.left, query)
        right = self._item_at_least_one(join.right, query)
        return {
            JoinKind.INNER: left and right and join.every_row,
            JoinKind.LEFT: left,
            JoinKind.RIGHT: right,
            JoinKind.FULL: left or right,
        }[join.kind]

    def _source_at_least_one(self, source: Source) -> bool:
        if isinstance(source, Values):
            return source.rows > 0
        if isinstance(source, NoTable):
            return True
        if isinstance(source, Derived):
            return self.at_least_one(source.query())
        if isinstance(source, CteUse):
            return not source.itself and self.at_least_one(source.query())
        return isinstance(source, Function) and self._function_at_least_one(source)

    def _function_at_least_one(self, function: Function) -> bool:
        return function.a_row or self.engine.holds(
            "some-row",
            "the set-returning function has constant arguments and returns a row",
            self.engine.has_row(function),
        )
