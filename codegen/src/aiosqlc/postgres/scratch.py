"""Create temporary databases: with random rows, with migrated rows, or for other programs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Protocol
from urllib.parse import quote

from msgspec import Struct, field
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict

from aiosqlc.analysis.recipes import Recipes
from aiosqlc.diagnostics import Diagnostic
from aiosqlc.ir import AnalyzeOptions, SchemaFile, TypedQuery
from aiosqlc.postgres.analyze import Analyzer
from aiosqlc.postgres.catalog.facts import Facts, load_facts
from aiosqlc.postgres.differences import obstacles
from aiosqlc.postgres.population import Population, answered, undone
from aiosqlc.postgres.recipes import recipes_of
from aiosqlc.postgres.sampling import Sampler
from aiosqlc.postgres.schema import apply_schema
from aiosqlc.postgres.schema_order import draft_of
from aiosqlc.postgres.trial import Trial, draw, nulls_in, row_of
from aiosqlc.servers.postgres.connection import Connection, ConnectionFailedError, server_error
from aiosqlc.servers.postgres.databases import DatabaseRefusedError, new_draft
from aiosqlc.servers.postgres.embedded import Server, embedded_server
from aiosqlc.servers.private import NoServerError

Schema = Sequence[SchemaFile]
_ROWS = 5  # most rows per table in the first of several states
_SEED = 0
_UNIQUE_VIOLATION = "23505"


class Answer(Struct, frozen=True):
    """The server's response to one execution of a query."""

    result: pq.abc.PGresult

    @property
    def refusal(self) -> str:
        """Return the server's error message, or an empty string if the query succeeded."""
        return "" if answered(self.result) else server_error(self.result).message

    @property
    def key_taken(self) -> bool:
        """Return whether the server refused the query because a unique key is already in use."""
        state = self.result.error_field(pq.DiagnosticField.SQLSTATE) or b""
        return state.decode() == _UNIQUE_VIOLATION

    @property
    def rows(self) -> int:
        """Return the number of rows."""
        return self.result.ntuples

    @property
    def columns(self) -> int:
        """Return the number of columns."""
        return self.result.nfields

    @property
    def touched(self) -> bool:
        """Return whether a row was returned or written."""
        return self.result.ntuples > 0 or bool(self.result.command_tuples)

    def null_row(self, column: int) -> int | None:
        """Return the number of the first row in which a column is NULL, or None."""
        return nulls_in(self.result, column)

    def row(self, number: int) -> str:
        """Return a row as text."""
        return row_of(self.result, number)

    def value(self, row: int, column: int) -> bytes | None:
        """Return a value as text in bytes, or None for NULL."""
        return self.result.get_value(row, column)


class _Text(Protocol):
    """A query's text with the values of its parameters."""

    @property
    def sql(self) -> str: ...

    @property
    def values(self) -> Sequence[str | None]: ...


class Rows:
    """A database that is filled with random rows."""

    def __init__(
        self, connection: Connection, address: str, facts: Facts, sampler: Sampler
    ) -> None:
        self.address = address
        self.facts = facts
        self._connection = connection
        self._population = Population(connection, facts, sampler, facts.relations)
        self._filled = set[int]()

    @property
    def random(self) -> Random:
        """Return the random number generator."""
        return self._population.sampler.random

    @property
    def empty(self) -> Sequence[str]:
        """Return the tables that are still empty because every INSERT failed."""
        tables = [t for t in self._population.order if self.facts.columns.get(t)]
        return [self.facts.relation_name(table) for table in tables if table not in self._filled]

    @contextlib.contextmanager
    def undone(self) -> Iterator[None]:
        """Start a transaction, and roll it back at the end."""
        self._begin()
        yield
        self._connection.run("rollback")

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """Start a transaction, and commit it at the end."""
        self._begin()
        yield
        self._connection.run("commit")

    def _begin(self) -> None:
        self._connection.run("begin")
        self._connection.run("set local statement_timeout = '2s'")

    def fill(self, most: int) -> None:
        """Insert up to `most` rows into each table."""
        self._population.fill(most)
        self._filled |= {table for table, rows in self._population.rows.items() if rows}

    def draw(self, query: TypedQuery) -> Trial:
        """Return the query with random arguments."""
        return draw(query, self._population)

    def run(self, trials: Sequence[_Text]) -> Iterator[Answer]:
        """Run queries with their arguments, each on the same rows."""
        statements = [(trial.sql, trial.values) for trial in trials]
        return map(Answer, undone(self._connection, statements))


class States(Struct, frozen=True):
    """A database for each state of the schema: before the pending migrations, and after each one.

    Each database is a migrated copy of the previous one. `failed` has the errors of each migration
    that failed on rows, by the number of the migration.
    """

    rows: Sequence[Rows] = ()
    failed: Mapping[int, tuple[Diagnostic, ...]] = field(default_factory=dict)

    def obstacles(self, home: int, there: int) -> Mapping[str, Sequence[str]]:
        """Return, by table, why a write may fail in the state `there` but not in `home`."""
        return obstacles(self.rows[home].facts, self.rows[there].facts)


