"""Prove that expressions cannot be NULL, with one rule for each kind of parse tree node."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping
from typing import Protocol

from msgspec import Struct

from aiosqlc.postgres.catalog.facts import Facts
from aiosqlc.postgres.catalog.rows import Function
from aiosqlc.postgres.infer.conditions import Outcomes
from aiosqlc.postgres.infer.constants import values_of
from aiosqlc.postgres.infer.grouping import OMITTED, grouping_sets
from aiosqlc.postgres.infer.scope import Scope
from aiosqlc.postgres.infer.verdict import Verdict, maybe, never
from aiosqlc.postgres.tree import Node

_CALCULATED = frozenset({"FUNCEXPR", "NULLIFEXPR", "OPEXPR", "SUBSCRIPTINGREF"})
_NO_KEYS: frozenset[Node] = frozenset()
NodeRule = Callable[["Prover", Node, Scope], Verdict]


class BodyRule(Protocol):
    """Infers whether the value that a user's function returns, or a column of it, can be NULL."""

    def __call__(
        self, p: Prover, function: Function, args: list[Node], scope: Scope, column: int = 0, /
    ) -> Verdict:
        """Return the verdict on the returned value, or on the column with this number (from 1)."""


class Resolver(Struct, frozen=True):
    """The functions that infer facts about each kind of parse tree node.

    The modules with the rules call each other through this table.

    `rules` has the rule for each kind of node. `column` infers a result column of a query, `body`
    a call of a user's function, and `outcomes` a condition. `no_rows`, `at_least_one` and
    `reads_a_row` (before any grouping) infer facts about the rows of a query.
    """

    rules: Mapping[str, NodeRule]
    column: Callable[[Prover, Scope, int], Verdict]
    body: BodyRule
    outcomes: Callable[[Prover, Node, Scope], Outcomes]
    no_rows: Callable[[Prover, Scope], bool]
    at_least_one: Callable[[Facts, Scope], bool]
    reads_a_row: Callable[[Facts, Scope], bool]


class Prover:
    """Infers whether the expressions of one statement can be NULL.

    `nullable_params` are the parameters that may be NULL. `loose_params` are the array parameters
    that may contain NULL. For the body of a function, `arguments` has the verdict on each argument
    of the call, by parameter number.
    """

    def __init__(
        self,
        facts: Facts,
        resolver: Resolver,
        nullable_params: Collection[int] = (),
        arguments: Mapping[int, Verdict] | None = None,
        depth: int = 0,
        loose_params: Collection[int] = (),
    ) -> None:
        self.facts = facts
        self.resolver = resolver
        self.nullable_params = frozenset(nullable_params)
        self.loose_params = frozenset(loose_params)
        self.arguments = arguments
        self.depth = depth
        self.ignored_joins: list[tuple[Scope, int]] = []
        self.sublink_columns: list[tuple[Node, Scope]] = []
        self.context = 0
        self._contexts: dict[tuple[int, Hashable], int] = {}

    def infer(self, node: Node, scope: Scope) -> Verdict:
        """Infer whether an expression of the scope's query can be NULL."""
        key = (self.context, node)
        verdict = scope.verdicts.get(key)
        if verdict is None:
            verdict = scope.verdicts[key] = self._infer(node, scope)
        return verdict

    @contextlib.contextmanager
    def assuming(self, *assumption: Hashable) -> Iterator[None]:
        """Within the block, cache results separately for the given assumption.

        The caller makes the assumption, for example with `Scope.given`.
        """
        before = self.context
        key = (before, assumption)
        self.context = self._contexts.setdefault(key, len(self._contexts) + 1)
        try:
            yield
        finally:
            self.context = before

    def _infer(self, node: Node, scope: Scope) -> Verdict:
        nulled = grouped_expressions(scope)
        if nulled and node in nulled and (scope, OMITTED) not in self.ignored_joins:
            return maybe("a grouping set may omit this key")
        if not nulled and scope.is_known_expression(node):
            return never("condition", "a condition requires this expression to be not NULL")
        apply = self.resolver.rules.get(node.kind)
        if apply is None:
            return maybe(f"{node.kind.lower()} expressions are not analysed")
        verdict = apply(self, node, scope)
        values = values_of(node, self.facts) if verdict.null and node.kind in _CALCULATED else None
        if values is None or not self.facts.holds(
            "constant-expression", "none of the possible results is NULL", None not in values
        ):
            return verdict
        return never("constant-expression", "the result for these constants is not NULL")

    def column(self, query: Node, attribute: int, scope: Scope) -> Verdict:
        """Infer whether a result column of a nested query can be NULL."""
        return self.resolver.column(self, scope.inner(query), attribute)

    def all_of(self, rule: str, verdicts: Iterable[Verdict], text: str) -> Verdict:
        """Return "not null" if every operand is not null; else name the first that may be NULL."""
        parts = tuple(verdicts)
        doubt = next((part for part in parts if part.null), None)
        if self.facts.holds(rule, "no input is NULL", doubt is None):
            return Verdict(False, text, parts, rule)
        return Verdict(True, text, (doubt,) if doubt else ())

    def any_of(self, rule: str, verdicts: Iterable[Verdict], text: str) -> Verdict:
        """Return "not null" if one operand is not null, and name the first such operand."""
        parts = tuple(verdicts)
        proof = next((part for part in parts if not part.null), None)
        if self.facts.holds(rule, "at least one input is not NULL", proof is not None):
            return Verdict(False, text, (proof,) if proof else (), rule)
        return Verdict(True, text, parts)

    def all(self, nodes: list[Node], scope: Scope) -> list[Verdict]:
        """Infer for each of several expressions whether it can be NULL."""
        return [self.infer(node, scope) for node in nodes]


def grouped_expressions(scope: Scope) -> frozenset[Node]:
    """Return the grouping keys that a grouping set may replace by NULL.

    Since PostgreSQL 18, the parse tree itself shows this, so the result is empty.
    """
    query = scope.query
    if scope.catalog.major >= 18 or not query["groupingSets"]:
        return _NO_KEYS
    refs = {clause["tleSortGroupRef"] for clause in query.list_of("groupClause")}
    if sets := grouping_sets(query):
        refs -= frozenset.intersection(*sets)
    return frozenset(t["expr"] for t in query["targetList"] if t["ressortgroupref"] in refs)
