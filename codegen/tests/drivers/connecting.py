"""Open a connection of each PostgreSQL driver as users do."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import psycopg
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import create_async_engine

from tests.drivers.running import Engine, Subject
from tests.golden import analyzer_on
from tests.servers.postgres import TestPostgres

PLAIN = ("asyncpg", "psycopg", "psycopg-sync")
SQLALCHEMY = ("sqlalchemy", "sqlalchemy-psycopg", "sqlalchemy-sync")
POSTGRES = (*PLAIN, *SQLALCHEMY)
ON_POSTGRES = [("postgres", driver) for driver in POSTGRES]
EMPTYING = ("TRUNCATE author, book, shape RESTART IDENTITY",)


def sqlalchemy_url(driver: str, url: str) -> str:
    """Return the URL with which SQLAlchemy selects the driver of the code."""
    below = "asyncpg" if driver == "sqlalchemy" else "psycopg"
    return url.replace("postgresql://", f"postgresql+{below}://")


@contextmanager
def connected(driver: str, package: str, url: str) -> Iterator[Subject]:
    """Yield the package and the connection of a driver. Every statement commits by itself."""
    with asyncio.Runner() as runner:
        if driver in SQLALCHEMY:
            opening = below_sqlalchemy(driver, package, sqlalchemy_url(driver, url), runner)
        else:
            opening = _opened(driver, package, url, runner)
        with opening as (connection, db):
            yield Subject(driver, package, db, runner, connection, EMPTYING)


@contextmanager
def _opened(
    driver: str, package: str, url: str, runner: asyncio.Runner
) -> Iterator[tuple[Any, Any]]:
    if driver == "psycopg-sync":
        with psycopg.connect(url, autocommit=True) as blocking:
            yield blocking, importlib.import_module(f"{package}.adapter").PsycopgExecutor(blocking)
        return
    connection: Any
    if driver == "asyncpg":
        connection = db = runner.run(asyncpg.connect(url))
    else:
        connection = runner.run(psycopg.AsyncConnection.connect(url, autocommit=True))
        db = importlib.import_module(f"{package}.adapter").PsycopgExecutor(connection)
    try:
        yield connection, db
    finally:
        runner.run(connection.close())


@contextmanager
def below_sqlalchemy(
    driver: str, package: str, url: str, runner: asyncio.Runner, **given: Any
) -> Iterator[tuple[Any, Any]]:
    """Yield a driver's connection, and the executor on SQLAlchemy's connection above it."""
    kind = importlib.import_module(f"{package}.session").SqlalchemyExecutor
    if driver == "sqlalchemy-sync":
        engine = create_engine(url, isolation_level="AUTOCOMMIT", **given)
        with engine.connect() as blocking:
            yield blocking.connection.driver_connection, kind(blocking)
        engine.dispose()
        return

    async def start() -> tuple[Any, Any]:
        connection = await waiting.connect()
        return connection, (await connection.get_raw_connection()).driver_connection

    waiting = create_async_engine(url, isolation_level="AUTOCOMMIT", **given)
    connection, raw = runner.run(start())
    try:
        yield raw, kind(connection)
    finally:
        runner.run(connection.close())
        runner.run(waiting.dispose())


def _run(url: str, script: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(script)


def engine_on(server: TestPostgres) -> Engine:
    """Return PostgreSQL in the form that the tests use."""
    return Engine(
        name="postgresql",
        files=("postgres.sql", "postgres_queries.sql"),
        drivers=POSTGRES,
        server=server,
        analyzer=analyzer_on,
        run=_run,
        connected=connected,
    )
