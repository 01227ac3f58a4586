"""Proves that expressions cannot be NULL: a small rule per kind of node, else no claim."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping

from aiosqlc.postgres.catalog.facts import Facts
from aiosqlc.postgres.infer.scope import Scope
from aiosqlc.postgres.infer.verdict import Verdict, maybe, never
from aiosqlc.postgres.tree import Node

Rule = Callable[["Prover", Node, Scope], Verdict]
RULES: dict[str, Rule] = {}


def rule(*kinds: str) -> Callable[[Rule], Rule]:
    """Register a function as the rule for these kinds of node."""

    def register(function: Rule) -> Rule:
        RULES.update(dict.fromkeys(kinds, function))
        return function

    return register


class Prover:
    """Judges expressions of one statement.

    `nullable_params` are the parameters that may be NULL; `arguments`, for a function's body, the
    verdicts on the call's arguments by parameter number.
    """

    def __init__(
        self,
        facts: Facts,
        nullable_params: Collection[int] = (),
        arguments: Mapping[int, Verdict] | None = None,
        depth: int = 0,
    ) -> None:
        self.facts = facts
        self.nullable_params = frozenset(nullable_params)
        self.arguments = arguments
        self.depth = depth
        self.ignored_joins: list[tuple[Scope, int]] = []
        self.sublink_columns: list[tuple[Node, Scope]] = []
        self.context = 0
        self._contexts: dict[tuple[int, Hashable], int] = {}

    def judge(self, node: Node, scope: Scope) -> Verdict:
        """Return whether an expression of a query level can be NULL."""
        key = (self.context, node)
        verdict = scope.verdicts.get(key)
        if verdict is None:
            verdict = scope.verdicts[key] = self._judge(node, scope)
        return verdict

    @contextlib.contextmanager
    def assuming(self, *assumption: Hashable) -> Iterator[None]:
        """Judge under an assumption: verdicts reached within are kept for it alone."""
        before = self.context
        key = (before, assumption)
        self.context = self._contexts.setdefault(key, len(self._contexts) + 1)
        try:
            yield
        finally:
            self.context = before

    def _judge(self, node: Node, scope: Scope) -> Verdict:
        nulled = grouped_expressions(scope)
        if node in nulled:
            return maybe("a grouping set can leave this key out")
        if not nulled and scope.is_known_expression(node):
            return never("a condition requires this expression to have a value")
        apply = RULES.get(node.kind)
        if apply is None:
            return maybe(f"nothing is known about {node.kind.lower()} expressions")
        return apply(self, node, scope)

    def all(self, nodes: list[Node], scope: Scope) -> list[Verdict]:
        """Judge several expressions."""
        return [self.judge(node, scope) for node in nodes]


def grouped_expressions(scope: Scope) -> frozenset[Node]:
    """Return the keys a grouping set can null, where the server does not mark them (16, 17)."""
    query = scope.query
    if scope.catalog.major >= 18 or not query["groupingSets"]:
        return frozenset()
    refs = {clause["tleSortGroupRef"] for clause in query.items("groupClause")}
    return frozenset(t["expr"] for t in query["targetList"] if t["ressortgroupref"] in refs)
