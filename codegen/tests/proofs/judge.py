"""Compare the claims about a query with the rows that a real server returns."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from aiosqlc.diagnostics import Diagnostic
from aiosqlc.ir import (
    AnalyzeOptions,
    Cardinality,
    Command,
    JsonKind,
    JsonShape,
    ParsedQuery,
    SchemaFile,
    TypedQuery,
)
from aiosqlc.postgres import Analyzer
from aiosqlc.servers.postgres.connection import Connection
from aiosqlc.servers.postgres.embedded import Server
from aiosqlc.source import SourceFile, SourceMap, Span
from psycopg import pq

_ROWS = (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK)
_QUOTED = re.compile(rb'"(?:[^"\\]|\\.)*"')
_NULL_ELEMENT = re.compile(rb"(?:^|[{,])NULL(?=[,}])")
_JSON = frozenset({"json", "jsonb"})
MANY, EMPTY = "many", "empty"


@dataclass(frozen=True, slots=True)
class World:
    """Statements that create a schema and insert rows into it."""

    statements: tuple[str, ...]

    @property
    def schema(self) -> tuple[str, ...]:
        """Return the statements that create the schema."""
        return tuple(s for s in self.statements if not s.startswith(("insert", "set ")))


@dataclass(frozen=True, slots=True)
class Seen:
    """Facts that the rows of one execution show: `NULL in x`, `NULL inside x`, `many`, `empty`.

    `null at x[].a` is a null in the JSON of x. `x[0].a` and `x[].*` are other names of the same
    place.
    """

    facts: frozenset[str]
    error: str = ""


def file_of(statements: Sequence[str]) -> SchemaFile:
    """Make a schema file of whole statements."""
    text, spans = "", []
    for statement in statements:
        spans.append(Span(len(text), len(text) + len(statement)))
        text += statement + ";\n"
    return SchemaFile(SourceFile(Path("schema.sql"), text), text, tuple(spans))


def parsed(text: str, name: str) -> ParsedQuery:
    """Make a parsed query that is its own file."""
    whole = Span(0, len(text))
    return ParsedQuery(
        SourceFile(Path("q.sql"), text), name, Command.MANY, text, SourceMap(), whole, whole
    )


def claims_of(
    analyzer: Analyzer, world: World, queries: Sequence[str]
) -> tuple[dict[str, TypedQuery], tuple[Diagnostic, ...]]:
    """Return the claims about each query, by its text, and the problems."""
    asked = [parsed(text, f"Q{n}") for n, text in enumerate(queries)]
    analysis, problems = analyzer.analyze([file_of(world.schema)], asked, AnalyzeOptions())
    return {typed.parsed.sql: typed for typed in analysis.queries}, problems


@contextlib.contextmanager
def scratch(server: Server, name: str) -> Iterator[Connection]:
    """Create an empty database while the block runs; yield a connection to it."""
    with Connection(server.admin) as admin:
        admin.run(f"drop database if exists {name} with (force)")
        admin.run(f"create database {name} template template0")
    try:
        with Connection(server.conninfo(name)) as connection:
            yield connection
    finally:
        with Connection(server.admin) as admin:
            admin.run(f"drop database if exists {name} with (force)")


@contextlib.contextmanager
def populated(server: Server, name: str, world: World) -> Iterator[Connection]:
    """Create a database with a world's schema and rows while the block runs."""
    with scratch(server, name) as connection:
        for statement in world.statements:
            error = connection.run(statement)
            if error is not None:
                msg = f"{statement}: {error.message}"
                raise RuntimeError(msg)
        connection.run("set statement_timeout = '5s'")
        yield connection


def look(connection: Connection, query: TypedQuery, values: Sequence[str | None] = ()) -> Seen:
    """Run a query in a transaction that is rolled back; return the facts of its rows."""
    connection.run("begin")
    result = connection.execute(query.sql, values or None)
    connection.run("rollback")
    if result.status not in _ROWS:
        return Seen(frozenset(), result.error_message.decode(errors="replace"))
    return Seen(seen_in(query, result))


def seen_in(query: TypedQuery, result: pq.abc.PGresult) -> frozenset[str]:
    """Return the facts that a result's rows show about the columns and the number of rows."""
    found = {MANY} if result.ntuples > 1 else {EMPTY} if result.ntuples == 0 else set[str]()
    for index, name in enumerate(names_of(query)):
        column = query.columns[index]
        cells = [result.get_value(row, index) for row in range(result.ntuples)]
        if any(cell is None for cell in cells):
            found.add(f"NULL in {name}")
        if column.type.array_dims and any(c and has_null_inside(c) for c in cells):
            found.add(f"NULL inside {name}")
        if column.type.name in _JSON and not column.type.array_dims:
            documents = (json.loads(cell) for cell in cells if cell)
            found.update(f"null at {place}" for d in documents for place in _nulls(d, name))
    return frozenset(found)


def _nulls(document: object, place: str) -> Iterator[str]:
    """Yield each name of each place in JSON that is null."""
    if document is None:
        yield place
    inside: list[tuple[tuple[str, ...], object]] = []
    if isinstance(document, list):
        inside = [(("[]", f"[{number}]"), item) for number, item in enumerate(document)]
    if isinstance(document, dict):
        inside = [((".*", f".{key}"), item) for key, item in document.items()]
    for names, item in inside:
        for name in names:
            yield from _nulls(item, place + name)


def _never_null(shape: JsonShape, place: str) -> Iterator[str]:
    """Yield each place in JSON that is never null if its shape is right."""
    if shape.kind is JsonKind.ANY:
        return
    if not shape.nullable:
        yield place
    for number, (key, member) in enumerate(shape.members):
        names = {JsonKind.OBJECT: f".{key}", JsonKind.MAP: ".*", JsonKind.TUPLE: f"[{number}]"}
        yield from _never_null(member, place + names.get(shape.kind, "[]"))


def has_null_inside(array: bytes) -> bool:
    """Return whether an array in the server's text has NULL; a NULL in quotes is a text."""
    return _NULL_ELEMENT.search(_QUOTED.sub(b"", array)) is not None


def names_of(query: TypedQuery) -> list[str]:
    """Return the names of columns; the second column with one name is `id#2`."""
    names = [column.name for column in query.columns]
    counts = (names[:index].count(name) for index, name in enumerate(names, 1))
    return [f"{name}#{n}" if n > 1 else name for name, n in zip(names, counts, strict=True)]


def denied(query: TypedQuery) -> frozenset[str]:
    """Return the facts that must never occur if the claims are true."""
    names = names_of(query)
    named = list(zip(names, query.columns, strict=True))
    found = {f"NULL in {name}" for name, c in named if c.not_null}
    found |= {f"NULL inside {name}" for name, c in named if c.element_not_null}
    shapes = [(name, c.shape) for name, c in named if c.shape]
    found |= {f"null at {place}" for name, shape in shapes for place in _never_null(shape, name)}
    if query.cardinality.at_most_one:
        found.add(MANY)
    if query.cardinality in {Cardinality.ONE, Cardinality.SOME}:
        found.add(EMPTY)
    for embed in query.embeds:
        inside = names[embed.first : embed.first + embed.count]
        if embed.nullable:  # the whole row may be missing: then its columns are NULL together
            found -= {f"NULL in {name}" for name in inside}
    return frozenset(found)
