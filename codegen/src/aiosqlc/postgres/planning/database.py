"""Prepare an empty database in which the planner makes the same plans as in production.

The planner reads the size of a relation from its file, and scales the stored number of rows to this
size. So statistics alone have no effect on empty files. Each file is therefore extended to its size
in production. The files are sparse, so they take no space on the disk.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType

from msgspec import Struct, field
from msgspec.structs import replace

from aiosqlc.analysis.planned.declared import Distribution
from aiosqlc.analysis.planned.facts import Index, Reference
from aiosqlc.analysis.planned.plan import Plan
from aiosqlc.analysis.planned.pulled import Pulled
from aiosqlc.analysis.planned.statistics import Statistics
from aiosqlc.analysis.watched.observed import SchemaFailsError
from aiosqlc.ir import AnalyzeOptions, SchemaFile
from aiosqlc.postgres.analyze import Analyzer
from aiosqlc.postgres.planning.facts import indexes_of, references_of
from aiosqlc.postgres.planning.partitions import with_new_partitions
from aiosqlc.postgres.planning.pull import pulled
from aiosqlc.postgres.planning.restore import literal, restore
from aiosqlc.postgres.planning.sizes import sizes_of
from aiosqlc.postgres.planning.sparse import extend
from aiosqlc.postgres.planning.synth import synthesised
from aiosqlc.postgres.planning.trees import explained
from aiosqlc.postgres.schema_order import draft_of
from aiosqlc.servers.postgres.connection import Connection, ConnectionFailedError
from aiosqlc.servers.postgres.databases import DatabaseRefusedError, Draft, new_draft
from aiosqlc.servers.postgres.embedded import Server
from aiosqlc.servers.private import NoServerError

_PREFIX = "aiosqlc_tried_"
# The name of each index as plans have it. The parts of an index that is tried have its name.
_INDEXES = f"""
select c.relname, case when n.nspname = 'public' then '' else n.nspname || '.' end
                  || coalesce(r.relname, c.relname)
