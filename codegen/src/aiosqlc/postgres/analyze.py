"""The PostgreSQL analyser: starts the server, applies the schema, and analyses the queries."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Self

import psycopg
from msgspec import Struct, field
from msgspec.structs import replace

from aiosqlc.analysis.nesting import nest_problems
from aiosqlc.analysis.shapes import NO_SHAPE, difference, mismatch
from aiosqlc.analysis.tenants import unknown_tenant_names
from aiosqlc.diagnostics import Diagnostic, Label, Severity
from aiosqlc.ir import (
    Analysis,
    AnalyzeOptions,
    Catalog,
    Command,
    ParsedQuery,
    SchemaFile,
    TypedQuery,
)
from aiosqlc.messages.progress import counted
from aiosqlc.parse.scanner import code_tokens
from aiosqlc.postgres.catalog.bodies import look_into_bodies
from aiosqlc.postgres.catalog.facts import Facts, load_facts
from aiosqlc.postgres.catalog.types import build_catalog
from aiosqlc.postgres.describe import Described, describe, prepare_session
from aiosqlc.postgres.failures import Failure, diagnoses
from aiosqlc.postgres.notes import read_notes, write_notes
from aiosqlc.postgres.notified import with_senders
from aiosqlc.postgres.problems import (
    function_as_table,
    query_problem,
    too_many_parameters,
    with_history,
)
from aiosqlc.postgres.refute import Hinted, hinted, refuted_hints
from aiosqlc.postgres.schema import Applied, schema_digest
from aiosqlc.postgres.schema_impact import words_of
from aiosqlc.postgres.schema_order import draft_of
from aiosqlc.postgres.settled import settle
from aiosqlc.postgres.suggestions import with_suggestions
from aiosqlc.postgres.typed import Inferred, QueryTyper
from aiosqlc.postgres.views import view_columns
from aiosqlc.postgres.written import Fingerprint, Starred, impossible, never, write_stars
from aiosqlc.schema.history import History, history_of
from aiosqlc.servers.postgres.connection import Connection, ConnectionFailedError, ServerError
from aiosqlc.servers.postgres.databases import (
    DatabaseRefusedError,
    connect_existing,
    database_name,
)
from aiosqlc.servers.postgres.embedded import Server, embedded_server
from aiosqlc.servers.private import NoServerError
from aiosqlc.source import Dialect
from aiosqlc.store.processes import shares, spread

_OLDEST_SERVER = 16
_MOST_OPEN = 3  # most schemas that an analyser keeps open
_FEWEST = 50  # fewest queries for which a process pays off


def analyze(
    schema: Sequence[SchemaFile], queries: Sequence[ParsedQuery], options: AnalyzeOptions
) -> tuple[Analysis, tuple[Diagnostic, ...]]:
    """Infer the types, nullability and row counts of queries with the help of a PostgreSQL server.

    Return the typed queries in the given order, and all problems. A user's mistake or an
    unreachable server is a problem, not an exception.
    """
    with Analyzer() as analyzer:
        return analyzer.analyze(schema, queries, options)


class Analyzer:
    """An analyser that reuses one server and the applied schemas between calls.

    This is a context manager. The server starts with the first call and stops when the block ends.
    """

    def __init__(self) -> None:
        self._stack = contextlib.ExitStack()
        self._servers: dict[str, Server] = {}
        self._open: dict[tuple[str, ...], _Schema] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        for schema in self._open.values():
            schema.closing.close()
        self._open.clear()
        self._stack.close()

    def analyze(
        self, schema: Sequence[SchemaFile], queries: Sequence[ParsedQuery], options: AnalyzeOptions
    ) -> tuple[Analysis, tuple[Diagnostic, ...]]:
        """Analyse queries as the function `analyze` does, but reuse the server and databases."""
        nothing = Analysis(Catalog())
        try:
            opened = self._schema(schema, options)
            if not isinstance(opened, _Schema):
                return nothing, opened
            return _analyze_all(opened, queries, options)
        except (
            NoServerError,
            ConnectionFailedError,
            psycopg.OperationalError,
        ) as error:
            self._forget()
            hint = (
                "start the server, or remove `database` to use the embedded server; an example of"
                " `database.uri` is `postgresql://user@host/name`"
                if options.database_uri
                else "set `database.uri` to an existing PostgreSQL server"
            )
            return nothing, (Diagnostic("E210", f"no PostgreSQL server: {error}", hint=hint),)
        except DatabaseRefusedError as refused:
            return nothing, (_no_database(refused),)

    def server(self, options: AnalyzeOptions) -> Server:
        """Return the server for the given options; start it if it does not run."""
        key = options.database_uri or str(options.cache_dir or "")
        if key not in self._servers:
            self._servers[key] = (
                Server(options.database_uri, embedded=False)
                if options.database_uri
                else self._stack.enter_context(embedded_server(options.cache_dir))
            )
        return self._servers[key]

    def opened(
        self,
        schema: Sequence[SchemaFile],
        options: AnalyzeOptions,
        *,
        partial: bool = False,
    ) -> tuple[Connection, Facts] | None:
        """Return a connection to a database that has the schema, and the data from its catalog.

        Return None on errors. With `partial`, some statements of the schema may have failed.
        """
        found = self._schema(schema, options)
        if not isinstance(found, _Schema) or (found.applied.failures and not partial):
            return None
        return found.connection, found.typist.facts

    def _schema(
        self, schema: Sequence[SchemaFile], options: AnalyzeOptions
    ) -> _Schema | tuple[Diagnostic, ...]:
        digest = schema_digest(schema, options.shims)
        named = sorted(options.not_null_functions)
        key = (digest, options.database_uri or "", repr(options.tenant), *named)
        if key in self._open:
            self._open[key] = self._open.pop(key)  # the most recently used schema is closed last
            return self._open[key]
        server = self.server(options)
        scratch = bool(schema) or not options.database_uri
        with contextlib.ExitStack() as stack:
            if scratch:
                connection, applied = _database(server, digest, schema, options, stack)
            else:
                # Without a schema file, the existing database is used.
                connection, applied = Connection(server.base), Applied()
            stack.enter_context(connection)
            if connection.major < _OLDEST_SERVER:
                message = (
                    f"PostgreSQL {connection.major} is too old: {_OLDEST_SERVER} or newer is needed"
                )
                return (Diagnostic("E211", message),)
            while len(self._open) >= _MOST_OPEN:
                self._open.pop(next(iter(self._open))).closing.close()
            opened = _Schema.load(connection, options, scratch=scratch)
            opened = replace(opened, applied=applied, files=tuple(schema), closing=stack.pop_all())
        self._open[key] = opened
        return opened

    def _forget(self) -> None:
        """Discard all data about a lost server; the next call starts a new one."""
        self.__exit__()
        self._servers.clear()


class _Schema(Struct, frozen=True, dict=True):
    """A database to which a schema was applied, and the data from the database's catalog.

    `scratch` is true if the database belongs to the compiler, so that rows may be inserted in a
    transaction. `unproved` are the warnings about views for which the proofs failed. `applied` has
    the schema statements that failed. `closing` closes the connection and releases other resources.
    """

    connection: Connection
    typist: QueryTyper
    catalog: Catalog
    scratch: bool
    unproved: tuple[Diagnostic, ...] = ()
    applied: Applied = field(default_factory=Applied)
    files: tuple[SchemaFile, ...] = ()
    closing: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    @cached_property
    def history(self) -> History:
        """Return the objects that the schema files rename or drop; read the files at first use."""
        return history_of(self.files, Dialect.POSTGRESQL)

    @cached_property
    def table_names(self) -> frozenset[str]:
        """Return the names of the schema's tables and views."""
        return frozenset(table.name for table in self.catalog.tables)

    def reconnected(self) -> _Schema:
        """Return a copy with a new connection, so that another process can use it."""
        connection = self.connection.another()
        prepare_session(connection)
        return replace(self, connection=connection)

    @classmethod
    def load(cls, connection: Connection, options: AnalyzeOptions, *, scratch: bool) -> _Schema:
        facts = load_facts(connection, options.not_null_functions)
        if scratch:
            look_into_bodies(connection, facts)
        prepare_session(connection)
        typist = QueryTyper(facts, options.tenant)
        views, unproved = view_columns(connection, facts, typist)
        catalog = build_catalog(facts, typist.types, views)
        return cls(connection, typist, catalog, scratch, unproved)


