"""The context of a statement: a role, an open transaction, and concurrent writers."""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Callable, Iterator

from aiosqlc.servers.postgres.connection import Connection, ConnectionFailedError

from tests.fuzz.schemas import VALUES, Relation, Schema, random_rows

ROLE = "hunter"
_MOST = 3_000  # transactions of a writer, should nobody stop it


def make_role() -> str:
    """Return the statements that create the role for row security, if it is missing."""
    return (
        f"do $$ begin create role {ROLE}; exception when duplicate_object or unique_violation"
        " then null; end $$"
    )


def saved(connection: Connection) -> Callable[[str], object]:
    """Return a function that runs statements, and restores the transaction if one fails."""

    def run(statement: str) -> object:
        connection.run("savepoint each")
        problem = connection.run(statement)
        connection.run("rollback to each" if problem else "release each")
        return problem

    return run


@contextlib.contextmanager
def writing(conninfo: str, schema: Schema, seed: int) -> Iterator[None]:
    """Let another session write to the tables while the block runs.

    It runs transactions of a few statements; others wait for its locks and then read again.
    """
    stop = threading.Event()
    writer = threading.Thread(target=_write, args=(conninfo, schema, seed, stop))
    writer.start()
    try:
        yield
    finally:
        stop.set()
        writer.join()


def _write(conninfo: str, schema: Schema, seed: int, stop: threading.Event) -> None:
    r = random.Random(seed)
    tables = [t for t in schema.relations if t.filled and t.writable]
    with contextlib.suppress(ConnectionFailedError), Connection(conninfo) as connection:
        connection.run("set deadlock_timeout = '20ms'")
        connection.run("set lock_timeout = '200ms'")
        for _ in range(_MOST):
            if stop.is_set():
                break
            connection.run("begin")
            for _ in range(r.randrange(1, 5)):
                connection.run(_one(r, r.choice(tables)))
            connection.run(r.choice(["commit", "commit", "commit", "rollback"]))


def _one(r: random.Random, table: Relation) -> str:
    column = r.choice(list(table.columns))
    value = r.choice([*VALUES[table.columns[column]], "null"])
    key = r.choice(VALUES[table.columns["id"]])
    return r.choice(
        [
            *random_rows(r, table, 1),
            f"update {table.name} set {column} = {value}",
            f"update {table.name} set {column} = {value} where id = {key}",
            f"delete from {table.name} where id = {key}",
        ]
    )
