"""The PostgreSQL analyser read top to bottom: server, schema, queries, proofs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

from aiosqlc.diagnostics import Diagnostic, Label, Severity
from aiosqlc.postgres.catalog.facts import Facts, load_facts
from aiosqlc.postgres.catalog.types import build_catalog
from aiosqlc.postgres.describe import Described, describe, prepare_session
from aiosqlc.postgres.problems import query_problem
from aiosqlc.postgres.schema import apply_schema, schema_digest
from aiosqlc.postgres.server.connection import Connection, ConnectionFailedError, ServerError
from aiosqlc.postgres.server.databases import connect_existing, database_name, new_database
from aiosqlc.postgres.server.embedded import (
    Server,
    ServerUnavailableError,
    embedded_server,
)
from aiosqlc.postgres.typed import Typist
from aiosqlc.stages import (
    Analysis,
    AnalyzeOptions,
    Catalog,
    Command,
    ParsedQuery,
    SchemaFile,
    TypedQuery,
)

_OLDEST_SERVER = 16


def analyze(
    schema: Sequence[SchemaFile], queries: Sequence[ParsedQuery], options: AnalyzeOptions
) -> tuple[Analysis, tuple[Diagnostic, ...]]:
    """Ask a PostgreSQL server about the queries and prove what follows.

    Returns what could be typed, in the order given, and everything that is wrong. Never raises for
    a user's mistake or an unreachable server.
    """
    nothing = Analysis(Catalog())
    try:
        with _server(options) as server, _database(server, schema, options) as opened:
            if not isinstance(opened, Connection):
                return nothing, opened
            return _analyze_all(opened, queries, options)
    except (ServerUnavailableError, ConnectionFailedError) as error:
        hint = (
            "set `database.uri` to a PostgreSQL server you have" if not options.database_uri else ""
        )
        return nothing, (Diagnostic("E210", f"no PostgreSQL server: {error}", hint=hint),)


@contextlib.contextmanager
def _server(options: AnalyzeOptions) -> Iterator[Server]:
    if options.database_uri:
        yield Server(options.database_uri, embedded=False)
    else:
        with embedded_server(options.cache_dir) as server:
            yield server


@contextlib.contextmanager
def _database(
    server: Server, schema: Sequence[SchemaFile], options: AnalyzeOptions
) -> Iterator[Connection | tuple[Diagnostic, ...]]:
    """Yield a connection to a database with the schema, or what is wrong with the schema."""
    name = database_name(schema_digest(schema, options.shims))
    connection = connect_existing(server, name)
    if connection is None:
        try:
            with new_database(server, name) as (_, draft):
                problems = apply_schema(draft, schema, options.shims, own_server=server.embedded)
                if problems:
                    raise _SchemaProblem(problems)
        except _SchemaProblem as problem:
            yield problem.problems
            return
        connection = Connection(server.conninfo(name))
    with connection:
        yield connection


class _SchemaProblem(Exception):  # noqa: N818 - it carries findings out of a with block
    def __init__(self, problems: tuple[Diagnostic, ...]) -> None:
        super().__init__("the schema has errors")
        self.problems = problems


def _analyze_all(
    connection: Connection, queries: Sequence[ParsedQuery], options: AnalyzeOptions
) -> tuple[Analysis, tuple[Diagnostic, ...]]:
    if connection.major < _OLDEST_SERVER:
        message = f"PostgreSQL {connection.major} is too old: {_OLDEST_SERVER} or newer is needed"
        return Analysis(Catalog()), (Diagnostic("E211", message),)
    facts = load_facts(connection, options.not_null_functions)
    prepare_session(connection)
    typist = Typist(facts)
    typed: list[TypedQuery] = []
    problems: list[Diagnostic] = []
    answers = describe(connection, [text for query in queries for text in _texts(query)])
    for query in queries:
        described, refused = _answers(query, answers)
        if refused:
            problems.extend(refused)
            continue
        result = typist.type_query(query, described[0], described[1:])
        problems.extend(_misuse(result, options))
        typed.append(result)
    return _analysis(connection, facts, typist, typed), tuple(problems)


def _texts(query: ParsedQuery) -> list[str]:
    """Return everything of a query the server must accept: its text, then its variants."""
    return [query.sql, *(variant.sql for variant in query.variants)]


def _answers(
    query: ParsedQuery, answers: Iterator[Described | ServerError]
) -> tuple[list[Described], list[Diagnostic]]:
    """Take a query's answers off the stream. One wrong text makes one finding, not one per variant."""
    described: list[Described] = []
    refused: list[Diagnostic] = []
    maps = [query.source_map, *(variant.source_map for variant in query.variants)]
    for sql, source_map in zip(_texts(query), maps, strict=True):
        answer = next(answers)
        if isinstance(answer, Described):
            described.append(answer)
        else:
            refused.append(query_problem(query, answer, sql, source_map))
    return described, list(dict.fromkeys(refused))[:1]


def _analysis(
    connection: Connection, facts: Facts, typist: Typist, typed: list[TypedQuery]
) -> Analysis:
    return Analysis(
        catalog=build_catalog(facts, typist.types),
        queries=tuple(typed),
        server_version=str(connection.major),
    )


def _misuse(query: TypedQuery, options: AnalyzeOptions) -> Iterator[Diagnostic]:
    """Yield what is wrong between a query's command and what it returns."""
    parsed = query.parsed
    if parsed.command.returns_rows and not query.columns and not query.read_only:
        yield Diagnostic(
            "E321",
            f":{parsed.command} needs rows, but this statement returns none",
            (Label(parsed.file, parsed.name_span),),
            "use :exec or :execrows, or add a RETURNING clause",
        )
    if parsed.command is Command.ONE and query.columns and not query.cardinality.at_most_one:
        yield Diagnostic(
            "E320",
            f"{parsed.name} is :one, but may return many rows",
            (Label(parsed.file, parsed.name_span),),
            "match a whole unique key, add LIMIT 1, or use :many",
            Severity.ERROR if options.strict else Severity.WARNING,
        )