def _database(
    server: Server,
    digest: str,
    schema: Sequence[SchemaFile],
    options: AnalyzeOptions,
    stack: contextlib.ExitStack,
) -> tuple[Connection, Applied]:
    """Connect to the database to which the schema is applied; create the database if necessary.

    If a statement of the schema fails, the database is temporary. It is dropped when `stack` is
    closed, because no other run can use it.
    """
    name = database_name(digest)
    existing = connect_existing(server, name)
    if existing is not None:
        return existing, Applied(notes=read_notes(existing, (*options.shims, *schema)))
    with contextlib.ExitStack() as making:
        draft, applied = draft_of(server, schema, options.shims, making)
        with Connection(draft.conninfo) as connection:
            write_notes(connection, (*options.shims, *schema), applied.notes)
        if applied.failures:
            stack.push(making.pop_all())
            return Connection(draft.conninfo), applied
        draft.keep(name)
    return Connection(server.conninfo(name)), applied


def _no_database(refused: DatabaseRefusedError) -> Diagnostic:
    return Diagnostic(
        "E212",
        f"the server does not allow a temporary database: {refused}",
        hint="grant CREATEDB to the role of `database.uri`, or leave `schema` empty to use the"
        " database of this URI unchanged",
    )


def _analyze_all(
    schema: _Schema, queries: Sequence[ParsedQuery], options: AnalyzeOptions
) -> tuple[Analysis, tuple[Diagnostic, ...]]:
    failures = schema.applied.failures
    unasked = [said for query in queries if (said := too_many_parameters(query))]
    queries = [query for query in queries if not too_many_parameters(query)] if unasked else queries
    runs = [queries] if failures else shares(queries, _FEWEST)

    starts = {id(run): sum(map(len, runs[:at])) for at, run in enumerate(runs)}

    def here(run: Sequence[ParsedQuery]) -> _Share:
        return _analyze_share(schema, run, options, starts[id(run)], len(queries))

    def elsewhere() -> Callable[[Sequence[ParsedQuery]], _Share]:
        own = schema.reconnected()
        return lambda run: _analyze_share(own, run, options)

    parts = spread(here, elsewhere, runs)
    typed = [query for part in parts for query in part.typed]
    typist = schema.typist
    typed = with_senders(schema.connection, typist.facts, typist.types, typed)
    kinds = zip(*[part.problems for part in parts], strict=True)
    problems = [*unasked, *(problem for kind in kinds for some in kind for problem in some)]
    if schema.scratch:  # it writes rows, so two connections could block each other
        doubtful = [item for part in parts for item in part.doubtful]
        problems.extend(refuted_hints(schema.connection, schema.typist.facts, doubtful))
    problems.extend(diagnoses(failures, {f: c for part in parts for f, c in part.lost.items()}))
    if typist.tenants is not None and not failures:
        problems.extend(unknown_tenant_names(options, *typist.tenants.names()))
    problems.extend(schema.applied.notes)
    problems.extend(schema.unproved)
    version = schema.connection.release
    return Analysis(schema.catalog, tuple(typed), version), tuple(problems)


