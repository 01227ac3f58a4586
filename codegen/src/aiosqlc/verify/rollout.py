"""Try a release on rows: calls that work in their own state must work in every state."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from psycopg import pq

from aiosqlc.diagnostics import Diagnostic
from aiosqlc.ir import AnalyzeOptions, Cardinality, TypedQuery
from aiosqlc.postgres.analyze import Analyzer
from aiosqlc.postgres.catalog.facts import Facts, load_facts
from aiosqlc.postgres.differences import obstacles
from aiosqlc.postgres.population import Population, answered, undone
from aiosqlc.postgres.sampling import Sampler
from aiosqlc.postgres.schema import apply_schema
from aiosqlc.postgres.trial import Trial, draw, nulls_in
from aiosqlc.servers.postgres.connection import Connection, server_error
from aiosqlc.servers.postgres.databases import new_draft
from aiosqlc.servers.postgres.embedded import Server
from aiosqlc.verify.release import Code, Release, Step, relies

_CALLS = 16  # of each query
_ROWS = 5
_SEED = 0
_PASSING = 12  # tries where a key is taken: sequences of two states need not be at one place
_UNIQUE_VIOLATION = "23505"


@dataclass
class _Seen:
    """The observations in one state."""

    tried: int = 0
    old: dict[str, Diagnostic] = field(default_factory=dict)
    new: dict[str, Diagnostic] = field(default_factory=dict)
    on_rows: tuple[Diagnostic, ...] = ()


def try_release(
    analyzer: Analyzer, release: Release, old: Code, new: Code, options: AnalyzeOptions
) -> list[Step]:
    """Call both codes in every state on the same rows, migrated with the schema.

    A call that the server answers in the state its code was made for has to be answered in the
    others, with what the code can read. Everything happens in databases that are dropped.
    """
    server = analyzer.server(options)
    seen = [_Seen() for _ in range(len(release.pending) + 1)]
    with _states(server, release, options, seen) as states:
        facts = [load_facts(state) for state in states]
        for code, side in ((old, "old"), (new, "new")) if states else ():
            _try_code(code, states, facts, side, seen)
    names = ["", *(file.file.path.name for file in release.pending)]
    return [
        Step(name, tuple(s.old.values()), tuple(s.new.values()), s.tried, s.on_rows)
        for name, s in zip(names, seen, strict=True)
    ]


@contextlib.contextmanager
def _states(
    server: Server, release: Release, options: AnalyzeOptions, seen: list[_Seen]
) -> Iterator[list[Connection]]:
    """Create a database per state from the previous one, so that rows are migrated too.

    Where a migration fails on rows, that is said of its state, and the states have none.
    """
    with contextlib.ExitStack() as stack:
        admin = stack.enter_context(Connection(server.admin))
        for filled in (True, False):
            names: list[str] = []
            problems = _make(server, admin, release, options, names, filled=filled)
            for name in names:
                stack.callback(admin.run, f'drop database if exists "{name}" with (force)')
            if problems is None:
                yield [stack.enter_context(Connection(server.conninfo(name))) for name in names]
                return
            number, found = problems
            if filled and not seen[number].on_rows:
                seen[number].on_rows = found
        yield []


def _make(
    server: Server,
    admin: Connection,
    release: Release,
    options: AnalyzeOptions,
    names: list[str],
    *,
    filled: bool,
) -> tuple[int, tuple[Diagnostic, ...]] | None:
    names.append(new_draft(admin, own_server=server.embedded))
    with Connection(server.conninfo(names[0])) as connection:
        applied = apply_schema(
            connection, release.applied, options.shims, own_server=server.embedded
        )
        if applied.failures:
            return 0, ()
    if filled:
        with Connection(server.conninfo(names[0])) as connection:
            facts = load_facts(connection)
            sampler = Sampler(_SEED, [query.sql for query in (*release.old, *release.new)])
            connection.run("begin")
            Population(connection, facts, sampler, facts.relations).fill(_ROWS)
            connection.run("commit")
    for number, file in enumerate(release.pending, 1):
        names.append(new_draft(admin, names[-1], own_server=server.embedded))
        with Connection(server.conninfo(names[-1])) as connection:
            applied = apply_schema(connection, [file], (), own_server=server.embedded)
        if applied.failures:
            return number, tuple(failure.problem for failure in applied.failures)
    return None


def _try_code(
    code: Code, states: Sequence[Connection], facts: Sequence[Facts], side: str, seen: list[_Seen]
) -> None:
    home = states[code.own]
    population = _population(home, facts[code.own])
    trials = [(query, draw(query, population)) for query in code.queries for _ in range(_CALLS)]
    worked = [answered(result) for result in _run_all(home, trials)]
    for number, connection in enumerate(states):
        if number == code.own:
            continue
        found: dict[str, Diagnostic] = getattr(seen[number], side)
        met = obstacles(facts[code.own], facts[number])
        for query in code.queries:
            for why in (why for table in query.writes for why in met.get(table, ())):
                found.setdefault(query.parsed.name, relies(query, why))
        seen[number].tried += sum(worked)
        results = _run_all(connection, trials)
        for (query, trial), works, outcome in zip(trials, worked, results, strict=True):
            why = _problem(query, outcome) if works else ""
            if why and query.parsed.name not in found:
                notes = (f"with {trial.arguments}",) if trial.values else ()
                found[query.parsed.name] = replace(relies(query, why), notes=notes)


def _population(connection: Connection, facts: Facts) -> Population:
    """Return existing values to draw arguments from."""
    population = Population(connection, facts, Sampler(_SEED), facts.relations)
    population.fill(0)
    return population


def _run_all(
    connection: Connection, trials: Sequence[tuple[TypedQuery, Trial]]
) -> list[pq.abc.PGresult]:
    """Run every trial, and repeat after key conflicts; return the server's last responses."""
    connection.run("begin")
    connection.run("set local statement_timeout = '2s'")
    results: dict[int, pq.abc.PGresult] = {}
    left = list(range(len(trials)))
    for _ in range(_PASSING):
        statements = [(trials[n][1].sql, trials[n][1].values) for n in left]
        results |= zip(left, undone(connection, statements), strict=True)
        left = [n for n in left if _takes_a_key(results[n])]
    connection.run("rollback")
    return [results[number] for number in range(len(trials))]


def _takes_a_key(result: pq.abc.PGresult) -> bool:
    state = result.error_field(pq.DiagnosticField.SQLSTATE) or b""
    return state.decode() == _UNIQUE_VIOLATION


def _problem(query: TypedQuery, result: pq.abc.PGresult) -> str:
    """Return the part of a response that the code of a query cannot handle, or empty text."""
    if not answered(result):
        return f"fails: {server_error(result).message}"
    if query.columns and query.cardinality.at_most_one and result.ntuples > 1:
        return f"returns {result.ntuples} rows"
    if (
        query.columns
        and query.cardinality in {Cardinality.ONE, Cardinality.SOME}
        and not result.ntuples
    ):
        return "returns no row"
    absent = {
        index
        for embed in query.embeds
        if embed.nullable
        for index in range(embed.first, embed.first + embed.count)
    }
    for index, column in enumerate(query.columns[: result.nfields]):
        if column.not_null and index not in absent and nulls_in(result, index) is not None:
            return f"returns NULL as {column.name}"
    return ""
