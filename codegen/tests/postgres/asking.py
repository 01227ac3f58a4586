"""Call the analyser in one line, and cache the results, because many tests use one analysis."""

from __future__ import annotations

import atexit
import functools
from pathlib import Path

from aiosqlc.diagnostics import Diagnostic
from aiosqlc.ir import (
    Analysis,
    AnalyzeOptions,
    Command,
    Param,
    ParsedQuery,
    SchemaFile,
    TypedQuery,
)
from aiosqlc.postgres import Analyzer
from aiosqlc.source import SourceFile, SourceMap, Span

TABLES = """
create table a (id int primary key, name text not null, bio text, grp int not null, f bool,
    j jsonb not null default '{}');
create table b (id int primary key, aid int not null, x int, title text not null, note text,
    unique (aid, title));
create table c (bid int not null, aid int, v numeric not null, w int, primary key (bid, v));
create view va as select a.id, a.name, b.title, b.note, count(*) over () n
    from a left join b on b.aid = a.id;
"""


def schema_file(sql: str, name: str = "schema.sql", *, transactional: bool = True) -> SchemaFile:
    """Make a schema file of SQL whose semicolons end statements, unless inside `$$`."""
    spans, start, quoted = [], 0, False
    for index, char in enumerate(sql):
        if sql.startswith("$$", index):
            quoted = not quoted
        if char == ";" and not quoted:
            spans.append(Span(start, index))
            start = index + 1
    if sql[start:].strip():
        spans.append(Span(start, len(sql)))
    return SchemaFile(SourceFile(Path(name), sql), sql, tuple(spans), transactional)


def query(
    sql: str, name: str = "Q", command: Command = Command.MANY, params: tuple[Param, ...] = ()
) -> ParsedQuery:
    """Make a parsed query that is its own file."""
    whole = Span(0, len(sql))
    file = SourceFile(Path("query.sql"), sql)
    return ParsedQuery(file, name, command, sql, SourceMap(), Span(0, 1), whole, params=params)


@functools.lru_cache(maxsize=64)
def answers(
    schema: str, sqls: tuple[str, ...]
) -> tuple[dict[str, TypedQuery], tuple[Diagnostic, ...]]:
    """Return the typed queries by their SQL, and the problems."""
    asked = [query(sql, f"Q{n}", Command.EXEC) for n, sql in enumerate(sqls)]
    analysis, problems = run(schema, asked)
    return {typed.parsed.sql: typed for typed in analysis.queries}, problems


def run(
    schema: str, queries: list[ParsedQuery], options: AnalyzeOptions | None = None
) -> tuple[Analysis, tuple[Diagnostic, ...]]:
    """Analyse parsed queries over a schema."""
    return _warm().analyze([schema_file(schema)], queries, options or AnalyzeOptions())


@functools.cache
def _warm() -> Analyzer:
    """Return a shared analyser: starting a server takes longer than a query."""
    analyzer = Analyzer()
    atexit.register(analyzer.__exit__)
    return analyzer


def nullness(typed: TypedQuery) -> str:
    """Return NN or N for each column."""
    return " ".join("NN" if column.not_null else "N" for column in typed.columns)
