"""Hunts for rows that refute what is claimed of the user's own queries."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from psycopg import pq

from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.postgres.analyze import Analyzer
from aiosqlc.postgres.catalog.facts import Facts, load_facts
from aiosqlc.postgres.catalog.types import Types
from aiosqlc.postgres.sampling import Sampler
from aiosqlc.postgres.schema import apply_schema
from aiosqlc.postgres.server.connection import Connection, ConnectionFailedError
from aiosqlc.postgres.server.databases import DatabaseRefusedError
from aiosqlc.postgres.server.embedded import Server, ServerUnavailableError
from aiosqlc.stages import (
    Analysis,
    AnalyzeOptions,
    Cardinality,
    SchemaFile,
    TypedQuery,
)

_ROUNDS = 10  # data sets; the executions of a query are spread over them
_ROWS = 5
_ATTEMPTS = 12
_ANSWERED = (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK)


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
    name = f"aiosqlc_draft_selfcheck_{os.getpid()}"
    with Connection(server.admin) as admin:
        error = admin.run(f'create database "{name}" template template0')
        if error is not None:
            raise DatabaseRefusedError(error)
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
    connection.run("set statement_timeout = '2s'")
    refuted: set[tuple[str, str]] = set()
    for _ in range(_ROUNDS):
        connection.run("begin")
        _fill(connection, facts, sampler)
        for query in queries:
            for _ in range(max(1, executions // _ROUNDS)):
                for finding in _execute(connection, query, sampler):
                    if (query.parsed.name, finding.claim) not in refuted:
                        refuted.add((query.parsed.name, finding.claim))
                        yield _diagnostic(query, finding)
        connection.run("rollback")


def _fill(connection: Connection, facts: Facts, sampler: Sampler) -> None:
    """Put a few rows into every table; those that break a constraint stay out.

    Foreign keys and triggers are off meanwhile: no claim rests on a foreign key.
    """
    connection.run("set local session_replication_role = replica")
    types = Types(facts)
    for relation in facts.relations.values():
        if relation.kind not in "rp":
            continue
        columns = [a for a in facts.columns.get(relation.oid, ()) if not a.generated]
        names = ", ".join('"' + a.name.replace('"', '""') + '"' for a in columns)
        marks = ", ".join(f"${n}" for n in range(1, len(columns) + 1))
        table = f'"{relation.schema}"."{relation.name}"'
        sql = f"insert into {table} ({names}) overriding system value values ({marks})"  # noqa: S608
        wanted = sampler.random.randrange(_ROWS + 1)
        for _ in range(_ATTEMPTS if columns else 0):
            if not wanted:
                break
            values = [
                None
                if not a.not_null and sampler.chance(0.4)
                else sampler.value(types.get(a.type, a.typmod, a.dims))
                for a in columns
            ]
            wanted -= _try(connection, sql, values) is not None
    connection.run("set local session_replication_role = origin")


def _try(connection: Connection, sql: str, values: Sequence[str | None]) -> pq.abc.PGresult | None:
    """Run a statement inside a savepoint; return its result, or None if the server refused it."""
    connection.run("savepoint attempt")
    result = connection.execute(sql, values)
    if result.status in _ANSWERED:
        connection.run("release attempt")
        return result
    connection.run("rollback to attempt")
    return None


@dataclass(frozen=True, slots=True)
class _Finding:
    claim: str
    row: str
    params: str


def _execute(connection: Connection, query: TypedQuery, sampler: Sampler) -> Iterator[_Finding]:
    """Run a query, or one of its variants, on the data as it is, and undo what it did."""
    sql, numbers = query.sql, tuple(p.number for p in query.params)
    if query.variants and sampler.chance(0.7):
        variant = sampler.random.choice(query.variants)
        sql, numbers = variant.sql, variant.numbers
    by_number = {p.number: p for p in query.params}
    values: list[str | None] = []
    for number in numbers:
        param = by_number[number]
        null = not param.not_null and sampler.chance(0.4)
        values.append(
            None if null else sampler.value(param.type, elements_null=not param.element_not_null)
        )
    connection.run("savepoint execution")
    result = _try(connection, sql, values)
    connection.run("rollback to execution")
    if result is None:
        return
    shown = ", ".join(f"${n} = {v!r}" for n, v in enumerate(values, 1))
    yield from _compare(query, result, shown)


def _compare(query: TypedQuery, result: pq.abc.PGresult, params: str) -> Iterator[_Finding]:
    count = result.ntuples
    if query.columns and count > 1 and query.cardinality.at_most_one:
        yield _Finding("returns at most one row", f"{count} rows", params)
    if query.columns and not count and query.cardinality in {Cardinality.ONE, Cardinality.SOME}:
        yield _Finding("returns at least one row", "no row", params)
    missing = {
        index for embed in query.embeds if embed.nullable
        for index in range(embed.first, embed.first + embed.count)
    }  # fmt: skip
    for index, column in enumerate(query.columns):
        if not column.not_null or index in missing:
            continue
        row = next((r for r in range(count) if result.get_value(r, index) is None), None)
        if row is not None:
            cells = [result.get_value(row, i) for i in range(result.nfields)]
            yield _Finding(
                f"column {column.name} is NOT NULL",
                ", ".join("NULL" if c is None else c.decode() for c in cells),
                params,
            )


def _diagnostic(query: TypedQuery, finding: _Finding) -> Diagnostic:
    notes = [f"the refuting row: {finding.row}"]
    if finding.params:
        notes.append(f"with {finding.params}")
    return Diagnostic(
        "E360",
        f"{query.parsed.name}: it is not true that {finding.claim}",
        (Label(query.parsed.file, query.parsed.name_span),),
        "remove the `!` if you wrote one; otherwise please report this as a bug",
        notes=tuple(notes),
    )
