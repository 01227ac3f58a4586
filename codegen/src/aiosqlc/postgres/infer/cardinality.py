"""Prove the row count of a query: at least one, at most one, both, or nothing is known."""

from __future__ import annotations

import re
from collections.abc import Mapping

from aiosqlc.ir import Cardinality
from aiosqlc.postgres.catalog.facts import Facts
from aiosqlc.postgres.infer import kinds
from aiosqlc.postgres.infer.bindings import Binding, Closure
from aiosqlc.postgres.infer.constants import rows_of
from aiosqlc.postgres.infer.grouping import grouping_sets, is_ungrouped_aggregate
from aiosqlc.postgres.infer.outputs import arm_type
from aiosqlc.postgres.infer.scope import Scope
from aiosqlc.postgres.tree import Node


class RowCounter:
    """Count the rows of scopes. `reasons` collects the reasons for the outermost query."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.reasons: list[str] = []

    def count(self, scope: Scope) -> Cardinality:
        """Return the proved facts about the number of rows of a query."""
        some = self.at_least_one(scope)
        single = self.at_most_one(scope)
        if single:
            return Cardinality.ONE if some else Cardinality.ZERO_OR_ONE
        return Cardinality.SOME if some else Cardinality.MANY

    # --- at most one --------------------------------------------------------------------------

    def at_most_one(
        self, scope: Scope, given: Mapping[int, Binding] | None = None, *, limits: bool = True
    ) -> bool:
        """Return whether a second row is impossible.

        `given` are output columns pinned from outside; without `limits`, a LIMIT does not count.
        """
        query = scope.query
        command = scope.command
        if command == kinds.Command.SELECT:
            return self._select_at_most_one(scope, given or {}, limits=limits)
        if query["hasTargetSRFs"] or command in (
            kinds.Command.MERGE,
            kinds.Command.UTILITY,
            kinds.Command.UNKNOWN,
        ):
            return False
        closure = Closure(self, scope)
        if closure.has_full_join:
            return False
        if command in (kinds.Command.UPDATE, kinds.Command.DELETE):
            target = query["resultRelation"]
            return target in closure.determined and self._say(
                "unique-key", closure.why.get(target, "one target row")
            )
        one = all(source in closure.determined for source in closure.sources)
        return one and self._say("one-row", "one row is inserted")

    def _say(self, rule: str, text: str) -> bool:
        reason = f"{text} [{rule}]"
        if reason not in self.reasons:
            self.reasons.append(reason)
        return True

    def _select_at_most_one(
        self, scope: Scope, given: Mapping[int, Binding], *, limits: bool
    ) -> bool:
        query = scope.query
        limit = constant_int(query["limitCount"])
        exact = query["limitOption"] != kinds.LIMIT_WITH_TIES
        cut = limit is not None and limit <= 1 and self.facts.holds("limit", "no WITH TIES", exact)
        if limits and cut:
            return self._say("limit", f"LIMIT {limit}")
        sets = query["hasTargetSRFs"]
        if not self.facts.holds(
            "one-row", "the select list has no set-returning function", not sets
        ):
            return False
        if query["setOperations"] is not None:
            return self._set_at_most_one(query["setOperations"], scope, given, limits=limits)
        if is_ungrouped_aggregate(query):
            return self._say("one-row", "an aggregate without GROUP BY returns one row")
        if query["groupingSets"]:
            sets = grouping_sets(query)
            if sets == [frozenset()]:
                return self._say("one-row", "GROUP BY () returns one row")
            single = sets is not None and len(sets) == 1
            if not self.facts.holds("group-keys", "there is one grouping set", single):
                return False
        closure = Closure(self, scope, given)
        if closure.has_full_join:
            return False
        if all(source in closure.determined for source in closure.sources):
            for reason in closure.why.values():
                self._say("unique-key", reason)
            return True
        if query["groupClause"]:
            return self._keys_pinned(query["groupClause"], closure) and self._say(
                "group-keys", "every GROUP BY key has one value"
            )
        if query["distinctClause"]:
            return self._keys_pinned(query["distinctClause"], closure) and self._say(
                "group-keys", "every DISTINCT key has one value"
            )
        return False

    def _set_at_most_one(
        self, node: Node, scope: Scope, given: Mapping[int, Binding], *, limits: bool
    ) -> bool:
        if node.kind == "RANGETBLREF":
            inner = scope.inner(scope.entry(node["rtindex"])["subquery"])
            return self.at_most_one(inner, given, limits=limits)
        union = node["op"] == kinds.SetOp.UNION
        if not self.facts.holds("set-operation-rows", "no UNION", not union):
            return False
        sides = ("larg",) if node["op"] == kinds.SetOp.EXCEPT else ("larg", "rarg")
        single = any(
            self._set_at_most_one(
                node[side], scope, _uncast(node, side, scope, given), limits=limits
            )
            for side in sides
        )
        return single and self._say(
            "set-operation-rows", "it returns no more rows than one of its branches"
        )

    def _keys_pinned(self, clauses: list[Node], closure: Closure) -> bool:
        targets = {t["ressortgroupref"]: t["expr"] for t in closure.scope.query["targetList"]}
        return self.facts.holds("group-keys", "every key has one value", False) or all(
            self._key_pinned(targets[c["tleSortGroupRef"]], c["eqop"], closure) for c in clauses
        )

    def _key_pinned(self, key: Node, operator: int, closure: Closure) -> bool:
        equality = self.facts.equalities.get(operator)
        if equality is None:
            return False
        key = closure.resolve(key)
        if closure.is_exact(key):
            return True
        if key.kind != "VAR" or key["varlevelsup"]:
            return False
        if closure.scope.alive(key["varno"], key["varnullingrels"] or ()):
            return False
        binding = closure.columns.get((key["varno"], key["varattno"]))
        return (
            binding is not None
            and bool(binding.comparisons & equality.left)
            and (
                binding.collation == key["varcollid"] or self.facts.deterministic(binding.collation)
            )
        )

    # --- at least one -------------------------------------------------------------------------

    def at_least_one(self, scope: Scope) -> bool:
        """Return whether an empty result is impossible."""
        query = scope.query
        offset = query["limitOffset"]
        start = offset is None or constant_int(offset) == 0
        if not self.facts.holds("some-row", "no OFFSET", start):
            return False
        through = _limit_lets_one_through(query["limitCount"])
        if not self.facts.holds("some-row", "LIMIT allows a row", through):
            return False
        if query["setOperations"] is not None:
            return self._set_at_least_one(query["setOperations"], scope)
        if scope.command == kinds.Command.INSERT:
            return self._insert_at_least_one(scope)
        if scope.command != kinds.Command.SELECT:
            return False
        sets = query["hasTargetSRFs"]
        if not self.facts.holds(
            "some-row", "the select list has no set-returning function", not sets
        ):
            return False
        if not self.facts.holds("some-row", "no HAVING", query["havingQual"] is None):
            return False
        if is_ungrouped_aggregate(query):
            return True
        grouped = grouping_sets(query)
        if grouped is not None and frozenset() in grouped:
            return True
        return self._from_at_least_one(query["jointree"], scope)

    def reads_a_row(self, scope: Scope) -> bool:
        """Return whether FROM and WHERE admit a row, before any grouping."""
        query = scope.query
        plain = scope.command == kinds.Command.SELECT and query["setOperations"] is None
        return plain and self._from_at_least_one(query["jointree"], scope)

    def _set_at_least_one(self, node: Node, scope: Scope) -> bool:
        if node.kind == "RANGETBLREF":
            entry = scope.entry(node["rtindex"])
            return self.at_least_one(scope.inner(entry["subquery"]))
        return node["op"] == kinds.SetOp.UNION and (
            self._set_at_least_one(node["larg"], scope)
            or self._set_at_least_one(node["rarg"], scope)
        )

    def _insert_at_least_one(self, scope: Scope) -> bool:
        query = scope.query
        target = scope.entry(query["resultRelation"])["relid"]
        kept = not self.facts.may_skip_insert(target)
        sets = query["hasTargetSRFs"]
        if sets or not self.facts.holds("some-row", "no trigger skips the row", kept):
            return False
        conflict = query["onConflict"]
        if conflict is not None:
            conditional = conflict["onConflictWhere"] is not None
            nothing = conflict["action"] != kinds.ON_CONFLICT_UPDATE
            done = not (nothing or conditional or self.facts.may_skip_update(target))
            if not self.facts.holds("some-row", "ON CONFLICT always writes", done):
                return False
            # What is read first inside SET may write the very row: the update then passes over it.
            alone = not _READS_WITH.search(conflict.text)
            if not self.facts.holds("some-row", "SET contains no WITH", alone):
                return False
        return self._from_at_least_one(query["jointree"], scope)

    def _from_at_least_one(self, item: Node, scope: Scope) -> bool:
        if item.kind == "FROMEXPR":
            always = self.facts.holds("some-row", "no condition", _is_true(item["quals"]))
            return always and all(
                self._from_at_least_one(i, scope) for i in item.list_of("fromlist")
            )
        if item.kind == "JOINEXPR":
            left = self._from_at_least_one(item["larg"], scope)
            right = self._from_at_least_one(item["rarg"], scope)
            return {
                kinds.Join.INNER: left and right and _is_true(item["quals"]),
                kinds.Join.LEFT: left,
                kinds.Join.RIGHT: right,
                kinds.Join.FULL: left or right,
            }.get(item["jointype"], False)
        return self._entry_at_least_one(scope.entry(item["rtindex"]), scope)

    def _entry_at_least_one(self, entry: Node, scope: Scope) -> bool:
        kind = entry["rtekind"]
        if kind in (kinds.Rte.VALUES, kinds.Rte.RESULT):
            return True
        if kind == kinds.Rte.SUBQUERY:
            return self.at_least_one(scope.inner(entry["subquery"]))
        if kind == kinds.Rte.CTE and not entry["self_reference"]:
            owner = scope.up(entry["ctelevelsup"])
            return self.at_least_one(owner.inner(owner.cte(entry["ctename"])["ctequery"]))
        if kind == kinds.Rte.FUNCTION:
            calls = [f["funcexpr"] for f in entry["functions"]]
            if any(c.kind == "FUNCEXPR" and not c["funcretset"] for c in calls):
                return True
            some = any(rows_of(call, self.facts) for call in calls)
            return self.facts.holds(
                "some-row",
                "the set-returning function has constant arguments and returns a row",
                some,
            )
        return False


def _uncast(
    node: Node, side: str, scope: Scope, given: Mapping[int, Binding]
) -> dict[int, Binding]:
    """Return the bindings that hold in a part too; a column cast on output keeps none."""
    types = node["colTypes"]
    return {
        attribute: binding
        for attribute, binding in given.items()
        if scope.catalog.holds(
            "set-operation-rows",
            "the column is not cast",
            arm_type(node[side], attribute, scope) == types[attribute - 1],
        )
    }


def _is_true(quals: Node | None) -> bool:
    """Return whether a condition is absent or the constant true."""
    if quals is None:
        return True
    return bool(
        quals.kind == "CONST" and not quals["constisnull"] and any(quals["constvalue"].data)
    )


def constant_int(node: Node | None) -> int | None:
    """Return the value of an integer constant; `LIMIT 1` arrives as `int8(1)`."""
    while node is not None and node.kind == "FUNCEXPR" and len(node.list_of("args")) == 1:
        if node["funcid"] not in _TO_INT8:
            return None
        node = node["args"][0]
    if node is None or node.kind != "CONST" or node["constisnull"]:
        return None
    if node["consttype"] not in _INTEGERS:
        return None
    width = node["constlen"]
    return int.from_bytes(node["constvalue"].data[:width], "little", signed=True)


_READS_WITH = re.compile(rf":rtekind {kinds.Rte.CTE}\b")
_INTEGERS = frozenset({20, 21, 23})  # int8, int2, int4
_TO_INT8 = frozenset({481, 754})  # int8(int4), int8(int2)


def _limit_lets_one_through(node: Node | None) -> bool:
    if node is None or (node.kind == "CONST" and node["constisnull"]):
        return True
    limit = constant_int(node)
    return limit is not None and limit >= 1
