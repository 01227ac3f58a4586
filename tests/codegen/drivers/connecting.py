"""Opens a connection of each PostgreSQL driver, as its user would."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import psycopg

from tests.codegen.drivers.running import Subject

POSTGRES = ("asyncpg", "psycopg", "psycopg-sync")


@contextmanager
def connected(driver: str, package: str, url: str) -> Iterator[Subject]:
    """Yield the subject of a driver. Every statement commits by itself."""
    with asyncio.Runner() as runner:
        connection: Any
        if driver == "asyncpg":
            connection = runner.run(asyncpg.connect(url))
            db = connection
        elif driver == "psycopg":
            connection = runner.run(psycopg.AsyncConnection.connect(url, autocommit=True))
            db = importlib.import_module(f"{package}.adapter").PsycopgExecutor(connection)
        else:
            connection = psycopg.connect(url, autocommit=True)
            db = importlib.import_module(f"{package}.adapter").PsycopgExecutor(connection)
        subject = Subject(driver, package, db, runner, connection)
        try:
            yield subject
        finally:
            subject.wait(connection.close())
