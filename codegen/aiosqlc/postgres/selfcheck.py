"""Hunts for rows that refute what is claimed of the user's own queries."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from psycopg import pq

from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.postgres.analyze import Analyzer
from aiosqlc.postgres.catalog.facts import load_facts
from aiosqlc.postgres.population import Population
from aiosqlc.postgres.sampling import Sampler
from aiosqlc.postgres.schema import apply_schema
from aiosqlc.postgres.server.connection import Connection, ConnectionFailedError
from aiosqlc.postgres.server.databases import DatabaseRefusedError, new_draft
from aiosqlc.postgres.server.embedded import Server, ServerUnavailableError
from aiosqlc.postgres.trial import Trial, draw, nulls_in, row_of
from aiosqlc.stages import (
    Analysis,
    AnalyzeOptions,
    Cardinality,
    SchemaFile,
    TypedQuery,
)

_ROUNDS = 10  # data sets; the executions of a query are spread over them
_ROWS = 5


class Inputs(Protocol):
    """What was read of a query set."""

    @property
    def schema(self) -> tuple[SchemaFile, ...]:
        """The schema's files, in order."""
        ...

    @property
    def shims(self) -> tuple[SchemaFile, ...]:
        """Files that stand in for extensions."""
        ...


class Entry(Protocol):
    """What the configuration says of a query set."""

    @property
    def database_uri(self) -> str | None:
        """The server to ask; None for the embedded one."""
        ...


class Analysed(Protocol):
    """A query set with its analysis, users' hints applied."""

    @property
    def entry(self) -> Entry:
        """What the configuration says."""
        ...

    @property
    def inputs(self) -> Inputs:
        """What was read."""
        ...

    @property
    def analysis(self) -> Analysis:
        """What is claimed."""
        ...


def selfcheck(analysed: Analysed, *, executions: int = 50, seed: int = 0) -> tuple[Diagnostic, ...]:
    """Run every query about `executions` times on random rows; report each refuted claim once.

    Everything happens in a database of its own, which is dropped. A claim may be ours or the
    user's (`!`): the finding shows the row and the parameters that refute it.
    """
    options = AnalyzeOptions(database_uri=analysed.entry.database_uri, shims=analysed.inputs.shims)
    try:
        with Analyzer() as analyzer, _scratch(analyzer.server(options), analysed) as connection:
            return tuple(_hunt(connection, analysed.analysis.queries, executions, seed))
    except (ServerUnavailableError, ConnectionFailedError, DatabaseRefusedError) as error:
        return (Diagnostic("E210", f"no PostgreSQL server: {error}"),)


@contextlib.contextmanager
def _scratch(server: Server, analysed: Analysed) -> Iterator[Connection]:
    with Connection(server.admin) as admin:
        name = new_draft(admin)
        try:
            with Connection(server.conninfo(name)) as connection:
                inputs = analysed.inputs
                apply_schema(connection, inputs.schema, inputs.shims, own_server=server.embedded)
            with Connection(server.conninfo(name)) as connection:
                yield connection
        finally:
            admin.run(f'drop database if exists "{name}" with (force)')


def _hunt(
    connection: Connection, queries: Sequence[TypedQuery], executions: int, seed: int
) -> Iterator[Diagnostic]:
    facts = load_facts(connection)
    sampler = Sampler(seed, [query.sql for query in queries])
    population = Population(connection, facts, sampler, facts.relations)
    connection.run("set statement_timeout = '2s'")
    refuted: set[tuple[str, str]] = set()
    for _ in range(_ROUNDS):
        connection.run("begin")
        population.fill(sampler.random.randrange(_ROWS + 1))
        for query in queries:
            for _ in range(max(1, executions // _ROUNDS)):
                trial = draw(query, population)
                for finding in _compare(query, trial.run(population)):
                    if (query.parsed.name, finding.claim) not in refuted:
                        refuted.add((query.parsed.name, finding.claim))
                        yield _diagnostic(query, finding, trial)
        connection.run("rollback")


@dataclass(frozen=True, slots=True)
class _Finding:
    claim: str
    row: str


def _compare(query: TypedQuery, result: pq.abc.PGresult | None) -> Iterator[_Finding]:
    if result is None:
        return
    count = result.ntuples
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
