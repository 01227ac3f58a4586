"""Opens a connection of each MySQL driver, as its user would."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import aiomysql
import asyncmy
import pymysql

from lib.db.mysql_session import connect_arguments
from tests.codegen.drivers.connecting import below_sqlalchemy
from tests.codegen.drivers.running import Subject

BELOW = {"sqlalchemy": "aiomysql", "sqlalchemy-asyncmy": "asyncmy", "sqlalchemy-sync": "pymysql"}
MYSQL = ("aiomysql", "asyncmy", "pymysql", *BELOW)
_EXECUTORS = {
    "aiomysql": "AiomysqlExecutor",
    "asyncmy": "AsyncmyExecutor",
    "pymysql": "PymysqlExecutor",
}
IN_UTC = {"init_command": "SET time_zone = '+00:00'"}


def arguments_of(url: str) -> dict[str, Any]:
    """Return what every driver's `connect` takes; its conversions are the driver's own."""
    arguments = connect_arguments(url, connect_seconds=5, statement_seconds=30)
    arguments["database"] = arguments.pop("db")
    del arguments["conv"], arguments["ssl"]
    return arguments


def sqlalchemy_url(driver: str, url: str) -> str:
    """Return the URL by which SQLAlchemy takes the driver that the code is for."""
    return url.replace("mysql://", f"mysql+{BELOW[driver]}://") + "?charset=utf8mb4"


def on(subject: Subject) -> Any:
    """Return another executor on the connection of a subject."""
    name = _EXECUTORS[BELOW.get(subject.driver, subject.driver)]
    return getattr(subject.module("adapter"), name)(subject.connection)


@contextmanager
def connected(driver: str, package: str, url: str) -> Iterator[Subject]:
    """Yield the subject of a driver. Every statement commits by itself."""
    with asyncio.Runner() as runner:
        if driver in BELOW:
            own = sqlalchemy_url(driver, url)
            opening = below_sqlalchemy(driver, package, own, runner, connect_args=IN_UTC)
            with opening as (connection, db):
                yield Subject(driver, package, db, runner, connection)
            return
        with _opened(driver, url, runner) as connection:
            subject = Subject(driver, package, None, runner, connection)
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
