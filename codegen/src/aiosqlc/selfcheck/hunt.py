"""Search for rows that disprove a guarantee about the user's queries."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from psycopg import pq

from aiosqlc.diagnostics import Diagnostic, Label, Severity
from aiosqlc.ir import (
    AnalyzeOptions,
    Cardinality,
    TypedQuery,
)
from aiosqlc.pipeline.analysed import Analysed
from aiosqlc.postgres.analyze import Analyzer
from aiosqlc.postgres.catalog.facts import load_facts
from aiosqlc.postgres.population import Population
from aiosqlc.postgres.sampling import Sampler
from aiosqlc.postgres.schema_order import draft_of
from aiosqlc.postgres.trial import Trial, draw, nulls_in, row_of, run_all
from aiosqlc.selfcheck.calling import Called, Package, call_all
from aiosqlc.servers.postgres.connection import Connection, ConnectionFailedError
from aiosqlc.servers.postgres.databases import DatabaseRefusedError
from aiosqlc.servers.postgres.embedded import Server
from aiosqlc.servers.private import NoServerError

_ROUNDS = 10  # data sets; the executions of a query are spread over them
_ROWS = 5


@dataclass(frozen=True, slots=True)
class Checked:
    """The findings of a search, and its coverage.

    `refuted` are false claims. `unrun` are queries that every time failed, and `uncalled` those
    whose functions did, with the reason; `unread` are those that returned what Python has no value
    for. Of `rowless` no row ever came back or was written, so that nothing was tried of them, and
    no row could be put into the tables that are `empty`.
    """

    refuted: tuple[Diagnostic, ...] = ()
    unrun: tuple[Diagnostic, ...] = ()
    uncalled: tuple[tuple[str, str], ...] = ()
    unread: tuple[tuple[str, str], ...] = ()
    rowless: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()


@dataclass
class _Seen:
    """The outcomes of one query's executions."""

    ran: bool = False
    rows: bool = False
    refusal: str = ""


def selfcheck(
    analysed: Analysed, *, executions: int = 50, seed: int = 0, package: Package | None = None
) -> Checked:
    """Run every query about `executions` times on random rows; report each counterexample once.

    Everything happens in a database of its own, which is dropped. A claim may be ours or the
    user's (`!`): the finding shows the row and the parameters that refute it. The functions of
    `package` are called, too.
    """
    options = AnalyzeOptions(database_uri=analysed.entry.database_uri, shims=analysed.inputs.shims)
    queries = analysed.analysis.queries
    try:
        with Analyzer() as analyzer, _scratch(analyzer.server(options), analysed) as scratch:
            connection, conninfo = scratch
            seen = {query.parsed.name: _Seen() for query in queries}
            facts = load_facts(connection)
            sampler = Sampler(seed, [query.sql for query in queries])
            population = Population(connection, facts, sampler, facts.relations)
            filled = set[int]()
            refuted = list(_hunt(population, queries, executions, seen, filled))
            tables = [t for t in population.order if t not in filled and facts.columns.get(t)]
            called = call_all(conninfo, package, queries, seed) if package else Called()
    except (NoServerError, ConnectionFailedError, DatabaseRefusedError) as error:
        return Checked((Diagnostic("E210", f"no PostgreSQL server: {error}"),))
    broken = [(query, called.broken.get(query.parsed.name)) for query in queries]
    refuted += [_broken(query, said) for query, said in broken if said]
    return Checked(
        tuple(refuted),
        tuple(_unrun(q, seen[q.parsed.name]) for q in queries if not seen[q.parsed.name].ran),
        tuple(
            (name, why) for name, why in called.unanswered.items() if name not in called.answered
        ),
        tuple(called.unread.items()),
        tuple(
            query.parsed.name
            for query in queries
            if (one := seen[query.parsed.name]).ran
            and not one.rows
            and (query.columns or query.writes)
        ),
        tuple(facts.relation_name(table) for table in tables),
    )


@contextlib.contextmanager
def _scratch(server: Server, analysed: Analysed) -> Iterator[tuple[Connection, str]]:
    with contextlib.ExitStack() as stack:
        inputs = analysed.inputs
        draft, _ = draft_of(server, inputs.schema, inputs.shims, stack)
        with Connection(draft.conninfo) as connection:
            yield connection, draft.conninfo


