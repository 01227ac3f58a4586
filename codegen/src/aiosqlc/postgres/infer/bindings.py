"""Find columns with a single value, and sources that are thereby limited to one row.

Two strengths of "pinned" are kept apart. A column is *exact* when all its values are the same
datum: it may then feed any function. It is merely *equal* when an equality operator holds against
something fixed (`1.0 = 1.00`, case-insensitive text): it may then feed another equality of the same
kind, and match a unique index of the same kind, and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiosqlc.postgres.catalog.facts import Comparison, Facts, UniqueKey
from aiosqlc.postgres.infer import kinds
from aiosqlc.postgres.infer.conditions import called, functions_below
from aiosqlc.postgres.infer.joins import conditions, sources_of, variables
from aiosqlc.postgres.infer.matching import implied, same
from aiosqlc.postgres.infer.outputs import expression_type
from aiosqlc.postgres.infer.scope import Scope
from aiosqlc.postgres.tree import Node, walk

if TYPE_CHECKING:
    from aiosqlc.postgres.infer.cardinality import RowCounter

# Two local times can be one instant, so these equalities do not pin what a unique index keeps
# apart.
_ZONE_CROSSING = frozenset(
    {
        "date_eq_timestamptz",
        "timestamptz_eq_date",
        "timestamp_eq_timestamptz",
        "timestamptz_eq_timestamp",
    }
)
# Built-in equalities that only one datum meets (those of text under a deterministic collation).
_IMAGE_EQUALITIES = frozenset({
    "int2eq", "int4eq", "int8eq", "int24eq", "int28eq", "int42eq", "int48eq", "int82eq", "int84eq",
    "oideq", "booleq", "uuid_eq", "date_eq", "timestamp_eq", "timestamptz_eq", "time_eq",
    "date_eq_timestamp", "timestamp_eq_date", "byteaeq", "nameeq", "nameeqtext", "texteqname",
    "texteq", "chareq", "xideq", "cideq", "xid8eq", "tideq", "pg_lsn_eq", "macaddr_eq",
    "macaddr8_eq", "enum_eq",
})  # fmt: skip
_NEVER_FIXED = frozenset({"AGGREF", "WINDOWFUNC", "NEXTVALUEEXPR", "CURRENTOFEXPR", "GROUPINGFUNC"})
_BOOL = 16


@dataclass(frozen=True, slots=True)
class Binding:
    """How a column is bound: exactly, or up to the equality of some operator families."""

    exact: bool
    comparisons: frozenset[Comparison]
    collation: int


EXACT = Binding(True, frozenset(), 0)


@dataclass(frozen=True, slots=True)
class _Operand:
    """One side of an equality, and how it is compared there."""

    node: Node
    comparisons: frozenset[Comparison]


class Closure:
    """The consequences of a query's equalities.

    `given` pins outputs from outside; `fixed` are sources taken as one row each.
    """

    def __init__(
        self,
        counter: RowCounter,
        scope: Scope,
        given: Mapping[int, Binding] | None = None,
        *,
        fixed: frozenset[int] = frozenset(),
    ) -> None:
        self.counter = counter
        self.facts: Facts = counter.facts
        self.scope = scope
        self.columns: dict[tuple[int, int], Binding] = {}
        self.expressions: dict[Node, Binding] = {}
        self.determined: set[int] = set(fixed)
        self.exact_entries: set[int] = set(fixed)
        self.why: dict[int, str] = {}
        self._conditions = list(conditions(scope.query["jointree"]))
        self.sources = list(sources_of(scope.query))
        full = any(join["jointype"] == kinds.Join.FULL for join in scope.joins.outer)
        self.has_full_join = not self.facts.holds("unique-key", "no FULL JOIN", not full)
        self._give(given or {})
        if not self.has_full_join:
            self._settle()

    def _give(self, given: Mapping[int, Binding]) -> None:
        targets = [t for t in self.scope.query.list_of("targetList") if not t["resjunk"]]
        for attribute, binding in given.items():
            if 0 < attribute <= len(targets):
                self._pin(self.resolve(targets[attribute - 1]["expr"]), binding)

    def _settle(self) -> None:
        changed = True
        while changed:
            changed = False
            for side, condition in self._conditions:
                changed |= self._apply(side, condition)
            for varno in self.sources:
                if varno not in self.determined and self._determine(varno):
                    self.determined.add(varno)
                    changed = True
                unsettled = varno in self.determined and varno not in self.exact_entries
                if unsettled and self._is_exact_entry(varno):
                    self.exact_entries.add(varno)
                    changed = True

    # --- equalities ---------------------------------------------------------------------------

    def _apply(self, side: frozenset[int] | None, condition: Node) -> bool:
        """Bind what an AND-ed condition binds.

        The ON of an outer join binds its optional side only.
        """
        truth = _boolean_column(condition)
        if truth is not None:
            return self._allowed(side, truth) and self._pin(truth, EXACT)
        if condition.kind != "OPEXPR" or len(condition["args"]) != 2:
            return False
        equality = self.facts.equalities.get(condition["opno"])
        if equality is None or self.facts.built_in(called(condition)) in _ZONE_CROSSING:
            return False
        changed = False
        left, right = (
            _Operand(self.resolve(_bare(arg)), sides if self._keeps_type(arg) else frozenset())
            for arg, sides in zip(condition["args"], (equality.left, equality.right), strict=True)
        )
        for pinned, source in ((left, right), (right, left)):
            if self._allowed(side, pinned.node):
                families = self._fixing(source, condition)
                binding = Binding(
                    self._is_image(pinned.node, condition) and bool(families),
                    frozenset(c for c in pinned.comparisons if c[0] in families),
                    condition["inputcollid"],
                )
                changed |= bool(families) and self._pin(pinned.node, binding)
        return changed

    def _keeps_type(self, arg: Node) -> bool:
        """Return whether the operator treats a value like an index of its type.

        An operator of a fixed type takes it as that type, whatever it was before. A polymorphic one
        (of arrays, ranges, enums, rows) looks at the type it is given, which a cast may change.
        """
        before, after = expression_type(_bare(arg)), expression_type(arg)
        same_type = self.facts.base_type(before) == self.facts.base_type(after)
        return same_type or self.facts.is_plain(after)

    def _allowed(self, side: frozenset[int] | None, node: Node) -> bool:
        entries = {n["varno"] for n in walk(node) if n.kind == "VAR" and n["varlevelsup"] == 0}
        return bool(entries) and self.facts.holds(
            "unique-key", "ON binds only the optional side", side is None or entries <= side
        )

    def _fixing(self, source: _Operand, condition: Node) -> frozenset[int]:
        """Return the operator families in which an operand is fixed up to equality."""
        equality = self.facts.equalities[condition["opno"]]
        if self.is_exact(source.node, direct=True):
            return frozenset(family for family, _ in equality.left)
        binding = self._binding(source.node)
        if binding is None or (
            binding.collation != condition["inputcollid"]
            and not self.facts.deterministic(binding.collation)
        ):
            return frozenset()
        return frozenset(family for family, _ in binding.comparisons & source.comparisons)

    def _binding(self, node: Node) -> Binding | None:
        if node.kind == "VAR" and node["varlevelsup"] == 0:
            return self.columns.get((node["varno"], node["varattno"]))
        return None

    def _pin(self, node: Node, binding: Binding) -> bool:
        if node.kind == "VAR" and node["varlevelsup"] == 0:
            key = (node["varno"], node["varattno"])
            before = self.columns.get(key)
            if before is None or (binding.exact and not before.exact):
                self.columns[key] = binding
                return True
            return False
        if node in self.expressions:
            return False
        self.expressions[node] = binding
        return True

    def _is_image(self, node: Node, condition: Node) -> bool:
        """Return whether only one datum satisfies a condition; the operator decides that."""
        image = self.facts.built_in(called(condition)) in _IMAGE_EQUALITIES
        return (
            node.kind == "VAR"
            and self.facts.holds("unique-key", "the equality operator is that of the index", image)
            and self.facts.deterministic(condition["inputcollid"])
        )

    def resolve(self, node: Node) -> Node:
        """Return the column behind a grouped or merged column."""
        while node.kind == "VAR" and node["varlevelsup"] == 0 and node["varattno"] > 0:
            entry = self.scope.entry(node["varno"])
            if self.scope.alive(node["varno"], node["varnullingrels"] or ()):
                return node
            if entry["rtekind"] == kinds.Rte.GROUP:
                node = entry["groupexprs"][node["varattno"] - 1]
            elif entry["rtekind"] == kinds.Rte.JOIN and entry["jointype"] != kinds.Join.FULL:
                node = entry["joinaliasvars"][node["varattno"] - 1]
            else:
                return node
        return node

    def is_exact(self, node: Node, *, direct: bool = False) -> bool:
        """Return whether an expression has one value over the whole result.

        `direct`: it stands alone in a strict equality, which a NULL made by an outer join cannot
        meet; elsewhere such a NULL would be a second value.
        """
        node = self.resolve(node)
        if node.kind == "VAR":
            return self._is_exact_var(node, direct=direct)
        if node.kind == "PARAM":
            return bool(node["paramkind"] == kinds.Param.EXTERN)
        if node.kind == "SUBLINK":
            fixed = (kinds.SubLink.EXPR, kinds.SubLink.EXISTS, kinds.SubLink.ARRAY)
            inside = any(True for _ in variables(node["subselect"], 1))
            return node["subLinkType"] in fixed and self.facts.holds(
                "unique-key", "the other side does not depend on a row", not inside
            )
        if node.kind in _NEVER_FIXED or node.get("funcretset") or node.get("opretset"):
            return False
        settled = not (called(node) and self.facts.volatile(called(node)))
        if not self.facts.holds("unique-key", "the other side is not volatile", settled):
            return False
        return all(self._exact_value(value) for _, value in node.children())

    def _exact_value(self, value: Any) -> bool:
        if isinstance(value, Node):
            return self.is_exact(value)
        if isinstance(value, list):
            return all(self._exact_value(v) for v in value)
        return True

    def _is_exact_var(self, node: Node, *, direct: bool) -> bool:
        if node["varlevelsup"] > 0:
            return True
        if not direct and self.scope.alive(node["varno"], node["varnullingrels"] or ()):
            return False
        if self.scope.entry(node["varno"])["rtekind"] == kinds.Rte.GROUP:
            return False
        binding = self.columns.get((node["varno"], node["varattno"]))
        return node["varno"] in self.exact_entries or (binding is not None and binding.exact)

    # --- sources ------------------------------------------------------------------------------

    def _determine(self, varno: int) -> bool:
        """Return whether at most one row of a source matches the bound columns."""
        entry = self.scope.entry(varno)
        kind = entry["rtekind"]
        if kind == kinds.Rte.RELATION:
            keys = self.facts.unique_keys(entry["relid"], with_children=entry["inh"])
            key = next((k for k in keys if self._covers(varno, k)), None)
            if key is not None:
                self.why[varno] = f"all columns of the unique index {key.name} are bound"
            return key is not None
        if kind == kinds.Rte.RESULT:
            return True
        alone = self._outside_is_exact(entry)
        if not self.facts.holds("unique-key", "LATERAL refers to one row", alone):
            return False
        if kind == kinds.Rte.SUBQUERY:
            inner = self.scope.inner(entry["subquery"])
            return self.counter.at_most_one(inner, self._given(varno))
        if kind == kinds.Rte.CTE:
            inner_cte = self._cte(entry)
            return inner_cte is not None and self.counter.at_most_one(inner_cte, self._given(varno))
        if kind == kinds.Rte.VALUES:
            return len(entry["values_lists"]) <= 1
        if kind == kinds.Rte.FUNCTION:
            return all(not _gives_set(f["funcexpr"]) for f in entry["functions"])
        return False

    def _is_exact_entry(self, varno: int) -> bool:
        """Return whether every column of a bound source has one value, even if read repeatedly.

        A plan may read a source anew for every row beside it, so a LIMIT without an order, or a
        volatile function, can show another row each time.
        """
        entry = self.scope.entry(varno)
        kind = entry["rtekind"]
        if kind in (kinds.Rte.RELATION, kinds.Rte.RESULT):
            return True
        if kind == kinds.Rte.CTE and self._runs_once(entry):
            return True
        if self._has_volatile(entry):
            return False
        if kind == kinds.Rte.SUBQUERY:
            inner = self.scope.inner(entry["subquery"])
            return self.counter.at_most_one(inner, self._given(varno), limits=False)
        if kind == kinds.Rte.CTE:
            inner_cte = self._cte(entry)
            return inner_cte is not None and self.counter.at_most_one(
                inner_cte, self._given(varno), limits=False
            )
        return kind in (kinds.Rte.VALUES, kinds.Rte.FUNCTION)

    def _has_volatile(self, value: Node) -> bool:
        return any(self.facts.volatile(function) for function in functions_below(value))

    def _runs_once(self, entry: Node) -> bool:
        """Return whether a WITH query is certainly evaluated once, and not folded into its use."""
        cte = self.scope.up(entry["ctelevelsup"]).cte(entry["ctename"])
        query = cte["ctequery"]
        always_materialized = 1
        return bool(
            cte["ctematerialized"] == always_materialized
            or query["commandType"] != kinds.Command.SELECT
            or query["rowMarks"]
            or self._has_volatile(query)
        )

    def _cte(self, entry: Node) -> Scope | None:
        owner = self.scope.up(entry["ctelevelsup"])
        cte = owner.cte(entry["ctename"])
        return None if cte["cterecursive"] else owner.inner(cte["ctequery"])

    def _outside_is_exact(self, entry: Node) -> bool:
        """Return whether the references of a LATERAL source at this level have one value."""
        kind = entry["rtekind"]
        body, depth = (entry["subquery"], 1) if kind == kinds.Rte.SUBQUERY else (entry, 0)
        if kind == kinds.Rte.CTE:
            return True
        return all(self._is_exact_var_at(node) for node in variables(body, depth))

    def _is_exact_var_at(self, node: Node) -> bool:
        varno = node["varno"]
        if self.scope.alive(varno, node["varnullingrels"] or ()):
            return False
        binding = self.columns.get((varno, node["varattno"]))
        return varno in self.exact_entries or (binding is not None and binding.exact)

    def _given(self, varno: int) -> dict[int, Binding]:
        return {attr: b for (v, attr), b in self.columns.items() if v == varno and attr > 0}

    def _covers(self, varno: int, key: UniqueKey) -> bool:
        expressions = iter(key.expressions)
        for column, comparison, collation in zip(
            key.columns, key.comparisons, key.collations, strict=True
        ):
            if comparison is None:
                return False
            if column:
                binding = self.columns.get((varno, column))
                found = binding is not None and self._matches(binding, comparison, collation)
            else:
                wanted = next(expressions, None)
                found = wanted is not None and any(
                    same(node, wanted, varno) and self._matches(b, comparison, collation)
                    for node, b in self.expressions.items()
                )
            if not self.facts.holds("unique-key", "every column is bound", found):
                return False
        return self.facts.holds(
            "unique-key", "the predicate of the index is implied", False
        ) or all(
            implied(self._conditions, varno, predicate, self.facts) for predicate in key.predicate
        )

    def _matches(self, binding: Binding, comparison: Comparison, collation: int) -> bool:
        """Return whether values equal under the binding are equal for the index."""
        if binding.exact:
            return True
        return comparison in binding.comparisons and (
            binding.collation == collation or self.facts.deterministic(binding.collation)
        )


def _bare(node: Node) -> Node:
    while node.kind == "RELABELTYPE":
        node = node["arg"]
    return node


def _boolean_column(condition: Node) -> Node | None:
    """Return the column of a bare `WHERE flag` or `WHERE NOT flag`."""
    if condition.kind == "BOOLEXPR" and condition["boolop"] == "not":
        condition = condition["args"][0]
    is_flag = condition.kind == "VAR" and condition["vartype"] == _BOOL
    return condition if is_flag and condition["varlevelsup"] == 0 else None


def _gives_set(node: Node) -> bool:
    return any(n.get("funcretset") is True or n.get("opretset") is True for n in walk(node))
