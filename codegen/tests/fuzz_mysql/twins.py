"""Per rule: how often the search used it, and when its mutants were disproved.

Queries are analysed by our own rules alone. A mutant is a rule without one of its preconditions. If
the precondition was not met, the query is analysed again without it, and its rows may disprove the
new claim.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiosqlc.ir import Cardinality, TypedQuery
from aiosqlc.mysql import rules
from aiosqlc.mysql.analyzer import AnalysisContext
from aiosqlc.mysql.rules import Premises
from msgspec import field as struct_field
from msgspec.structs import replace

from tests.fuzz.optional import texts_of
from tests.fuzz_mysql.hunt import Hunt

Premise = tuple[str, str]


@dataclass
class Measured:
    """The results of a search about the rules.

    `fired` counts executions that depend on a precondition.
    """

    executions: int = 0
    fired: Counter[Premise] = field(default_factory=Counter)
    contexts: dict[Premise, set[frozenset[Premise]]] = field(default_factory=dict)
    killed: dict[Premise, int] = field(default_factory=dict)
    false: list[str] = field(default_factory=list)

    def alive(self, refuted: Collection[Premise] = ()) -> list[Premise]:
        """Return the preconditions that neither random queries nor `refuted` cases needed."""
        return [p for p in _premises() if p not in self.killed and p not in refuted]

    def report(self, refuted: Collection[Premise] = ()) -> str:
        """Return a line per precondition.

        `refuted` are the preconditions whose mutants a written case disproves.
        """
        lines = [f"{self.executions} executions, {len(self.false)} FALSE CLAIMS"]
        head = f"{'rule / premise':62}{'met':>9}{'contexts':>10}{'killed after':>14}{'case':>8}"
        lines.append(head)
        for key in _premises():
            contexts = len(self.contexts.get(key, ()))
            after = self.killed.get(key, "ALIVE")
            name, case = " / ".join(key), "killed" if key in refuted else "ALIVE"
            lines.append(f"{name:62}{self.fired[key]:9}{contexts:10}{after:>14}{case:>8}")
        total = len(_premises())
        lines.append(
            f"killed by cases {len(refuted)} of {total}, by random queries {len(self.killed)} of"
            f" {total}, by either {total - len(self.alive(refuted))} of {total}"
        )
        return "\n".join([*lines, *self.false[:10]])


def _premises() -> list[Premise]:
    return [(rule.name, premise) for rule in rules.RULES for premise in rule.premises]


class _Asked(Premises, frozen=True):
    """Record the preconditions that the rules check, and those that are met."""

    met: set[Premise] = struct_field(default_factory=set)
    unmet: set[Premise] = struct_field(default_factory=set)

    def holds(self, rule: str, premise: str, value: object) -> bool:
        """Return the same result as the register."""
        (self.met if value else self.unmet).add((rule, premise))
        return super().holds(rule, premise, value)


def _with(context: AnalysisContext, premises: Premises) -> AnalysisContext:
    return replace(context, schema=replace(context.schema, premises=premises))


@dataclass(frozen=True)
class _Watched:
    sql: str
    sorts: list[str]
    typed: TypedQuery
    met: frozenset[Premise]
    twins: dict[Premise, TypedQuery]


def measure(executions: int, seed: int, cache: Path | None = None) -> Measured:
    """Search until about this many executions, on a private MariaDB."""
    search = Hunt(cache, seed, kin="mariadb")
    found = Measured()
    try:
        while found.executions < executions:
            _round(search, found, 100)
    finally:
        search.close()
    return found


def _round(search: Hunt, found: Measured, queries: int) -> None:
    known = search.by_server
    # Of the server only the catalog is asked.
    context = AnalysisContext(known.schema, kin=known.kin)
    batch = []
    for _ in range(queries):
        sql, sorts = search.grammar.query(plain=True)
        asked = _Asked()
        typed = search.typed(sql, _with(context, asked))
        if typed is None:
            continue
        twins = {}
        for premise in asked.unmet - found.killed.keys():
            twin = search.typed(sql, _with(context, Premises(frozenset({premise}))))
            if twin is not None and _claims(twin) - _claims(typed):
                twins[premise] = twin
        batch.append(_Watched(sql, sorts, typed, frozenset(asked.met), twins))
    for world in search.worlds:
        search.use(world)
        for one in batch:
            (text,) = texts_of(one.typed)
            rows = search.rows(text, one.sorts, one.typed)
            if rows is None:
                continue
            found.executions += 1
            _note(one, rows, found)


def _note(one: _Watched, rows: list[tuple[Any, ...]], found: Measured) -> None:
    for premise in one.met:
        found.fired[premise] += 1
        found.contexts.setdefault(premise, set()).add(one.met)
    shown = _shown(rows)
    if shown & _claims(one.typed):
        found.false.append(one.sql)
        return
    for premise, twin in one.twins.items():
        if premise not in found.killed and shown & _claims(twin):
            found.killed[premise] = found.executions


def _shown(rows: list[tuple[Any, ...]]) -> set[str]:
    """Return the facts that rows show: NULL in a column, many rows, or none."""
    nulls = {f"NULL in {i}" for row in rows for i, value in enumerate(row) if value is None}
    return nulls | ({"many"} if len(rows) > 1 else set() if rows else {"empty"})


def _claims(query: TypedQuery) -> set[str]:
    """Return the facts that must never occur if the claims are true."""
    found = {f"NULL in {i}" for i, column in enumerate(query.columns) if column.not_null}
    found |= {"many"} if query.cardinality.at_most_one else set()
    return found | (
        {"empty"} if query.cardinality in {Cardinality.ONE, Cardinality.SOME} else set()
    )
