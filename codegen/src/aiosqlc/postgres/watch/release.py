"""Run pending migrations in order, each on the result of the previous one, and observe effects."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum

from msgspec import Struct
from msgspec.structs import replace

from aiosqlc.analysis.watched.causes import causes
from aiosqlc.analysis.watched.contents import Contents, changed, gone, lost
from aiosqlc.analysis.watched.observed import (
    Observed,
    ObservedFile,
    Pending,
    Relation,
    SchemaFailsError,
)
from aiosqlc.diagnostics import Diagnostic
from aiosqlc.ir import AnalyzeOptions, SchemaFile
from aiosqlc.postgres.analyze import Analyzer
from aiosqlc.postgres.catalog.facts import load_facts
from aiosqlc.postgres.population import Population
from aiosqlc.postgres.sampling import Sampler
from aiosqlc.postgres.schema import apply_schema
from aiosqlc.postgres.watch import observer
from aiosqlc.postgres.watch.contents import Schema, contents, schema_of
from aiosqlc.postgres.watch.extremes import add_extremes
from aiosqlc.postgres.watch.required import unset
from aiosqlc.postgres.watch.session import ZONE, RowsRefuseError, Watching
from aiosqlc.postgres.watch.texts import needed_locks, refusals, waiting
from aiosqlc.servers.postgres.connection import Connection, ConnectionFailedError
from aiosqlc.servers.postgres.databases import DatabaseRefusedError, new_draft
from aiosqlc.servers.postgres.embedded import Server
from aiosqlc.servers.private import NoServerError
from aiosqlc.source import Span

_ROWS = 20
_FEWEST = 12
_SEED = 0
_LATER = 1  # the seed of rows that are written after the migration


class Rows(Enum):
    """The kinds of generated rows: with extreme values, without them, or no rows."""

    EXTREME = "extreme"
    PLAIN = "plain"
    NONE = "none"

    @property
    def fewer(self) -> Rows:
        """Return the rows to try after a statement has failed on these rows."""
        return Rows.PLAIN if self is Rows.EXTREME else Rows.NONE


class Watched:
    """A migration that was observed. `instead` runs other migrations on the same initial schema."""

    def __init__(self, stage: Stage, before: str, pending: Pending, seen: ObservedFile) -> None:
        self._stage, self._before, self._pending = stage, before, pending
        self.seen = seen

    def instead(self, at: Observed, files: Sequence[Pending]) -> tuple[list[Observed], bool]:
        """Run and observe other migrations in place of one statement.

        Return the observations, and whether these migrations run without a failure and lead to the
        same schema.
        """
        number = self.seen.statements.index(at)
        spans = tuple(item.span for item in self.seen.statements[:number])
        file = self._pending.file
        same = self._stage.run(self._before, [replace(file, statements=(*spans, at.span))])
        with (
            self._stage.database(self._before) as name,
            Connection(self._stage.server.conninfo(name)) as connection,
        ):
            existing = observer.relations(connection)
            connection.run(ZONE)
            apply_schema(connection, [replace(file, statements=spans)], (), own_server=True)
            found: list[Observed] = []
            with Watching(connection, existing, own_server=True, filled=False) as watching:
                for one in files:
                    found += watching.run(one.file, in_block=one.in_block)
                failed = bool(watching.failures)
            return found, not failed and schema_of(connection) == same


class Stage(Struct, frozen=True):
    """The server on which databases are created and dropped."""

    server: Server
    admin: Connection
    stack: contextlib.ExitStack

    @contextlib.contextmanager
    def database(self, template: str = "template0") -> Iterator[str]:
        """Yield a new database that is a copy of another; it is dropped at the end of the block."""
        name = new_draft(self.admin, template, own_server=self.server.embedded)
        try:
            yield name
        finally:
            self.drop(name)

    def copy(self, template: str = "template0") -> str:
        """Return the name of a new database that is a copy of another database.

        The new database is dropped when the observer closes.
        """
        name = new_draft(self.admin, template, own_server=self.server.embedded)
        self.stack.callback(self.drop, name)
        return name

    def drop(self, name: str) -> None:
        """Drop a database that the compiler created."""
        self.admin.run(f'drop database if exists "{name}" with (force)')

    def run(self, template: str, files: Sequence[SchemaFile]) -> Schema:
        """Return the schema that results when the given files run on a copy of a database."""
        with self.database(template) as name, Connection(self.server.conninfo(name)) as connection:
            connection.run(ZONE)  # in which a proposal runs too, and constants of times are read
            apply_schema(connection, files, (), own_server=self.server.embedded)
            connection.run(ZONE)
            return schema_of(connection)


class ReleaseObserver:
    """Observes migrations on the server of an analyser."""

    def __init__(self, analyzer: Analyzer) -> None:
        self._analyzer = analyzer

    def release(
        self,
        applied: Sequence[SchemaFile],
        pending: Sequence[Pending],
        queries: Mapping[str, Sequence[str]],
        options: AnalyzeOptions,
    ) -> Iterator[Watched]:
        """Run each pending migration, and yield what was observed.

        The database state before a migration is dropped when the caller asks for the next one.

        `queries` has the SQL texts of queries by name. Raises `SchemaFailsError` and
        `NoServerError`.
        """
        try:
            yield from _watched(self._analyzer, applied, pending, queries, options)
        except (ConnectionFailedError, DatabaseRefusedError) as error:
            raise NoServerError(str(error)) from error


def _watched(
    analyzer: Analyzer,
    applied: Sequence[SchemaFile],
    pending: Sequence[Pending],
    queries: Mapping[str, Sequence[str]],
    options: AnalyzeOptions,
) -> Iterator[Watched]:
    server = analyzer.server(options)
    with contextlib.ExitStack() as stack:
        admin = stack.enter_context(Connection(server.admin))
        stage = Stage(server, admin, stack)
        before, rows = prepared(stage, applied, options), Rows.EXTREME
        fill(stage, before, rows)
        existing = relations_in(stage, before)
        for number, one in enumerate(pending):
            if one.alone:  # the earlier migrations' tables are in use, and have rows
                rows = Rows.EXTREME
                fill(stage, before, rows)
                existing = relations_in(stage, before)
            done = [item.file for item in pending[:number]]
            refused: tuple[Diagnostic, ...] = ()
            while True:
                try:
                    after, seen = watch_one(stage, before, one, existing, queries, rows)
                    break
                except RowsRefuseError as error:
                    refused, rows = refused or (error.problem,), rows.fewer
                    old, before = before, prepared(stage, (*applied, *done), options)
                    fill(stage, before, rows)
                    existing = _renumbered(existing, relations_in(stage, before))
                    stage.drop(old)
            yield Watched(stage, before, one, replace(seen, on_rows=refused))
            stage.drop(before)
            before = after


def prepared(stage: Stage, schema: Sequence[SchemaFile], options: AnalyzeOptions) -> str:
    """Create a database with a schema, and return the database's name."""
    name = stage.copy()
    with Connection(stage.server.conninfo(name)) as connection:
        done = apply_schema(connection, schema, options.shims, own_server=stage.server.embedded)
    if done.failures:
        raise SchemaFailsError([failure.problem for failure in done.failures])
    return name


