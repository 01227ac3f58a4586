"""The drivers of each engine by their names in the configuration; the first is the default."""

from __future__ import annotations

from aiosqlc.drivers.asyncpg import ASYNCPG
from aiosqlc.drivers.mysql import AIOMYSQL, ASYNCMY, PYMYSQL
from aiosqlc.drivers.port import Driver
from aiosqlc.drivers.psycopg import PSYCOPG, PSYCOPG_SYNC
from aiosqlc.drivers.sqlalchemy import OF_SQLALCHEMY
from aiosqlc.source import Dialect

_ALL = (ASYNCPG, PSYCOPG, PSYCOPG_SYNC, AIOMYSQL, ASYNCMY, PYMYSQL, *OF_SQLALCHEMY)
DRIVERS = {
    engine: {driver.name: driver for driver in _ALL if driver.engine is engine}
    for engine in Dialect
}
NAMES = tuple(dict.fromkeys(driver.name for driver in _ALL))


def default_driver(engine: Dialect) -> Driver:
    """Return the default driver for an engine."""
    return next(iter(DRIVERS[engine].values()))


def driver_of(name: str, engine: Dialect) -> Driver:
    """Return the driver that the configuration names; an empty name is the engine's default."""
    return DRIVERS[engine][name] if name else default_driver(engine)
