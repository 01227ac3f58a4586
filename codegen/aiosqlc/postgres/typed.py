"""Makes a typed query of a parsed one and the server's description of it."""

from __future__ import annotations

from collections.abc import Iterable

from aiosqlc.postgres.catalog.facts import Facts
from aiosqlc.postgres.catalog.types import Types
from aiosqlc.postgres.describe import ColumnHead, Described
from aiosqlc.postgres.infer import aggregates, functions, relations, sublinks, values  # noqa: F401 - rules register
from aiosqlc.postgres.infer.cardinality import RowCounter
from aiosqlc.postgres.infer.elements import array_elements
from aiosqlc.postgres.infer.params import Use, parameter_uses
from aiosqlc.postgres.infer.prover import Prover
from aiosqlc.postgres.infer.relations import column_in, output_targets
from aiosqlc.postgres.infer.scope import Scope
from aiosqlc.postgres.infer.verdict import maybe
from aiosqlc.postgres.tree import Node
from aiosqlc.stages import (
    Cardinality,
    Column,
    ColumnRef,
    Param,
    ParsedQuery,
    TypedParam,
    TypedQuery,
)


class Typist:
    """Types the queries of one schema."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.types = Types(facts)

    def type_query(self, query: ParsedQuery, described: Described) -> TypedQuery:
        """Return everything known about one query the server accepted."""
        scope = self._main_scope(described)
        params = self._params(query, described, scope)
        optional = [p.number for p in params if not p.not_null]
        prover = Prover(self.facts, optional)
        columns = self._columns(prover, scope, described.columns or ())
        counter = RowCounter(self.facts)
        cardinality = counter.count(scope) if scope is not None else Cardinality.MANY
        return TypedQuery(
            parsed=query,
            sql=query.sql,
            params=params,
            columns=columns,
            cardinality=cardinality,
            cardinality_reasons=tuple(counter.reasons),
        )

    def _main_scope(self, described: Described) -> Scope | None:
        """Return the query whose rows the client sees; a rule can make none or several."""
        queries = self.facts.reader.read(described.tree) if described.tree else []
        shown = [q for q in queries if q.kind == "QUERY" and q["canSetTag"]]
        if len(shown) != 1:
            return None
        outputs = _output_count(shown[0])
        if outputs != len(described.columns or ()):
            return None
        return Scope(shown[0], None, self.facts)

    # --- columns ------------------------------------------------------------------------------

    def _columns(
        self, prover: Prover, scope: Scope | None, heads: tuple[ColumnHead, ...]
    ) -> tuple[Column, ...]:
        return tuple(
            self._column(prover, scope, head, number) for number, head in enumerate(heads, 1)
        )

    def _column(self, prover: Prover, scope: Scope | None, head: ColumnHead, number: int) -> Column:
        verdict = maybe("a rule rewrites this statement")
        expr: Node | None = None
        if scope is not None:
            verdict = column_in(prover, scope, number)
            if scope.query["setOperations"] is None:
                targets = output_targets(scope.query)
                expr = targets[number - 1]["expr"] if number <= len(targets) else None
        attribute = self.facts.attributes.get((head.table, head.attribute))
        dims = attribute.dims if attribute else 0
        return Column(
            name=head.name,
            type=self.types.get(head.type_oid, head.typmod, dims),
            not_null=not verdict.null,
            element_not_null=self._elements(prover, scope, expr),
            origin=self._ref(head.table, head.attribute),
            table_alias=_alias(scope, expr),
            is_function_call=expr is not None and expr.kind in _CALLS,
            reasons=verdict.reasons(),
        )

    def _elements(self, prover: Prover, scope: Scope | None, expr: Node | None) -> bool:
        if scope is None or expr is None:
            return False
        return not array_elements(prover, expr, scope).null

    def _ref(self, relation: int, attribute: int) -> ColumnRef | None:
        entry = self.facts.relations.get(relation)
        column = self.facts.attributes.get((relation, attribute))
        if entry is None or column is None:
            return None
        return ColumnRef(entry.schema, entry.name, column.name)

    # --- parameters ---------------------------------------------------------------------------

    def _params(
        self, query: ParsedQuery, described: Described, scope: Scope | None
    ) -> tuple[TypedParam, ...]:
        uses = parameter_uses(scope) if scope is not None else {}
        written = {param.number: param for param in query.params}
        taken: set[str] = {p.name for p in query.params if p.name}
        typed = []
        for number, oid in enumerate(described.param_oids, 1):
            param = written.get(number) or Param(number, None, ())
            typed.append(self._param(param, oid, uses.get(number, []), taken))
        return tuple(typed)

    def _param(self, param: Param, oid: int, uses: list[Use], taken: set[str]) -> TypedParam:
        column = next((u for u in uses if u.relation and u.attribute > 0), None)
        tolerant = next((u for u in uses if u.tolerant), None)
        not_null = tolerant is None if param.nullable is None else not param.nullable
        named = param.name is not None
        name = param.name or _free_name(_suggested(uses, param.number), taken)
        reason = tolerant.reason if tolerant else "no use of it makes sense of NULL"
        if param.nullable is not None:
            reason = "the query says so"
        return TypedParam(
            number=param.number,
            name=name,
            type=self._param_type(oid, column),
            not_null=not_null,
            origin=self._ref(column.relation, column.attribute) if column else None,
            is_slice=param.is_slice,
            is_named=named,
            reasons=(reason,),
        )

    def _param_type(self, oid: int, use: Use | None):  # type: ignore[no-untyped-def]
        return self.types.get(oid)


_CALLS = frozenset({"FUNCEXPR", "AGGREF", "WINDOWFUNC"})


def _output_count(query: Node) -> int:
    return len(output_targets(query))


def _alias(scope: Scope | None, expr: Node | None) -> str:
    if scope is None or expr is None or expr.kind != "VAR" or expr["varlevelsup"]:
        return ""
    return str(scope.entry(expr["varno"])["eref"]["aliasname"])


def _suggested(uses: Iterable[Use], number: int) -> str:
    order = ("assign", "compare", "any", "limit", "offset", "argument")
    ranked = sorted((u for u in uses if u.name), key=lambda u: order.index(u.role))
    return ranked[0].name if ranked else f"p{number}"


def _free_name(name: str, taken: set[str]) -> str:
    free, count = name, 1
    while free in taken:
        count += 1
        free = f"{name}_{count}"
    taken.add(free)
    return free