def fill(stage: Stage, name: str, rows: Rows, seed: int = _SEED, *, empty: bool = False) -> None:
    """Insert a few valid rows into each table, if such rows can be found.

    With `empty`, all rows are removed first, so that the sampler's few values can be used again.
    """
    if rows is Rows.NONE:
        return
    with Connection(stage.server.conninfo(name)) as connection:
        facts = load_facts(connection)
        connection.run("begin")
        with contextlib.suppress(RuntimeError):
            population = Population(connection, facts, Sampler(seed), facts.relations)
            tables = ", ".join(population.named(table) for table in population.order)
            if empty and tables:
                connection.run(f"truncate {tables} cascade")
            population.fill(_ROWS, least=_FEWEST)
            if rows is Rows.EXTREME:
                add_extremes(connection, facts, population)
        connection.run("commit")


def relations_in(stage: Stage, name: str) -> dict[int, Relation]:
    """Return the relations of a database."""
    with Connection(stage.server.conninfo(name)) as connection:
        return observer.relations(connection)


def _renumbered(
    existing: Mapping[int, Relation], found: Mapping[int, Relation]
) -> dict[int, Relation]:
    """Return the relations that exist in both databases, with their OIDs in the second one."""
    names = {item.name for item in existing.values()}
    return {oid: item for oid, item in found.items() if item.name in names}