from pg_class c join pg_namespace n on n.oid = c.relnamespace
left join pg_inherits h on h.inhrelid = c.oid
left join pg_class r on r.oid = h.inhparent and r.relname ~ '^{_PREFIX}'
where c.relkind in ('i', 'I') and n.nspname !~ '^pg_'
"""  # noqa: S608 - a constant
# An index of a partitioned table is used through its parts.
_VALID = """
update pg_index set indisvalid = {value} where indexrelid in (
    select coalesce(t.relid, c.oid) from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    left join pg_partition_tree(c.oid) t on true
    where c.relkind in ('i', 'I')
      and case when n.nspname = 'public' then '' else n.nspname || '.' end || c.relname in ({names})
)
"""


class PlannedDatabase(Struct, frozen=True, dict=True):
    """A database without rows whose planner uses the statistics of another database."""

    connection: Connection
    notes: tuple[str, ...] = ()
    tried: Mapping[str, str] = field(default_factory=dict)
    copies: _Copies | None = None

    @property
    def statistics(self) -> Statistics | None:
        """Return the statistics in use, or None if the database was created without statistics.

        They include the statistics that were given to partitions which production does not have
        yet.
        """
        return self.copies.statistics if self.copies else None

    @cached_property
    def indexes(self) -> tuple[Index, ...]:
        """Return the indexes of the schema, without the proposed indexes."""
        return indexes_of(self.connection)

    @cached_property
    def references(self) -> tuple[Reference, ...]:
        """Return the foreign keys of the schema."""
        return references_of(self.connection)

    @cached_property
    def _names(self) -> Mapping[str, str]:
        return {str(name): str(shown) for name, shown in self.connection.rows(_INDEXES)}

    @contextlib.contextmanager
    def trying(self, tried: Sequence[str]) -> Iterator[PlannedDatabase]:
        """Create a second database that also has the indexes of `tried`."""
        assert self.copies is not None  # noqa: S101 - it has statistics
        with _one_error(), contextlib.ExitStack() as stack:
            yield self.copies.one(stack, tried)

    def plan(
        self, sql: str, *, using: Collection[str] = (), without: Collection[str] = ()
    ) -> Plan | None:
        """Return the generic plan of a statement, or None if the server cannot plan it."""
        changes = [_VALID.format(value="true", names=_list(using))] if using else []
        changes += [_VALID.format(value="false", names=_list(without))] if without else []
        return explained(self.connection, sql, self._names, changes)


class _Copies(Struct, frozen=True):
    """Copies a database that has only the schema, and adds the statistics to each copy."""

    server: Server
    draft: Draft
    statistics: Statistics
    notes: tuple[str, ...]

    def one(self, stack: contextlib.ExitStack, tried: Sequence[str]) -> PlannedDatabase:
        """Return a copy with further indexes (`tried`); it is dropped when the stack is closed."""
        with Connection(self.draft.conninfo) as connection:
            names = _create(connection, tried)
            sizes = sizes_of(connection, self.statistics)
        # The server must not have the pages of the files in memory, so the files are a fresh copy.
        admin = stack.enter_context(Connection(self.server.admin))
        name = new_draft(admin, self.draft.name, own_server=True)
        stack.callback(admin.run, f'drop database if exists "{name}" with (force)')
        extend(admin, name, sizes)
        connection = stack.enter_context(Connection(self.server.conninfo(name)))
        notes = restore(connection, self.statistics, sizes)
        if names:
            connection.run(_VALID.format(value="false", names=_list(names.values())))
        return PlannedDatabase(connection, (*self.notes, *notes), names, self)


def _list(names: Collection[str]) -> str:
    return ", ".join(literal(name) for name in names)


class Planner(Struct, frozen=True):
    """Creates databases for planning queries, on an analyser's private server."""

    analyzer: Analyzer

    @contextlib.contextmanager
    def database(
        self,
        schema: Sequence[SchemaFile],
        options: AnalyzeOptions,
        statistics: Statistics | None,
    ) -> Iterator[PlannedDatabase]:
        """Create a database with a schema and statistics.

        Raises `SchemaFailsError` if the schema has errors, and `NoServerError` if no server is
        available.
        """
        with _one_error(), contextlib.ExitStack() as stack:
            yield self._prepared(schema, options, statistics, stack)

    def _prepared(
        self,
        schema: Sequence[SchemaFile],
        options: AnalyzeOptions,
        statistics: Statistics | None,
        stack: contextlib.ExitStack,
    ) -> PlannedDatabase:
        # Use the private server in every case, because the compiler extends the server's files.
        server = self.analyzer.server(replace(options, database_uri=None))
        draft = _drafted(server, schema, options, stack)
        if statistics is None:
            connection = stack.enter_context(Connection(draft.conninfo))
            connection.run("set enable_seqscan = off")
            return PlannedDatabase(connection)
        with Connection(draft.conninfo) as connection:
            statistics, notes = with_new_partitions(connection, statistics)
        return _Copies(server, draft, statistics, notes).one(stack, ())

    def pulled(
        self, uri: str, schema: Sequence[SchemaFile], options: AnalyzeOptions, *, values: bool
    ) -> Pulled:
        """Return the statistics of the schema's tables and indexes from the database at a URI.

        Raises `PullError` if the statistics cannot be read, `SchemaFailsError` if the schema has
        errors, and `NoServerError` if no server is available.
        """
        server = self.analyzer.server(replace(options, database_uri=None))
        with _one_error(), contextlib.ExitStack() as stack:
            draft = _drafted(server, schema, options, stack)
            with Connection(draft.conninfo) as own:
                return pulled(uri, own, values=values)

    def synthesised(
        self,
        schema: Sequence[SchemaFile],
        options: AnalyzeOptions,
        rows: Mapping[tuple[str, str], int],
        columns: Mapping[tuple[str, str, str], Distribution] = MappingProxyType({}),
    ) -> Pulled:
        """Return statistics that are derived from a schema and the number of rows of each table.

        Raises `ContradictionsError` if a declaration is impossible, `SchemaFailsError` if the
        schema has errors, and `NoServerError` if no server is available.
        """
        server = self.analyzer.server(replace(options, database_uri=None))
        with _one_error(), contextlib.ExitStack() as stack:
            draft = _drafted(server, schema, options, stack)
            with Connection(draft.conninfo) as own:
                return synthesised(own, rows, columns)


def _create(connection: Connection, tried: Sequence[str]) -> dict[str, str]:
    """Create indexes; return the definition and the name of each index that could be created."""
    found = {}
    for number, keys in enumerate(dict.fromkeys(tried), 1):
        name = f"{_PREFIX}{number}"
        if connection.run(f"create index {name} on {keys}") is None:
            found[keys] = name
    shown = {str(name): str(text) for name, text in connection.rows(_INDEXES)} if found else {}
    return {keys: shown[name] for keys, name in found.items()}


def _drafted(
    server: Server,
    schema: Sequence[SchemaFile],
    options: AnalyzeOptions,
    stack: contextlib.ExitStack,
) -> Draft:
    """Create a database with a schema. Raises `SchemaFailsError` if the schema has errors."""
    draft, applied = draft_of(server, schema, options.shims, stack)
    if applied.failures:
        raise SchemaFailsError([failure.problem for failure in applied.failures])
    return draft


@contextlib.contextmanager
def _one_error() -> Iterator[None]:
    """Raise a `NoServerError` in place of each error that makes the private server unusable."""
    try:
        yield
    except (ConnectionFailedError, DatabaseRefusedError) as error:
        raise NoServerError(str(error)) from error
