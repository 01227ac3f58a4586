"""A compiler for small schemas: queries in, typed queries out."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

import aiomysql
import asyncpg
import pytest
from aiosqlc.diagnostics import Diagnostic
from aiosqlc.drivers.written.aiomysql_adapter import AiomysqlExecutor
from aiosqlc.ir import Analysis, AnalyzeOptions, SchemaFile, TypedQuery
from aiosqlc.mysql import analyze, analyzer
from aiosqlc.mysql.static import schema_from_files
from aiosqlc.parse.queries import parse_files
from aiosqlc.schema.read import schema_file
from aiosqlc.servers.mysql.session import open_session
from aiosqlc.source import Dialect, SourceFile

from tests.servers.mysql import connect_arguments
from tests.servers.programs import program

SERVER_URL = os.environ.get("TEST_MYSQL_URL")
"""A server to use instead of a private one; the tests then run on this server."""

without_mysql_server_url = pytest.mark.skipif(
    bool(SERVER_URL), reason="about a private MariaDB; unset TEST_MYSQL_URL"
)


@cache
def is_mysql() -> bool:
    """Return whether the server of the tests is MySQL itself."""
    if not SERVER_URL:
        return False
    session = open_session(SERVER_URL, None)
    session.connection.close()
    return not session.is_mariadb


Compiled = tuple[tuple[TypedQuery, ...], tuple[Diagnostic, ...]]
Compile = Callable[[str, str], Compiled]

SCHEMA = """
CREATE TABLE a (
    id bigint unsigned PRIMARY KEY AUTO_INCREMENT, name varchar(50) NOT NULL, bio text,
    grp int NOT NULL, st enum('x', 'y') NOT NULL, js json,
    ok tinyint(1) NOT NULL DEFAULT 0, d decimal(10, 2),
    at datetime NOT NULL, born date, UNIQUE KEY by_name (name, grp)
);
CREATE TABLE b (
    id int PRIMARY KEY, aid bigint unsigned NOT NULL, title text NOT NULL, note text,
    code varchar(9) UNIQUE,
    FOREIGN KEY (aid) REFERENCES a (id)
);
CREATE TABLE c (
    k varchar(9) COLLATE utf8mb4_bin PRIMARY KEY, k2 varchar(9), pre varchar(99), UNIQUE (pre(3))
);
CREATE VIEW va AS SELECT a.id, a.name, b.title FROM a LEFT JOIN b ON b.aid = a.id;
CREATE VIEW vr AS SELECT grp, count(*) AS n FROM a GROUP BY grp WITH ROLLUP;
CREATE VIEW vv AS SELECT va.name, count(*) AS n FROM va;
"""


@pytest.fixture(scope="session")
def mysql_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of the private server; skip the test if no server is installed."""
    if not SERVER_URL:
        program("mariadbd", "mysqld")
    return tmp_path_factory.mktemp("mysql-cache")


def files(schema: str, queries: str) -> tuple[SchemaFile, SourceFile]:
    """Make the two files of a small project."""
    return (
        schema_file(SourceFile(Path("schema.sql"), schema), Dialect.MYSQL),
        SourceFile(Path("q.sql"), queries),
    )


def analysed(
    schema: str, queries: str, options: AnalyzeOptions
) -> tuple[Analysis, tuple[Diagnostic, ...]]:
    """Analyse a small project with a server; return the typed queries and the problems."""
    schema_sql, query_file = files(schema, queries)
    parsed, problems = parse_files([query_file], Dialect.MYSQL)
    analysis, found = analyze([schema_sql], parsed, options)
    return analysis, (*problems, *found)


@pytest.fixture(scope="session")
def compile_(mysql_cache: Path) -> Compile:
    """Compile with the server."""

    def run(schema: str, queries: str) -> Compiled:
        if "RETURNING" in queries and is_mysql():
            pytest.skip("MySQL has no RETURNING; unset TEST_MYSQL_URL")
        analysis, problems = analysed(schema, queries, AnalyzeOptions(SERVER_URL, mysql_cache))
        return analysis.queries, problems

    return run


@pytest.fixture(scope="session")
def compile_text() -> Compile:
    """Compile only from the text."""

    def run(schema: str, queries: str) -> Compiled:
        schema_sql, query_file = files(schema, queries)
        parsed, problems = parse_files([query_file], Dialect.MYSQL)
        known, found = schema_from_files([schema_sql])
        typed = [analyzer.type_one(analyzer.AnalysisContext(known), query) for query in parsed]
        queries_ = tuple(query for query, _ in typed if query)
        return queries_, (*problems, *found, *(d for _, more in typed for d in more))

    return run


@pytest.fixture(params=["server", "text"])
def either(request: pytest.FixtureRequest, compile_text: Compile) -> Compile:
    """Compile with the server, and again only from the text: both must be right."""
    if request.param == "text":
        return compile_text
    compiled: Compile = request.getfixturevalue("compile_")
    return compiled


def only(compiled: Compiled) -> TypedQuery:
    """Return the only query of a compilation without problems."""
    (query,), problems = compiled
    assert not problems
    return query


@asynccontextmanager
async def on_both(
    urls: tuple[str, str], schemas: tuple[str, str] = ("", "")
) -> AsyncIterator[tuple[asyncpg.Connection, AiomysqlExecutor]]:
    """Open a connection on each engine, PostgreSQL first, and create its tables."""
    first = await asyncpg.connect(urls[0])
    other = await aiomysql.connect(**connect_arguments(urls[1]))
    second = AiomysqlExecutor(other)
    try:
        for db, schema in zip((first, second), schemas, strict=True):
            for statement in filter(str.strip, schema.split(";\n")):
                await db.execute(statement)
        yield first, second
    finally:
        await first.close()
        other.close()
