"""Every driver by its name in the configuration; the first of an engine is its default."""

from __future__ import annotations

from aiosqlc.drivers.asyncpg import ASYNCPG
from aiosqlc.drivers.mysql import AIOMYSQL, ASYNCMY, PYMYSQL
from aiosqlc.drivers.port import Driver
from aiosqlc.drivers.psycopg import PSYCOPG, PSYCOPG_SYNC
from aiosqlc.drivers.sqlalchemy import SQLALCHEMY, SQLALCHEMY_PSYCOPG, SQLALCHEMY_SYNC
from aiosqlc.parse.scanner import Dialect

_ALL = (
    *(ASYNCPG, PSYCOPG, PSYCOPG_SYNC, SQLALCHEMY, SQLALCHEMY_PSYCOPG, SQLALCHEMY_SYNC),
    *(AIOMYSQL, ASYNCMY, PYMYSQL),
)
DRIVERS = {driver.name: driver for driver in _ALL}


def default_driver(engine: Dialect) -> Driver:
    """Return the driver that code runs on where the configuration names none."""
    return next(driver for driver in DRIVERS.values() if driver.engine is engine)


def driver_of(name: str, engine: Dialect) -> Driver:
    """Return the driver that the configuration names; an empty name is the engine's default."""
    return DRIVERS[name] if name else default_driver(engine)
