"""Create one database per schema, which later runs find by its name, a hash of the schema."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Iterator

from msgspec import Struct

from aiosqlc.servers.postgres.connection import Connection, ConnectionFailedError, ServerError
from aiosqlc.servers.postgres.embedded import Server

_IN_USE, _DUPLICATE = "55006", "42P04"
_PATIENCE = 5  # times five seconds
_KEPT = 12  # most databases of one server; each takes about 8 MB
_PREFIX = "aiosqlc_"
_ABANDONED = 3600.0  # seconds; the creator of such an old draft was killed
# The compiler's databases by name and comment: a user's database may be aiosqlc_production.
_OURS = """
select datname, substring(shobj_description(oid, 'pg_database') from '[0-9.]+$')
from pg_database
where datname ~ '^aiosqlc_[0-9a-f]{32}$'
  and shobj_description(oid, 'pg_database') ~ '^(aiosqlc )?[0-9]+([.][0-9]+)?$'
"""
_DRAFTS = """
select datname, substring(shobj_description(oid, 'pg_database') from '[0-9.]+$')
from pg_database
where datname ~ '^aiosqlc_draft_[0-9a-f]{16}$'
  and shobj_description(oid, 'pg_database') ~ '^(aiosqlc )?[0-9]+([.][0-9]+)?$'
"""


class DatabaseRefusedError(Exception):
    """Raised if the server does not allow the compiler to create a database."""

    def __init__(self, error: ServerError) -> None:
        super().__init__(error.message)
        self.error = error


def database_name(digest: str) -> str:
    """Return the name of the database for a schema's digest."""
    return f"{_PREFIX}{digest[:32]}"


def new_draft(admin: Connection, template: str = "template0", *, own_server: bool = False) -> str:
    """Create a database as a copy of `template`, under a new name. The caller must drop it.

    The name is unique, because compilers on several machines may use one server. Raises
    `DatabaseRefusedError` if the server does not create the database.
    """
    draft = f"{_PREFIX}draft_{secrets.token_hex(8)}"
    # Faster, but with two checkpoints, which would slow down a user's server.
    strategy = " strategy file_copy" if own_server else ""
    error = _when_free(admin, f'create database "{draft}" template "{template}"{strategy}')
    if error is not None:
        raise DatabaseRefusedError(error)
    _note_use(admin, draft)
    return draft


def connect_existing(server: Server, name: str) -> Connection | None:
    """Connect to the database of a schema, and record the use; return None if it does not exist."""
    try:
        connection = Connection(server.conninfo(name))
    except ConnectionFailedError:
        return None
    _note_use(connection, name)
    return connection


@contextlib.contextmanager
def new_database(server: Server) -> Iterator[Draft]:
    """Yield a new empty database, which is dropped at the end of the block unless it was renamed.

    If the block ends early for any reason, the database is dropped. Raises `DatabaseRefusedError`
    if the server does not create the database.
    """
    with Connection(server.admin) as admin:
        draft = Draft(server, new_draft(admin, own_server=server.embedded))
    try:
        yield draft
    finally:
        if not draft.kept:
            # A stopped server has dropped its drafts, or drops them when they are old.
            with contextlib.suppress(ConnectionFailedError), Connection(server.admin) as admin:
                admin.run(f'drop database if exists "{draft.name}" with (force)')


class Draft(Struct):
    """A database under construction, with a name that no other process knows."""

    server: Server
    name: str
    kept: bool = False

    @property
    def conninfo(self) -> str:
        """Return the connection string of the unfinished database."""
        return self.server.conninfo(self.name)

    def keep(self, name: str) -> None:
        """Rename the finished database to its final name, under which other processes find it.

        Raises `DatabaseRefusedError` if the server does not rename the database.
        """
        with Connection(self.server.admin) as admin:
            error = _when_free(admin, f'alter database "{self.name}" rename to "{name}"')
            if error is not None and error.state != _DUPLICATE:
                raise DatabaseRefusedError(error)
            if error is not None:  # another compiler created an equal database first
                admin.run(f'drop database "{self.name}" with (force)')
            self.kept = True
            _note_use(admin, name)
            _drop_unused(admin)


def _when_free(admin: Connection, sql: str) -> ServerError | None:
    """Repeat a statement until no client is connected to the database; return the last error.

    After a connection is closed, the server may still count it for a short time, on a busy machine
    even longer than the five seconds for which the server waits.
    """
    error = admin.run(sql)
    for _ in range(_PATIENCE):
        if error is None or error.state != _IN_USE:
            break
        error = admin.run(sql)
    return error


def _note_use(connection: Connection, name: str) -> None:
    # In microseconds, because several may be created per second, and the newest must remain.
    connection.run(f"comment on database \"{name}\" is 'aiosqlc {time.time():.6f}'")


def _drop_unused(admin: Connection) -> None:
    """Drop the least recently used databases."""
    uses = sorted(admin.rows(_OURS), key=lambda row: float(str(row[1])), reverse=True)
    for name, _ in uses[_KEPT:]:
        admin.run(f'drop database if exists "{name}"')
    for name, since in admin.rows(_DRAFTS):
        if time.time() - float(str(since)) > _ABANDONED:
            admin.run(f'drop database if exists "{name}"')