class _Share(Struct, frozen=True):
    """The typed queries and problems of those consecutive queries that one process analyses.

    `problems` has one sequence for each step of the analysis. So the order of all problems does not
    depend on how the processes share the queries. `lost` has, for each failed statement of the
    schema, the queries that depend on it.
    """

    typed: tuple[TypedQuery, ...]
    problems: tuple[Sequence[Diagnostic], ...]
    doubtful: tuple[Hinted, ...]
    lost: Mapping[Failure, list[str]]


def _analyze_share(
    schema: _Schema,
    queries: Sequence[ParsedQuery],
    options: AnalyzeOptions,
    before: int = 0,
    total: int = 0,
) -> _Share:
    """Analyse the queries that are assigned to one process.

    For the progress display, `total` is the number of queries of all processes, and `before` is how
    many of them come before the first of these queries.
    """
    asked = {query.name: query for query in queries}
    settled = settle(schema.connection, queries)
    queries = settled.queries
    typed: list[TypedQuery] = []
    problems: list[Diagnostic] = []
    doubtful: list[tuple[int, Hinted]] = []
    starred: list[Starred] = []
    lost: dict[Failure, list[str]] = {}
    answers = describe(schema.connection, [text for query in queries for text in _texts(query)])
    for query in counted("compiling", queries, before, total):
        described, refused, error = _answers(query, answers, schema)
        cause = _cause(schema.applied.failures, query, error)
        if cause is not None:
            lost.setdefault(cause, []).append(query.place)
            continue
        if refused:
            problems.extend(refused)
            continue
        inferred = schema.typist.type_query(query, described[0], described[1:])
        if query.name in settled.drafts:
            inferred = schema.typist.with_columns_of_rows(inferred, settled.drafts[query.name])
        problems.extend(_misuse(inferred, options))
        if mistaken := function_as_table(query, schema.table_names):
            problems.append(mistaken)
        problems.extend(_doubts(schema.typist, inferred, described, options))
        starred.extend(_starred(len(typed), inferred, described))
        item = hinted(inferred.query, "".join(answer.tree for answer in described))
        if item is not None:
            doubtful.append((len(typed), item))
        typed.append(inferred.query)
    answers.close()
    problems = with_suggestions(schema.connection, problems)
    typed, kept = write_stars(schema.connection, typed, starred)
    failing = tuple(impossible(schema.connection, typed))
    typed = [replace(query, parsed=asked[query.parsed.name]) for query in typed]
    written = [replace(item, query=typed[index]) for index, item in doubtful]
    return _Share(tuple(typed), (settled.problems, problems, kept, failing), tuple(written), lost)


