"""The scope of one query level (one SELECT, INSERT, UPDATE, DELETE or MERGE of a statement)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from aiosqlc.postgres.catalog.facts import Facts
from aiosqlc.postgres.infer import kinds
from aiosqlc.postgres.infer.conditions import IF_TRUE, NOTHING, FactSet, facts_of
from aiosqlc.postgres.infer.verdict import Verdict
from aiosqlc.postgres.tree import Node
from aiosqlc.relational.tree import Query

_OWN_VAR = re.compile(r" :varlevelsup 0\b")


class Scope:
    """The scope of a query, with links to the scopes of the enclosing queries.

    `command` is the query's command, one of `kinds.Command`. `known` are the facts that hold for
    every result row, and `old` those that hold for the old row of an UPDATE. `matched` are the
    outer joins that find a match for every row. `dead` are these joins and, while a CASE branch is
    inferred, those that find a match under the conditions of the branch. `assumed` are the facts
    that these conditions prove. `returned` is set while RETURNING is inferred, where the columns of
    the written table have the values of the new row. `level` is the cached result of `level_of`.
    """

    def __init__(self, query: Node, parent: Scope | None, facts: Facts) -> None:
        self.query = query
        self.command: int = query["commandType"]
        self.parent = parent
        self.catalog = facts
        self.range_table: list[Node] = query.list_of("rtable")
        self.joins = _Joins(query["jointree"])
        self.dead: set[tuple[int, int]] = set()
        self.matched = self.dead
        self.known: FactSet = NOTHING
        self.old: FactSet = NOTHING
        self.assumed: list[FactSet] = []
        self.subscopes: dict[Node, Scope] = {}
        self.verdicts: dict[tuple[int, Node], Verdict] = {}
        self.empty: dict[int, bool] = {}
        self.recursion: dict[str, list[bool]] = {}
        self.element_recursion: dict[str, list[bool]] = {}
        self.returned = False
        self.level: Query | None = None
        self._settle()

    def up(self, levels: int) -> Scope:
        """Return the enclosing scope: the nearest one for `levels` 1, the next one for 2, etc."""
        scope = self
        if not levels:
            return scope
        for _ in range(levels):
            if scope.parent is None:
                msg = "the expression refers to an outer query that is not known"
                raise LookupError(msg)
            scope = scope.parent
        return scope

    def inner(self, query: Node) -> Scope:
        """Return the scope of a directly nested query."""
        scope = self.subscopes.get(query)
        if scope is None:
            scope = self.subscopes[query] = Scope(query, self, self.catalog)
        return scope

    def release(self) -> None:
        """Break the reference cycles of this scope and its inner scopes, to free their memory.

        Some commands, such as `watch`, disable garbage collection meanwhile.
        """
        for inner in self.subscopes.values():
            inner.release()
        self.subscopes.clear()
        self.verdicts.clear()
        self.level = None

    def entry(self, varno: int) -> Node:
        """Return the range table entry with this number, which counts from 1."""
        return self.range_table[varno - 1]

    def cte(self, name: str) -> Node:
        """Return the WITH query with this name that this query defines."""
        ctes: list[Node] = self.query.list_of("cteList")
        return next(c for c in ctes if str(c["ctename"]) == str(name))

    def alive(self, varno: int, nulling: Iterable[int]) -> list[int]:
        """Return the outer joins in `nulling` that may replace the row of a FROM item by NULLs."""
        return [join for join in nulling if (join, varno) not in self.dead] if nulling else []

    def is_known(self, varno: int, attribute: int, nulling: frozenset[int], *, old: bool) -> bool:
        """Return whether a column reference (Var) is proved not null in every result row.

        `nulling` are the outer joins that may replace the column by NULL before the reference reads
        it. The proof is a fact about the column after these joins, or after these and further
        joins. A fact about the column after only some of these joins is enough if the other joins
        find a match.
        """
        for fact_set in (self.old if old else self.known, *self.assumed):
            for fact in fact_set:
                if isinstance(fact, Node) or fact[0] != varno or fact[1] not in (attribute, -1000):
                    continue
                if fact[1] == -1000 and attribute <= 0:
                    continue
                if nulling <= fact[2]:
                    return True
                if fact[2] <= nulling and not self.alive(varno, nulling - fact[2]):
                    return True
        return False

    def is_known_expression(self, node: Node) -> bool:
        """Return whether a condition proves that exactly this expression is not null."""
        if node.kind == "VAR":  # the facts about columns have other keys
            return False
        return node in self.known or any(node in fact_set for fact_set in self.assumed)

    @contextmanager
    def rows_of(self, condition: Node | None) -> Iterator[None]:
        """Within the block, infer only for the rows that pass the FILTER of an aggregate."""
        before = self.assumed, self.dead
        found = _about_rows(facts_of(condition, IF_TRUE, self.catalog)) if condition else NOTHING
        free = not self.assumed and self.dead is self.matched
        if not self.catalog.holds(
            "filter", "the proof relies on no WHEN of a CASE around the aggregate", free
        ):
            self.assumed, self.dead = [], self.matched
        self.assumed = [*self.assumed, found]
        self.dead = self.dead | self.joins.dead(found)
        try:
            yield
        finally:
            self.assumed, self.dead = before

    @contextmanager
    def given(self, facts: FactSet) -> Iterator[None]:
        """Within the block, use the facts that the conditions of a CASE branch prove."""
        before = self.assumed, self.dead
        self.assumed = [*self.assumed, facts]
        self.dead = self.dead | self.joins.dead(facts)
        try:
            yield
        finally:
            self.assumed, self.dead = before

    def _settle(self) -> None:
        """Find the expressions that are never NULL, and the outer joins that always match.

        Each fact of one kind can prove facts of the other kind, so repeat until nothing is new.
        """
        always = self._conditions()
        while True:
            self.known = always.union(
                *(
                    _about_rows(facts)
                    for join, facts in self.joins.matched(self.catalog)
                    if self._matched(join)
                )
            )
            dead = self.joins.dead(self.known)
            if dead == self.dead:
                break
            self.dead = dead
        self.matched = self.dead
        self._forget_new_values()

    def _matched(self, join: Node) -> bool:
        """Return whether an outer join is proved to find a match for every result row."""
        return all(
            (join["rtindex"], varno) in self.dead
            for side in self.joins.sides[join["rtindex"]]
            for varno in side
        )

    def _conditions(self) -> FactSet:
        found: set[Any] = set()
        for qual in self.joins.quals:
            found |= _about_rows(facts_of(qual, IF_TRUE, self.catalog))
        having = self.query["havingQual"]
        if isinstance(having, Node) and (
            self.catalog.major >= 18 or not self.query["groupingSets"]
        ):
            found |= _about_rows(facts_of(having, IF_TRUE, self.catalog))
        return frozenset(found)

    def _forget_new_values(self) -> None:
        """Remove facts about changed columns, because WHERE tests only their old values."""
        if self.command not in (kinds.Command.UPDATE, kinds.Command.INSERT, kinds.Command.MERGE):
            return
        self.old = self.known
        target = self.query["resultRelation"]
        if self.command == kinds.Command.MERGE:
            self.known = NOTHING
            self.old = NOTHING
            return
        if not self.catalog.holds("condition", "the condition refers to the returned row", False):
            self.known = frozenset(
                f
                for f in self.known
                if not isinstance(f, Node) and (f[0] != target or self._keeps(f[1]))
            )

    def _keeps(self, attribute: int) -> bool:
        """Return whether an UPDATE does not change a column of its target."""
        if self.command != kinds.Command.UPDATE or attribute <= 0:
            return False
        assigned = {target["resno"] for target in self.query.list_of("targetList")}
        relation = self.entry(self.query["resultRelation"])["relid"]
        same = not self.catalog.rewrites(relation, attribute)
        return attribute not in assigned and self.catalog.holds(
            "condition", "no trigger changes the column", same
        )


def _about_rows(found: FactSet) -> FactSet:
    """Remove the facts about expressions that contain no column of the query itself.

    A condition on parameters alone is known to be true only if a row satisfied it. But an aggregate
    without GROUP BY returns a row even if no row satisfied the condition, and so does an outer join
    around it.
    """
    return frozenset(
        fact for fact in found if not isinstance(fact, Node) or _OWN_VAR.search(fact.text)
    )


class _Joins:
    """The joins of a query: the conditions on all result rows, and each outer join's operands."""

    def __init__(self, tree: Node | None) -> None:
        self.quals: list[Node] = []
        self.always: list[Node] = []
        self.outer: list[Node] = []
        self.sides: dict[int, tuple[frozenset[int], ...]] = {}
        self._matched: list[tuple[Node, FactSet]] | None = None
        if tree is not None:
            self._visit(tree)
            # The query's own conditions. Conditions below an outer join hold only for matched rows.
            self.always = [q for q in [tree["quals"]] if q is not None]

    def _visit(self, item: Node) -> frozenset[int]:
        """Record an item of the join tree; return the range table numbers that it contains."""
        if item.kind == "RANGETBLREF":
            return frozenset({item["rtindex"]})
        if item.kind == "FROMEXPR":
            below = frozenset().union(*(self._visit(i) for i in item.list_of("fromlist")))
            if item["quals"] is not None:
                self.quals.append(item["quals"])
            return below
        left, right = self._visit(item["larg"]), self._visit(item["rarg"])
        index, kind = item["rtindex"], item["jointype"]
        if kind == kinds.Join.INNER:
            if item["quals"] is not None:
                self.quals.append(item["quals"])
        else:
            self.outer.append(item)
            # The sides that a join can replace by NULLs. A FULL join does so for either side.
            self.sides[index] = {
                kinds.Join.LEFT: (right,),
                kinds.Join.RIGHT: (left,),
                kinds.Join.FULL: (left, right),
            }[kind]
        return left | right | {index}

    def matched(self, catalog: Facts) -> list[tuple[Node, FactSet]]:
        """Return each outer join, with the expressions that its ON condition proves not null."""
        if self._matched is None:
            self._matched = [
                (join, facts_of(join["quals"], IF_TRUE, catalog))
                for join in self.outer
                if join["quals"] is not None
            ]
        return self._matched

    def dead(self, known: FactSet) -> set[tuple[int, int]]:
        """Return the outer joins that match because a column from their optional side is not null.

        Each is returned as pairs of the join and a FROM item of that side.
        """
        found: set[tuple[int, int]] = set()
        for fact in known:
            if isinstance(fact, Node):
                continue
            for join in fact[2]:
                for side in self.sides.get(join, ()):
                    if fact[0] in side:
                        found |= {(join, varno) for varno in side}
        return found
