"""Opens a connection of each MySQL driver, as its user would."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import aiomysql
import asyncmy
import pymysql

from lib.db.mysql_session import connect_arguments
from tests.codegen.drivers.running import Subject

MYSQL = ("aiomysql", "asyncmy", "pymysql")
_EXECUTORS = {
    "aiomysql": "AiomysqlExecutor",
    "asyncmy": "AsyncmyExecutor",
    "pymysql": "PymysqlExecutor",
}


def arguments_of(url: str) -> dict[str, Any]:
    """Return what every driver's `connect` takes; its conversions are the driver's own."""
    arguments = connect_arguments(url, connect_seconds=5, statement_seconds=30)
    arguments["database"] = arguments.pop("db")
    del arguments["conv"], arguments["ssl"]
    return arguments


@contextmanager
def connected(driver: str, package: str, url: str) -> Iterator[Subject]:
    """Yield the subject of a driver. Every statement commits by itself."""
    arguments = arguments_of(url)
    with asyncio.Runner() as runner:
        connection: Any
        if driver == "aiomysql":
            arguments["db"] = arguments.pop("database")
            connection = runner.run(_opened(aiomysql.connect(**arguments)))
        elif driver == "asyncmy":
            connection = runner.run(_opened(asyncmy.connect(**arguments)))
        else:
            connection = pymysql.connect(**arguments)
        executor = getattr(importlib.import_module(f"{package}.adapter"), _EXECUTORS[driver])
        try:
            yield Subject(driver, package, executor(connection), runner, connection)
        finally:
            if driver == "asyncmy":
                runner.run(connection.ensure_closed())
            else:
                connection.close()


async def _opened(connecting: Any) -> Any:
    return await connecting
