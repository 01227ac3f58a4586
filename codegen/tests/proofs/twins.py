"""Weaken rules: without each precondition in turn, rows must disprove the new claim."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from aiosqlc.ir import AnalyzeOptions
from aiosqlc.postgres import Analyzer
from aiosqlc.postgres.catalog.facts import Facts
from aiosqlc.postgres.tree import Reader
from aiosqlc.servers.postgres.connection import Connection
from aiosqlc.servers.postgres.embedded import embedded_server

from tests.proofs.cases import Case, worlds
from tests.proofs.judge import Seen, World, claims_of, denied, file_of, look, populated


@dataclass(frozen=True, slots=True)
class Trial:
    """The result of one case: the facts of its rows, and the claims of the rule and its mutant."""

    case: Case
    seen: Seen
    denied: frozenset[str]
    denied_by_twin: frozenset[str]

    @property
    def kills(self) -> bool:
        """Return whether the rows disprove the mutant but not the rule."""
        return bool(self.seen.facts & self.denied_by_twin) and not self.seen.facts & self.denied


@contextlib.contextmanager
def weakened(facts: Facts, premise: tuple[str, str]) -> Iterator[None]:
    """Remove a precondition while the block runs, and ignore cached results."""
    before = facts.dropped, facts.reader
    facts.dropped, facts.reader = frozenset({premise}), Reader()
    _forget(facts)
    try:
        yield
    finally:
        facts.dropped, facts.reader = before
        _forget(facts)


def _forget(facts: Facts) -> None:
    facts._not_null.clear()
    facts._keys.clear()
    facts.column_verdicts.clear()


def trials() -> Iterator[Trial]:
    """Try every case of the refuters."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(embedded_server())
        analyzer = stack.enter_context(Analyzer())
        for name, (world, cases) in worlds("refuters").items():
            with populated(server, f"twins_{name}", world) as connection:
                yield from _of_world(analyzer, connection, world, cases)


def _of_world(
    analyzer: Analyzer, connection: Connection, world: World, cases: list[Case]
) -> Iterator[Trial]:
    opened = analyzer.opened([file_of(world.schema)], AnalyzeOptions())
    assert opened is not None, "the schema of the refuters has errors"
    _, facts = opened
    for case in cases:
        assert case.premise is not None
        typed, problems = claims_of(analyzer, world, [case.sql])
        assert not problems, problems[0].message
        with weakened(facts, case.premise):
            twin, _ = claims_of(analyzer, world, [case.sql])
        query = typed[case.sql]
        seen = look(connection, query, case.values)
        yield Trial(case, seen, denied(query), denied(twin[case.sql]))
