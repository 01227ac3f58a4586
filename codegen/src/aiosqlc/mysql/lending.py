"""Lend a database with the schema to another program."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from msgspec import Struct

from aiosqlc.diagnostics import Diagnostic
from aiosqlc.ir import SchemaFile
from aiosqlc.mysql.schema import applied_to
from aiosqlc.servers.mysql.private import find_binaries, lent_server
from aiosqlc.servers.mysql.session import open_session
from aiosqlc.servers.private import NoServerError


class Lent(Struct, frozen=True):
    """A temporary database that another program can connect to."""

    url: str
    problems: tuple[Diagnostic, ...]
    complete: bool


@contextmanager
def lent(schema: Sequence[SchemaFile], kin: str) -> Iterator[Lent]:
    """Create a database on a new private server, which stops at the end of the block.

    `kin` selects the server, `mysql` or `mariadb`. Raises `NoServerError` if none can be started.
    """
    binaries = find_binaries(kin)
    if binaries is None:
        raise NoServerError("neither mariadbd nor mysqld is installed")
    with lent_server(binaries) as server:
        name = f"aiosqlc_{secrets.token_hex(8)}"
        session = open_session(server, None)
        try:
            session.run(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
            session.connection.select_db(name)
            lenient = kin != "mariadb" and session.is_mariadb
            problems = applied_to(session, name, schema, lenient=lenient)
        finally:
            session.connection.close()
        yield Lent(f"{server}/{name}", tuple(problems), not problems)
