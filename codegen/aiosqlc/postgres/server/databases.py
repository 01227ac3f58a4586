"""Databases per schema: one per content hash, kept while it is used, made whole or not at all."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from aiosqlc.postgres.server.connection import Connection, ConnectionFailedError
from aiosqlc.postgres.server.embedded import Server

_KEPT = 12  # databases of one slot; each takes about 8 MB
_PREFIX = "aiosqlc_"


def database_name(digest: str) -> str:
    """Return the name of the database for a schema's digest."""
    return f"{_PREFIX}{digest[:32]}"


def connect_existing(server: Server, name: str) -> Connection | None:
    """Connect to a schema's database if it was made before."""
    try:
        connection = Connection(server.conninfo(name))
    except ConnectionFailedError:
        return None
    _touch(server, name)
    return connection


@contextlib.contextmanager
def new_database(server: Server, name: str) -> Iterator[tuple[Connection, Connection]]:
    """Yield an administrator's and the empty new database's connection; name it on success.

    Whatever ends the block early leaves no database behind.
    """
    draft = f"{_PREFIX}draft_{os.getpid()}"
    with Connection(server.conninfo("postgres")) as admin:
        admin.run(f'drop database if exists "{draft}" with (force)')
        error = admin.run(f'create database "{draft}" template template0')
        if error is not None:
            raise ConnectionFailedError(error.message)
        finished = False
        try:
            with Connection(server.conninfo(draft)) as connection:
                yield admin, connection
            finished = True
        finally:
            if not finished:
                admin.run(f'drop database if exists "{draft}" with (force)')
        error = admin.run(f'alter database "{draft}" rename to "{name}"')
        if error is not None:  # another compiler was faster: its database is as good as ours
            admin.run(f'drop database "{draft}" with (force)')
        _touch(server, name)
        _evict(server, admin)


def _touch(server: Server, name: str) -> None:
    if server.home is not None:
        folder = server.home / "used"
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(str(time.time()))


def _evict(server: Server, admin: Connection) -> None:
    """Drop the databases that were not used for the longest time."""
    if server.home is None:
        return

    def last_use(path: Path) -> float:
        return path.stat().st_mtime

    marks = sorted((server.home / "used").iterdir(), key=last_use, reverse=True)
    for mark in marks[_KEPT:]:
        if admin.run(f'drop database if exists "{mark.name}"') is None:
            mark.unlink(missing_ok=True)
