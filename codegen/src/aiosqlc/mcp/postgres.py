"""The pool of PostgreSQL connections that the tools use."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import asyncpg

from aiosqlc.mcp.outcome import Failure

_SIZE: Final = 4  # connections
# The privileges that a role inherits or can get by SET ROLE.
_ROLE: Final = """
select coalesce(bool_or(r.rolsuper), false), coalesce(bool_or(r.rolbypassrls), false),
  coalesce(bool_or(r.rolcreaterole or r.rolcreatedb), false),
  coalesce(bool_or(r.rolreplication), false)
from pg_roles r where pg_has_role(current_user, r.oid, 'member')
"""
_FILES: Final = """
select p.name from unnest(array['pg_read_server_files', 'pg_write_server_files',
  'pg_execute_server_program', 'pg_read_all_data', 'pg_write_all_data']) p (name)
where pg_has_role(current_user, p.name, 'member')
"""
_OWNED: Final = """
select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
join unnest($1::text[], $2::text[]) t (schema, name) on (n.nspname, c.relname) = (t.schema, t.name)
where pg_has_role(current_user, c.relowner, 'member')
order by 1
"""
_WRITABLE: Final = """
select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
join unnest($1::text[], $2::text[]) t (schema, name) on (n.nspname, c.relname) = (t.schema, t.name)
where exists (
  select from pg_roles r where pg_has_role(current_user, r.oid, 'member')
    and (has_table_privilege(r.oid, c.oid, 'insert, update, delete, truncate')
      or has_any_column_privilege(r.oid, c.oid, 'insert, update')))
order by 1
"""
# Failures by SQLSTATE; the longest matching prefix comes first.
_KNOWN: Final = {
    "57014": ("timeout", "the database stopped the query, because it exceeded the time limit"),
    "55P03": ("timeout", "the query waited too long for a lock"),
    "25006": ("refused", "a read-only tool cannot write"),
    "42501": ("refused", "the database role of the tools lacks a required privilege"),
    "22": ("invalid_argument", "a value is not valid for its use in the query"),
    "23": ("constraint_violated", "the database rejected the change"),
    "40": ("conflict", "the transaction conflicted with another transaction: try again"),
    "53": ("unavailable", "the database is out of resources"),
    "57": ("unavailable", "the database is not available"),
    "08": ("unavailable", "the database is not available"),
}
_FAILED: Final = ("query_failed", "the database reports an error")


async def opened(uri: str, seconds: int) -> PostgresPool:
    """Open a pool of connections.

    Raise `OSError` or an error of asyncpg if the connection fails.
    """
    pool = await asyncpg.create_pool(
        uri,
        min_size=1,
        max_size=_SIZE,
        timeout=seconds + 5,
        server_settings={"application_name": "aiosqlc mcp"},
    )
    return PostgresPool(pool, seconds)


class PostgresPool:
    """The connections of one database role. Every statement ends after `timeout` seconds."""

    def __init__(self, pool: Any, timeout: int) -> None:
        self._pool = pool
        self._timeout = timeout

    @asynccontextmanager
    async def transaction(self, *, writes: bool) -> AsyncIterator[Any]:
        """Lend a connection inside a transaction.

        The transaction is read-only unless the call writes.
        """
        async with (
            self._pool.acquire(timeout=self._timeout) as connection,
            connection.transaction(readonly=not writes),
        ):
            milliseconds = self._timeout * 1000
            await connection.execute(
                f"set local statement_timeout = {milliseconds};"
                f" set local lock_timeout = {milliseconds};"
                f" set local idle_in_transaction_session_timeout = {milliseconds * 2}"
            )
            yield connection

    def failure_of(self, error: Exception) -> Failure | None:
        """Return a failure for an error of the driver or server, or None for other exceptions."""
        if isinstance(error, asyncpg.PostgresError):
            state = error.sqlstate or ""
            known = next(
                (_KNOWN[state[:size]] for size in (5, 2) if state[:size] in _KNOWN), _FAILED
            )
            return Failure(*known, state, getattr(error, "constraint_name", None) or "")
        if isinstance(error, asyncpg.DataError):
            return Failure("invalid_argument", "a value is out of the range of its type")
        if isinstance(error, asyncpg.InterfaceError | OSError):
            return Failure(*_KNOWN["08"])
        return None

    async def excess(
        self, tables: tuple[tuple[str, str], ...], written: frozenset[str], /
    ) -> list[str]:
        """Return the privileges of the database role beyond those that the tools need.

        The tools write only to the tables in `written`.
        """
        schemas, names = [schema for schema, _ in tables], [name for _, name in tables]
        async with self._pool.acquire() as connection:
            flags = await connection.fetchrow(_ROLE)
            said = (
                "is a superuser",
                "bypasses row security",
                "can create roles or databases",
                "replicates",
            )
            found = [text for text, holds in zip(said, flags, strict=True) if holds]
            if flags[0]:
                return found[:1]
            found += [f"is a member of {row[0]}" for row in await connection.fetch(_FILES)]
            found += [f"owns {row[0]}" for row in await connection.fetch(_OWNED, schemas, names)]
            writable = await connection.fetch(_WRITABLE, schemas, names)
            found += [f"may write to {row[0]}" for row in writable if row[0] not in written]
        return found

    async def close(self) -> None:
        """Close the connections."""
        await self._pool.close()