def _hunt(
    population: Population,
    queries: Sequence[TypedQuery],
    executions: int,
    seen: dict[str, _Seen],
    filled: set[int],
) -> Iterator[Diagnostic]:
    """Yield counterexamples, and record the tables that accepted a row.

    In the end rows are left behind for functions to be called on.
    """
    connection = population.connection
    connection.run("set statement_timeout = '2s'")
    refuted: set[tuple[str, str]] = set()
    for _ in range(_ROUNDS):
        connection.run("begin")
        population.fill(population.sampler.random.randrange(_ROWS + 1))
        filled |= {table for table, rows in population.rows.items() if rows}
        drawn = [
            (query, draw(query, population))
            for query in queries
            for _ in range(max(1, executions // _ROUNDS))
        ]
        results = run_all([trial for _, trial in drawn], connection)
        for (query, trial), result in zip(drawn, results, strict=True):
            _note(seen[query.parsed.name], result, trial)
            for finding in _compare(query, result):
                if (query.parsed.name, finding.claim) not in refuted:
                    refuted.add((query.parsed.name, finding.claim))
                    yield _diagnostic(query, finding, trial)
        connection.run("rollback")
    connection.run("begin")
    population.fill(_ROWS)
    filled |= {table for table, rows in population.rows.items() if rows}
    connection.run("commit")


def _note(seen: _Seen, result: pq.abc.PGresult | None, trial: Trial) -> None:
    if result is None:
        seen.refusal = trial.refusal
    else:
        seen.ran = True
        seen.rows = seen.rows or result.ntuples > 0 or bool(result.command_tuples)


@dataclass(frozen=True, slots=True)
class _Finding:
    claim: str
    row: str


def _compare(query: TypedQuery, result: pq.abc.PGresult | None) -> Iterator[_Finding]:
    if result is None:
        return
    count = result.ntuples
    if query.columns and result.nfields != len(query.columns):
        yield _Finding(f"it returns {len(query.columns)} columns", f"{result.nfields} columns")
        return
    if query.columns and count > 1 and query.cardinality.at_most_one:
        yield _Finding("returns at most one row", f"{count} rows")
    if query.columns and not count and query.cardinality in {Cardinality.ONE, Cardinality.SOME}:
        yield _Finding("returns at least one row", "no row")
    missing = {
        index for embed in query.embeds if embed.nullable
        for index in range(embed.first, embed.first + embed.count)
    }  # fmt: skip
    for index, column in enumerate(query.columns):
        row = nulls_in(result, index)
        if column.not_null and index not in missing and row is not None:
            yield _Finding(f"column {column.name} is NOT NULL", row_of(result, row))


def _unrun(query: TypedQuery, seen: _Seen) -> Diagnostic:
    return Diagnostic(
        "E362",
        f"`{query.parsed.name}` could not be executed on any generated data, so nothing was tested",
        (Label(query.parsed.file, query.parsed.name_span),),
        "if it cannot succeed on rows that the schema allows, it is wrong; more executions (`-n`)"
        " may find rows on which it does",
        Severity.WARNING,
        notes=(f"the last refusal: {seen.refusal}",) if seen.refusal else (),
    )


def _broken(query: TypedQuery, said: str) -> Diagnostic:
    return Diagnostic(
        "E360",
        f"{query.parsed.name}: its function does not return what it promises",
        (Label(query.parsed.file, query.parsed.name_span),),
        "if it fails in a class of yours, make its fields those of the documents and columns;"
        " otherwise please report this as a bug",
        notes=(said,),
    )


def _diagnostic(query: TypedQuery, finding: _Finding, trial: Trial) -> Diagnostic:
    notes = [f"the refuting row: {finding.row}"]
    if trial.values:
        notes.append(f"with {trial.arguments}")
    return Diagnostic(
        "E360",
        f"{query.parsed.name}: it is not true that {finding.claim}",
        (Label(query.parsed.file, query.parsed.name_span),),
        "remove the `!` if you wrote one; otherwise please report this as a bug",
        notes=tuple(notes),
    )
