"""The queries on the engine that an executor runs on: generated for each, the same to callers."""

from __future__ import annotations

from typing import Final

from lib.db import Executor
from lib.db.engine import Engine, engine_of
from services.department.store import mysql, postgres
from services.department.store.postgres.departments import DepartmentsQueriesProtocol
from services.department.store.postgres.writes import WritesQueriesProtocol

QUERY_NAMES: Final = {**postgres.QUERY_NAMES, **mysql.QUERY_NAMES}
READS: Final = postgres.READS | mysql.READS


def departments(db: Executor) -> DepartmentsQueriesProtocol:
    """Return the queries of departments, to run on `db`."""
    if engine_of(db) is Engine.MYSQL:
        return mysql.departments.DepartmentsQueries(db)
    return postgres.departments.DepartmentsQueries(db)


def writes(db: Executor) -> WritesQueriesProtocol:
    """Return the queries that write departments, to run on `db`."""
    if engine_of(db) is Engine.MYSQL:
        return mysql.writes.WritesQueries(db)
    return postgres.writes.WritesQueries(db)
