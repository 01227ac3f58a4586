"""Connections and sessions of SQLAlchemy's: their transaction, on the driver below them."""

from __future__ import annotations

from dataclasses import replace

from aiosqlc.drivers.asyncpg import ASYNCPG
from aiosqlc.drivers.postgres_types import OF_ASYNCPG_IN_SQLALCHEMY
from aiosqlc.drivers.psycopg import PSYCOPG

_FITS = "`SqlalchemyExecutor` in `session` makes a connection or session of SQLAlchemy's fit"
_IN_SQLALCHEMY = (
    ("from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession\n",
     "from sqlalchemy import Connection\nfrom sqlalchemy.orm import Session\n"),
    ("(await connection.get_raw_connection())", "connection.connection"),
)  # fmt: skip
SQLALCHEMY = replace(
    ASYNCPG,
    name="sqlalchemy",
    types=OF_ASYNCPG_IN_SQLALCHEMY,
    fits=dict.fromkeys(ASYNCPG.fits, _FITS),
    session="sqlalchemy_asyncpg",
)
SQLALCHEMY_PSYCOPG = replace(
    PSYCOPG,
    name="sqlalchemy-psycopg",
    fits=dict.fromkeys(PSYCOPG.fits, _FITS),
    session="sqlalchemy_psycopg",
)
SQLALCHEMY_SYNC = replace(
    SQLALCHEMY_PSYCOPG, name="sqlalchemy-sync", rewritten=_IN_SQLALCHEMY, synchronous=True
)
