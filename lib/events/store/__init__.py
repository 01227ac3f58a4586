"""The outbox's queries on the engine that an executor runs on."""

from __future__ import annotations

from typing import Final

from lib.db import Executor
from lib.db.engine import Engine, engine_of
from lib.events.store import mysql, postgres
from lib.events.store.mysql import outbox as on_mysql
from lib.events.store.postgres import outbox as on_postgres
from lib.events.store.postgres.outbox import AddEventsParams as Unpublished
from lib.events.store.postgres.outbox import NextEventsRow, OutboxQueriesProtocol

__all__ = ["QUERY_NAMES", "NextEventsRow", "Unpublished", "outbox"]

QUERY_NAMES: Final = {**postgres.QUERY_NAMES, **mysql.QUERY_NAMES}


def outbox(db: Executor) -> OutboxQueriesProtocol:
    """Return the queries of the outbox, to run on `db`."""
    if engine_of(db) is Engine.MYSQL:
        return on_mysql.OutboxQueries(db)
    return on_postgres.OutboxQueries(db)