def watch_one(
    stage: Stage,
    before: str,
    one: Pending,
    existing: Mapping[int, Relation],
    queries: Mapping[str, Sequence[str]],
    rows: Rows,
) -> tuple[str, ObservedFile]:
    """Run a migration on a copy of the database `before`; return the copy and the observations."""
    after = stage.copy(before)
    with Connection(stage.server.conninfo(after)) as connection:
        needed = needed_locks(connection, queries)
        planned = {name: texts for name, texts in queries.items() if name in needed}
        already = unset(connection, planned)
        held = contents(connection)
        filled = rows is not Rows.NONE
        with Watching(
            connection, existing, own_server=stage.server.embedded, filled=filled
        ) as watching:
            statements = watching.run(one.file, in_block=one.in_block)
        failures = tuple(watching.failures)
        failing = {} if failures else _failing(connection, planned)
        broken = tuple(name for name in failing if failing[name] != already.get(name))
        now = contents(connection)
    seen = ObservedFile(
        one.file,
        tuple(replace(item, waiting=waiting(needed, item.stopping)) for item in statements),
        failures,
        broken=broken,
        dropped=gone(held, now),
    )
    seen = replace(seen, causes=_causes(stage, before, seen, queries))
    if one.back is not None and not failures:
        seen = _taken_back(stage, after, one.back, seen, held)
    return after, seen


def _failing(connection: Connection, queries: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return the reason for each query that cannot be planned, or cannot insert its rows."""
    found = {**unset(connection, queries), **refusals(connection, queries)}
    return {name: found[name] for name in queries if name in found}


def _causes(
    stage: Stage, before: str, seen: ObservedFile, queries: Mapping[str, Sequence[str]]
) -> dict[str, Span]:
    """Find the statement of a migration that breaks each query or removes data.

    The keys are the names of the queries, and descriptions of the removed tables, columns or rows.
    """
    broken = {name: queries[name] for name in seen.broken}

    def effects(part: SchemaFile) -> dict[str, str]:
        with stage.database(before) as name, Connection(stage.server.conninfo(name)) as connection:
            held = contents(connection)
            apply_schema(connection, [part], (), own_server=stage.server.embedded)
            removed = gone(held, contents(connection))
            return {**_failing(connection, broken), **dict.fromkeys(removed, "")}

    return causes(seen.file, (*seen.broken, *seen.dropped), effects)


def _taken_back(
    stage: Stage, after: str, back: SchemaFile, seen: ObservedFile, held: Mapping[str, Contents]
) -> ObservedFile:
    """Run the rollback on the migrated rows, and compare the result with the original content."""
    with stage.database(after) as name, Connection(stage.server.conninfo(name)) as connection:
        done = apply_schema(connection, [back], (), own_server=stage.server.embedded)
        problems = tuple(failure.problem for failure in done.failures)
        found = () if problems else lost(held, contents(connection))
    seen = replace(seen, lost=found, back=problems)
    return seen if problems else _taken_back_later(stage, after, back, seen, held)


def _taken_back_later(
    stage: Stage, after: str, back: SchemaFile, seen: ObservedFile, held: Mapping[str, Contents]
) -> ObservedFile:
    """Write rows after the migration, run the rollback, and find the data that it loses."""
    with stage.database(after) as name:
        fill(stage, name, Rows.EXTREME, _LATER, empty=True)
        with Connection(stage.server.conninfo(name)) as connection:
            written = contents(connection)
            done = apply_schema(connection, [back], (), own_server=stage.server.embedded)
            problems = tuple(failure.problem for failure in done.failures)
            found = () if problems else changed(held, written, contents(connection))
    found = tuple(item for item in found if item not in (seen.lost or ()))
    return replace(seen, lost_later=found, back_later=problems)