def _starred(index: int, inferred: Inferred, described: Sequence[Described]) -> Iterator[Starred]:
    """Yield each SQL text of a query or variant in which `*` must become a list of columns."""
    texts = _texts(inferred.query.parsed)
    for number, (sql, stars) in enumerate(zip(texts, inferred.stars, strict=True)):
        if stars:
            yield Starred(index, number, sql, stars, Fingerprint.of(described[number]))


def _doubts(
    typist: QueryTyper, inferred: Inferred, described: Sequence[Described], options: AnalyzeOptions
) -> Iterator[Diagnostic]:
    """Yield a problem if a query always fails, or if its variants return different columns.

    Also yield a problem if the compiler cannot prove anything about the query.
    """
    query = inferred.query
    promised = typist.shape(described[0]) if query.variants else NO_SHAPE
    for variant, answer in zip(query.variants, described[1:], strict=True):
        if said := difference(promised, typist.shape(answer), variant.numbers):
            yield mismatch(query.parsed, variant, said)
            break
    if missing := inferred.missing.columns:
        columns = ", ".join(f"`{name}`" for name in missing)
        verbs = "is NOT NULL and gets" if len(missing) == 1 else "are NOT NULL and get"
        hint = "set the column in the query, or add a DEFAULT in the schema"
        does = "succeed" if inferred.missing.always else "insert"
        yield never(query, f"{columns} {verbs} no value", hint, does)
    if inferred.failure:
        yield Diagnostic(
            "E372",
            f"the compiler cannot prove anything about `{query.parsed.name}`: {inferred.failure}",
            (Label(query.parsed.file, query.parsed.name_span),),
            (
                "every column counts as nullable; declare not-null columns with hints: `-- "
                "column: name T!`"
            ),
            Severity.ERROR if options.strict else Severity.WARNING,
        )


def _texts(query: ParsedQuery) -> list[str]:
    """Return the SQL text of the whole query, and the SQL text of each of its variants."""
    return [query.sql, *(variant.sql for variant in query.variants)]


