"""Which columns are pinned to one value, and which sources are thereby pinned to one row.

Two strengths of "pinned" are kept apart. A column is *exact* when all its values are the same
datum: it may then feed any function. It is merely *equal* when an equality operator holds against
something fixed (`1.0 = 1.00`, case-insensitive text): it may then feed another equality of the same
kind, and match a unique index of the same kind, and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiosqlc.postgres.catalog.facts import Facts, UniqueKey
from aiosqlc.postgres.infer import kinds
from aiosqlc.postgres.infer.conditions import called, functions_below
from aiosqlc.postgres.infer.joins import conditions, sources_of, variables
from aiosqlc.postgres.infer.matching import implied, same
from aiosqlc.postgres.infer.scope import Scope
from aiosqlc.postgres.tree import Node, walk

if TYPE_CHECKING:
    from aiosqlc.postgres.infer.cardinality import RowCounter

# Types whose equality is equality of the datum (text only under a deterministic collation).
_IMAGE_TYPES = frozenset({
    "int2", "int4", "int8", "oid", "bool", "uuid", "date", "timestamp", "timestamptz", "time",
    "bytea", "name", "char", "xid8", "macaddr", "text", "varchar",
})  # fmt: skip
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
_NEVER_FIXED = frozenset({"AGGREF", "WINDOWFUNC", "NEXTVALUEEXPR", "CURRENTOFEXPR", "GROUPINGFUNC"})
_BOOL = 16


@dataclass(frozen=True, slots=True)
class Binding:
    """How a column is pinned: exactly, or up to the equality of some operator families."""

    exact: bool
    families: frozenset[int]
    collation: int


EXACT = Binding(True, frozenset(), 0)


class Closure:
    """Everything that follows from a query's equalities.

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
        self.has_full_join = any(join["jointype"] == kinds.Join.FULL for join in scope.joins.outer)
        self._give(given or {})
        if not self.has_full_join:
            self._settle()

    def _give(self, given: Mapping[int, Binding]) -> None:
        targets = [t for t in self.scope.query.items("targetList") if not t["resjunk"]]
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
        """Pin what an AND-ed condition pins. An outer join's ON pins its nullable side only."""
        truth = _boolean_column(condition)
        if truth is not None:
            return self._allowed(side, truth) and self._pin(truth, EXACT)
        if condition.kind != "OPEXPR" or len(condition["args"]) != 2:
            return False
        families = self.facts.equalities.get(condition["opno"])
        if not families or self.facts.built_in(called(condition)) in _ZONE_CROSSING:
            return False
        changed = False
        left, right = (self.resolve(_bare(arg)) for arg in condition["args"])
        for pinned, source in ((left, right), (right, left)):
            if self._allowed(side, pinned) and self._fixes(source, condition, families):
                exact = self._is_image(pinned, condition["inputcollid"])
                binding = Binding(exact, families, condition["inputcollid"])
                changed |= self._pin(pinned, binding)
        return changed

    def _allowed(self, side: frozenset[int] | None, node: Node) -> bool:
        entries = {n["varno"] for n in walk(node) if n.kind == "VAR" and n["varlevelsup"] == 0}
        return bool(entries) and (side is None or entries <= side)

    def _fixes(self, source: Node, condition: Node, families: frozenset[int]) -> bool:
        if self.is_exact(source, direct=True):
            return True
        binding = self._binding(source)
        return (
            binding is not None
            and bool(binding.families & families)
            and (
                binding.collation == condition["inputcollid"]
                or self.facts.deterministic(binding.collation)
            )
        )

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

    def _is_image(self, node: Node, collation: int) -> bool:
        if node.kind != "VAR":
            return False
        entry = self.facts.types.get(node["vartype"])
        while entry is not None and entry.kind == "d":
            entry = self.facts.types.get(entry.base)
        if entry is None or not self.facts.deterministic(collation):
            return False
        return entry.kind == "e" or (entry.schema == "pg_catalog" and entry.name in _IMAGE_TYPES)

    def resolve(self, node: Node) -> Node:
        """Return what a grouped or merged column stands for."""
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
        """Whether an expression has one value over the whole result.

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
            inside = variables(node["subselect"], 1)
            return node["subLinkType"] in fixed and not any(True for _ in inside)
        if node.kind in _NEVER_FIXED or node.get("funcretset") or node.get("opretset"):
            return False
        if called(node) and self.facts.volatile(called(node)):
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
        """Whether at most one row of a source takes part, once what is pinned is pinned."""
        entry = self.scope.entry(varno)
        kind = entry["rtekind"]
        if kind == kinds.Rte.RELATION:
            keys = self.facts.unique_keys(entry["relid"], with_children=entry["inh"])
            key = next((k for k in keys if self._covers(varno, k)), None)
            if key is not None:
                self.why[varno] = f"unique index {key.name} is matched in full"
            return key is not None
        if kind == kinds.Rte.RESULT:
            return True
        if not self._outside_is_exact(entry):
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
        """Whether every column of a determined source has one value, however often it is read.

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
        """Whether a WITH query is certainly evaluated once: it is not folded into its use."""
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
        """Whether what a LATERAL source refers to at this level has one value."""
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
        for column, family, collation in zip(
            key.columns, key.families, key.collations, strict=True
        ):
            if column:
                binding = self.columns.get((varno, column))
                found = binding is not None and self._matches(binding, family, collation)
            else:
                wanted = next(expressions, None)
                found = wanted is not None and any(
                    same(node, wanted, varno) and self._matches(b, family, collation)
                    for node, b in self.expressions.items()
                )
            if not found:
                return False
        return all(
            implied(self._conditions, varno, predicate, self.facts) for predicate in key.predicate
        )

    def _matches(self, binding: Binding, family: int, collation: int) -> bool:
        """Whether values equal under the binding are equal for the index."""
        if binding.exact:
            return True
        return family in binding.families and (
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
