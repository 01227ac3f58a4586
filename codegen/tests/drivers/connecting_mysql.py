"""Open a connection of each MySQL driver as users do."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import aiomysql
import asyncmy
import pymysql
from aiosqlc import mysql
from aiosqlc.analysis.port import Analyze
from aiosqlc.diagnostics import Diagnostic
from aiosqlc.ir import Analysis, AnalyzeOptions, ParsedQuery, SchemaFile
from aiosqlc.parse.scanner import split_statements
from aiosqlc.source import Dialect
from msgspec.structs import replace

from tests.drivers.connecting import below_sqlalchemy
from tests.drivers.running import Engine, Subject
from tests.servers.mysql import TestMysql, connect_arguments

BELOW = {"sqlalchemy": "aiomysql", "sqlalchemy-asyncmy": "asyncmy", "sqlalchemy-sync": "pymysql"}
MYSQL = ("aiomysql", "asyncmy", "pymysql", *BELOW)
_EXECUTORS = {
    "aiomysql": "AiomysqlExecutor",
    "asyncmy": "AsyncmyExecutor",
    "pymysql": "PymysqlExecutor",
}
ON_MYSQL = [("mysql", driver) for driver in MYSQL]
_TABLES = ("author", "book", "born", "`a``b.c'd`", "noted", "logged")
EMPTYING = (
    "SET foreign_key_checks = 0",
    *(f"TRUNCATE {table}" for table in _TABLES),
    "SET foreign_key_checks = 1",
)
IN_UTC = {"init_command": "SET time_zone = '+00:00'"}


def arguments_of(url: str) -> dict[str, Any]:
    """Return the arguments of every driver's `connect`, without conversions."""
    arguments = connect_arguments(url, seconds=30)
    arguments["database"] = arguments.pop("db")
    return arguments


def sqlalchemy_url(driver: str, url: str) -> str:
    """Return the URL with which SQLAlchemy selects the driver of the code."""
    return url.replace("mysql://", f"mysql+{BELOW[driver]}://") + "?charset=utf8mb4"


def on(subject: Subject) -> Any:
    """Return another executor on the connection of a subject."""
    name = _EXECUTORS[BELOW.get(subject.driver, subject.driver)]
    return getattr(subject.module("adapter"), name)(subject.connection)


@contextmanager
def connected(driver: str, package: str, url: str) -> Iterator[Subject]:
    """Yield the package and the connection of a driver. Every statement commits by itself."""
    with asyncio.Runner() as runner:
        if driver in BELOW:
            own = sqlalchemy_url(driver, url)
            opening = below_sqlalchemy(driver, package, own, runner, connect_args=IN_UTC)
            with opening as (connection, db):
                yield Subject(driver, package, db, runner, connection, EMPTYING, on_mysql=True)
            return
        with _opened(driver, url, runner) as connection:
            subject = Subject(driver, package, None, runner, connection, EMPTYING, on_mysql=True)
            subject.db = on(subject)
            yield subject


@contextmanager
def _opened(driver: str, url: str, runner: asyncio.Runner) -> Iterator[Any]:
    arguments = arguments_of(url)
    connection: Any
    if driver == "aiomysql":
        arguments["db"] = arguments.pop("database")
        connection = runner.run(_awaited(aiomysql.connect(**arguments)))
    elif driver == "asyncmy":
        connection = runner.run(_awaited(asyncmy.connect(**arguments)))
    else:
        connection = pymysql.connect(**arguments)
    try:
        yield connection
    finally:
        if driver == "asyncmy":
            runner.run(connection.ensure_closed())
        else:
            connection.close()


async def _awaited(connecting: Any) -> Any:
    return await connecting


def _analyzer_on(url: str) -> Analyze:
    """Analyse on a running MySQL server."""

    def on_server(
        schema: Sequence[SchemaFile], queries: Sequence[ParsedQuery], options: AnalyzeOptions
    ) -> tuple[Analysis, tuple[Diagnostic, ...]]:
        return mysql.analyze(schema, queries, replace(options, database_uri=url))

    return on_server


def _run(url: str, script: str) -> None:
    with pymysql.connect(**arguments_of(url)) as connection, connection.cursor() as cursor:
        for span in split_statements(script, Dialect.MYSQL):
            cursor.execute(script[span.start : span.end])


def engine_on(server: TestMysql) -> Engine:
    """Return MySQL in the form that the tests use."""
    return Engine(
        name="mysql",
        files=("mysql.sql", "mysql_queries.sql"),
        drivers=MYSQL,
        server=server,
        analyzer=_analyzer_on,
        run=_run,
        connected=connected,
    )
