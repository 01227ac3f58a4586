"""Drivers for SQLAlchemy: generated functions run in a connection's or session's transaction."""

from __future__ import annotations

from msgspec.structs import replace

from aiosqlc.drivers.asyncpg import ASYNCPG
from aiosqlc.drivers.mysql import AIOMYSQL, ASYNCMY, PYMYSQL
from aiosqlc.drivers.port import Driver
from aiosqlc.drivers.postgres_types import OF_ASYNCPG_IN_SQLALCHEMY
from aiosqlc.drivers.psycopg import PSYCOPG, PSYCOPG_SYNC

_FITS = "Wrap a SQLAlchemy connection or session in `SqlalchemyExecutor` (module `session`)"
_BLOCKING = (
    ("from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession\n",
     "from sqlalchemy import Connection\nfrom sqlalchemy.orm import Session\n"),
    ("(await connection.get_raw_connection())", "connection.connection"),
)  # fmt: skip


def _below(driver: Driver, name: str) -> Driver:
    """Return the driver for SQLAlchemy connections that use `driver` to reach the server."""
    below = driver.name.removesuffix("-sync")
    own = () if below == "psycopg" else (
        ("postgresql+psycopg", f"mysql+{below}"),
        ("psycopg_adapter", driver.adapter),
        ("PsycopgExecutor", driver.executor),
        ("psycopg", below),
    )  # fmt: skip
    rewritten = (*driver.rewritten, *own, *(_BLOCKING if driver.synchronous else ()))
    fits = dict.fromkeys(driver.fits, _FITS)
    return replace(driver, name=name, fits=fits, session="sqlalchemy", rewritten=rewritten)


SQLALCHEMY = replace(
    ASYNCPG,
    name="sqlalchemy",
    types=OF_ASYNCPG_IN_SQLALCHEMY,
    fits=dict.fromkeys(ASYNCPG.fits, _FITS),
    session="sqlalchemy_asyncpg",
)
OF_SQLALCHEMY = (
    SQLALCHEMY,
    _below(PSYCOPG, "sqlalchemy-psycopg"),
    _below(PSYCOPG_SYNC, "sqlalchemy-sync"),
    _below(AIOMYSQL, "sqlalchemy"),
    _below(ASYNCMY, "sqlalchemy-asyncmy"),
    _below(PYMYSQL, "sqlalchemy-sync"),
)