def _cause(
    failures: Sequence[Failure], query: ParsedQuery, error: ServerError | None
) -> Failure | None:
    """Return the failed schema statement that makes a query fail, or makes its types uncertain."""
    if not failures:
        return None
    words = words_of(query.sql)
    if error is not None:
        return next((item for item in failures if item.explains(error, words)), None)
    return next((item for item in failures if item.unsettles(words)), None)


def _answers(
    query: ParsedQuery, answers: Generator[Described | ServerError, None, None], schema: _Schema
) -> tuple[list[Described], list[Diagnostic], ServerError | None]:
    """Read the server's responses to the SQL text of a query and to those of its variants.

    Only the first problem is returned, because the variants mostly have the same mistake.
    """
    first: ServerError | None = None
    described: list[Described] = []
    refused: list[Diagnostic] = []
    maps = [query.source_map, *(variant.source_map for variant in query.variants)]
    for sql, source_map in zip(_texts(query), maps, strict=True):
        answer = next(answers)
        if isinstance(answer, Described):
            described.append(answer)
        else:
            first = first or answer
            problem = query_problem(query, answer, sql, source_map)
            refused.append(with_history(problem, query, lambda: schema.history))
    return described, list(dict.fromkeys(refused))[:1], first


_ROWS = frozenset({"record", "_record"})
_VECTORS = {"int2vector": "int2", "oidvector": "oid"}
_NOT_PASSABLE = _ROWS | _VECTORS.keys()


def _unpassable(query: TypedQuery) -> Iterator[Diagnostic]:
    """Yield an error for each parameter with a type that no driver can send to the server."""
    parsed = query.parsed
    for param in query.params:
        kind = param.type.name
        if param.type.schema != "pg_catalog" or kind not in _NOT_PASSABLE:
            continue
        name = parsed.spelled(param.number)
        message = (
            f"parameter `{param.name}` is a row with unknown columns, which drivers cannot pass"
        )
        hint = (
            f"cast the parameter to the type of the row, as in `{name}::author`, or compare "
            "column by column"
        )
        if element := _VECTORS.get(kind):
            message = f"parameter `{param.name}` is {kind}, which drivers cannot pass"
            hint = f"pass an array: `array_to_string({name}::{element}[], ' ')::{kind}`"
        spans = [span for one in parsed.params if one.number == param.number for span in one.spans]
        label = Label(parsed.file, next(iter(spans), parsed.name_span))
        yield Diagnostic("E313", message, (label,), hint)


def _misuse(inferred: Inferred, options: AnalyzeOptions) -> Iterator[Diagnostic]:
    """Yield an error if a query's result does not fit its command (`:one`) or its macros."""
    query = inferred.query
    parsed = query.parsed
    for embed, reason in inferred.unfit:
        yield Diagnostic(
            "E342",
            f"`{embed.macro}` is not a whole row of one table in this query",
            (Label(parsed.file, embed.span, reason),),
            "embed one table, view or subquery of the outermost SELECT or RETURNING; in a set"
            " operation the same table in every SELECT, at the same position; or list the columns",
        )
    yield from nest_problems(query)
    yield from _unpassable(query)
    if parsed.command.returns_rows and not query.columns:
        empty = query.read_only  # `SELECT FROM t` returns rows without columns
        hint = f"use :exec or :execrows, or add a {'column' if empty else 'RETURNING clause'}"
        if code_tokens(parsed.sql)[0].text.upper() == "CALL":
            hint = "use :exec: the procedure has no OUT or INOUT parameter"
        yield Diagnostic(
            "E321",
            f":{parsed.command} needs rows, but this statement returns no rows"
            + (" with a column" if empty else ""),
            (Label(parsed.file, parsed.name_span),),
            hint,
        )
    if parsed.command is Command.ONE and query.columns and not query.cardinality.at_most_one:
        yield Diagnostic(
            "E320",
            f"{parsed.name} is `:one`, but may return several rows",
            (Label(parsed.file, parsed.name_span),),
            "compare all columns of a unique key, add LIMIT 1, or use :many"
            if query.nesting is None
            else "compare all columns of a unique key, or use :many",
            Severity.ERROR if options.strict else Severity.WARNING,
        )
