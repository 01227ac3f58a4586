"""A query with includes has the types, guarantees, plan and rows of the query without."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pymysql
import pytest
from aiosqlc.ir import AnalyzeOptions, TypedQuery
from aiosqlc.mysql import analyze as analyze_mysql
from aiosqlc.parse.queries import parse_files
from aiosqlc.postgres import analyze as analyze_postgres
from aiosqlc.schema.read import schema_file
from aiosqlc.source import Dialect, SourceFile

from tests.fragments.cases import CASES, ROWS, SCHEMA, Case
from tests.servers.mysql import TestMysql, connect_arguments
from tests.servers.postgres import TestPostgres

Urls = tuple[str, str]
ALL = "SELECT * FROM orders ORDER BY id"


@pytest.fixture(scope="module")
def on_postgres(postgres_server: TestPostgres) -> Iterator[Urls]:
    """A database for the analysis, and one with rows."""
    urls = postgres_server.create_empty(), postgres_server.create_empty()
    with psycopg.connect(urls[1], autocommit=True) as db:
        db.execute(f"{SCHEMA};{ROWS}".encode())
    yield urls
    for url in urls:
        postgres_server.drop(url)


@pytest.fixture(scope="module")
def on_mysql(mysql_server: TestMysql) -> Iterator[Urls]:
    """A server for the analysis, and a database with rows."""
    url = mysql_server.create_empty()
    with pymysql.connect(**connect_arguments(url)) as db, db.cursor() as cursor:
        for statement in filter(str.strip, f"{SCHEMA}{ROWS}".split(";\n")):
            cursor.execute(statement)
    yield mysql_server.url, url
    mysql_server.drop(url)


def typed(case: Case, dialect: Dialect, uri: str) -> tuple[TypedQuery, TypedQuery]:
    """Return the case's query with includes, and the query without."""
    command = "exec" if case.query.startswith("UPDATE") else "many"
    schema = [schema_file(SourceFile(Path("schema.sql"), SCHEMA), dialect)]
    library = [SourceFile(Path("fragments.sql"), case.fragments)]
    analyze = analyze_postgres if dialect is Dialect.POSTGRESQL else analyze_mysql
    found: list[TypedQuery] = []
    for text in (case.query, case.written):
        file = SourceFile(Path("q.sql"), f"-- name: Q :{command}\n{text};\n")
        parsed, problems = parse_files([file], dialect, library=library)
        assert problems == []
        analysis, mistakes = analyze(schema, parsed, AnalyzeOptions(uri))
        assert mistakes == ()
        found += analysis.queries
    included, written = found
    return included, written


def facts(query: TypedQuery) -> tuple[object, ...]:
    """Return the facts about a query."""
    return (
        [(column.name, column.type, column.not_null, column.origin) for column in query.columns],
        sorted((param.name, repr(param.type), param.not_null) for param in query.params),
        query.cardinality,
    )


def sent(query: TypedQuery, case: Case, *, arrays: bool) -> str:
    """Return the text of a query with the case's arguments as literals."""
    names = {param.number: param.name or "" for param in query.parsed.params}

    def literal(found: re.Match[str]) -> str:
        value = case.args[names[int(found[1])]]
        if isinstance(value, list):
            listed = ",".join(map(str, value))
            return f"'{{{listed}}}'" if arrays else listed
        return f"'{value}'" if isinstance(value, str) else str(value)

    return re.sub(r"\$(\d+)", literal, query.parsed.sql)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_postgresql_reads_an_include_as_the_text_written_out(case: Case, on_postgres: Urls) -> None:
    analysed, url = on_postgres
    both = typed(case, Dialect.POSTGRESQL, analysed)
    assert facts(both[0]) == facts(both[1])

    def run(query: TypedQuery) -> tuple[list[Any], list[Any]]:
        text = sent(query, case, arrays=True)
        with psycopg.connect(url) as db:
            plan = db.execute(f"EXPLAIN (COSTS OFF) {text}".encode()).fetchall()
            done = db.execute(text.encode())
            rows = done.fetchall() if done.description else db.execute(ALL).fetchall()
            db.rollback()
        return rows, plan

    assert run(both[0]) == run(both[1])
    assert run(both[0])[0], "a case must find rows"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_mysql_reads_an_include_as_the_text_written_out(case: Case, on_mysql: Urls) -> None:
    analysed, url = on_mysql
    both = typed(case, Dialect.MYSQL, analysed)
    assert facts(both[0]) == facts(both[1])

    def run(query: TypedQuery) -> tuple[list[Any], list[Any]]:
        text = sent(query, case, arrays=False)
        with pymysql.connect(**connect_arguments(url)) as db, db.cursor() as cursor:
            db.begin()
            cursor.execute(f"EXPLAIN {text}")
            plan = list(cursor.fetchall())
            cursor.execute(text)
            if not cursor.description:
                cursor.execute(ALL)
            rows = list(cursor.fetchall())
            db.rollback()
        return rows, plan

    assert run(both[0]) == run(both[1])
    assert run(both[0])[0], "a case must find rows"