class Lent(Struct, frozen=True):
    """A temporary database that another program can connect to."""

    url: str
    problems: tuple[Diagnostic, ...]
    complete: bool


class Scratch(Struct, frozen=True):
    """Creates temporary databases on the server of an analyser. See `aiosqlc.engines.scratch`."""

    analyzer: Analyzer

    @contextlib.contextmanager
    def rows(
        self, schema: Schema, options: AnalyzeOptions, texts: Sequence[str], seed: int
    ) -> Iterator[Rows]:
        """Create a database with the schema, which can be filled with random rows."""
        with _one_error(), contextlib.ExitStack() as stack:
            server = self.analyzer.server(options)
            draft, _ = draft_of(server, schema, options.shims, stack)
            with Connection(draft.conninfo) as connection:
                yield Rows(connection, draft.conninfo, load_facts(connection), Sampler(seed, texts))

    def recipes(self, schema: Schema, options: AnalyzeOptions) -> Recipes:
        """Return for each table a row that its constraints accept."""
        with _one_error(), contextlib.ExitStack() as stack:
            server = self.analyzer.server(options)
            draft, _ = draft_of(server, schema, options.shims, stack)
            with Connection(draft.conninfo) as connection:
                return recipes_of(connection, load_facts(connection))

    @contextlib.contextmanager
    def states(
        self, applied: Schema, pending: Schema, options: AnalyzeOptions, texts: Sequence[str]
    ) -> Iterator[States]:
        """Create a database for each state of the schema, as a migrated copy of the previous one.

        If a migration fails on rows, all databases are created again without rows.
        """
        with _one_error(), contextlib.ExitStack() as stack:
            server = self.analyzer.server(options)
            admin = stack.enter_context(Connection(server.admin))
            failed: dict[int, tuple[Diagnostic, ...]] = {}
            for filled in (True, False):
                names: list[str] = []
                known = texts if filled else None
                problems = _migrate(server, admin, applied, pending, options, names, known)
                for name in names:
                    stack.callback(admin.run, f'drop database if exists "{name}" with (force)')
                if problems is None:
                    yield States([_state(server, name, stack) for name in names], failed)
                    return
                number, found = problems
                if filled:
                    failed[number] = found
            yield States((), failed)

    @contextlib.contextmanager
    def lent(self, schema: Schema, shims: Schema) -> Iterator[Lent]:
        """Create a database on the embedded server for another program."""
        with embedded_server() as server, contextlib.ExitStack() as stack:
            draft, applied = draft_of(server, schema, shims, stack)
            said = [*applied.notes, *(failure.problem for failure in applied.failures)]
            url = _url(draft.conninfo, draft.name)
            yield Lent(url, tuple(said), complete=not applied.failures)


@contextlib.contextmanager
def _one_error() -> Iterator[None]:
    """Raise a `NoServerError` in place of each error that makes a server unusable."""
    try:
        yield
    except (ConnectionFailedError, DatabaseRefusedError) as error:
        raise NoServerError(str(error)) from error


def _state(server: Server, name: str, stack: contextlib.ExitStack) -> Rows:
    address = server.conninfo(name)
    connection = stack.enter_context(Connection(address))
    return Rows(connection, address, load_facts(connection), Sampler(_SEED))


def _migrate(
    server: Server,
    admin: Connection,
    applied: Schema,
    pending: Schema,
    options: AnalyzeOptions,
    names: list[str],
    texts: Sequence[str] | None,
) -> tuple[int, tuple[Diagnostic, ...]] | None:
    """Create a database for each state of the schema, until a state cannot be created.

    Return the number of that state and the errors of its migration, or None if all succeed.
    `names` collects the names of the databases. With `texts`, rows are inserted into the first
    database.
    """
    names.append(new_draft(admin, own_server=server.embedded))
    with Connection(server.conninfo(names[0])) as connection:
        first = apply_schema(connection, applied, options.shims, own_server=server.embedded)
        if first.failures:
            return 0, ()
    if texts is not None:
        with Connection(server.conninfo(names[0])) as connection:
            facts = load_facts(connection)
            sampler = Sampler(_SEED, texts)
            connection.run("begin")
            Population(connection, facts, sampler, facts.relations).fill(_ROWS)
            connection.run("commit")
    for number, file in enumerate(pending, 1):
        names.append(new_draft(admin, names[-1], own_server=server.embedded))
        with Connection(server.conninfo(names[-1])) as connection:
            found = apply_schema(connection, [file], (), own_server=server.embedded)
        if found.failures:
            return number, tuple(failure.problem for failure in found.failures)
    return None


def _url(conninfo: str, name: str) -> str:
    """Return the connection URL for drivers, over a socket that only this OS user can use."""
    folder = quote(str(conninfo_to_dict(conninfo)["host"]), safe="/")
    return f"postgresql://postgres@/{name}?host={folder}"
