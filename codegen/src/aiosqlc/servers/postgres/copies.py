"""Copy a template with CREATE DATABASE … TEMPLATE, and reset the copies."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Self
from urllib.parse import SplitResult, unquote, urlsplit

import psycopg
from psycopg import sql

from aiosqlc.servers.copies import TemplateError
from aiosqlc.servers.postgres.reset import (
    Connection,
    Snapshot,
    State,
    open_database,
    reset,
    snapshot,
    state_of,
)

_PATIENCE = 30.0  # seconds until the template must have no session
_ADMIN = "postgres"  # the database from which others are created


class Copies:
    """See `aiosqlc.servers.copies.Copies`. With `file_copy`, the server copies files."""

    def __init__(self, template: str, *, file_copy: bool) -> None:
        self._parts = urlsplit(template)
        self.template = unquote(self._parts.path.lstrip("/"))
        self._file_copy = file_copy
        self._new: Snapshot | None = None

    def create(self, name: str) -> Copy:
        """Create a copy. Wait until no session is connected to the template."""
        how = " STRATEGY FILE_COPY" if self._file_copy else ""
        statement = sql.SQL(f"CREATE DATABASE {{}} TEMPLATE {{}}{how}").format(
            sql.Identifier(name), sql.Identifier(self.template)
        )
        deadline = time.monotonic() + _PATIENCE
        with psycopg.connect(_url(self._parts, _ADMIN), autocommit=True) as admin:
            while True:
                try:
                    admin.execute(statement)
                    break
                except psycopg.errors.ObjectInUse as error:
                    if time.monotonic() > deadline:
                        raise TemplateError(_in_use(self.template)) from error
        copy = Copy(name, self._parts).opened(self._new)
        self._new = copy.new
        return copy


class Copy:
    """See `aiosqlc.servers.copies.Copy`. A session resets the database.

    `new` is a snapshot of a copy that is not used yet, or None if the role cannot reset copies.
    """

    def __init__(self, name: str, parts: SplitResult) -> None:
        self.name, self._parts = name, parts
        self.url = _url(parts, name)
        self.new: Snapshot | None = None
        self._connection: Connection | None = None
        self._state: State | None = None

    def opened(self, new: Snapshot | None) -> Self:
        """Connect. If `new` is None, make a snapshot of this copy."""
        self.new = new
        try:
            self._connection = open_database(self.url)
            found = new or snapshot(self._connection)
            self._state = state_of(self._connection, found)
            self.new = found
        except psycopg.Error:
            self._close()
        return self

    def reset(self) -> bool:
        """Undo all writes to this copy; return False if that is not possible."""
        if self._connection is None or self._state is None or self.new is None:
            return False
        try:
            self._state = reset(self._connection, self.new, self._state)
        except psycopg.Error:  # a test may have ended the session, or the server
            self._state = None
        return self._state is not None

    def drop(self) -> bool:
        """End all sessions and drop the database."""
        self._close()
        statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        with psycopg.connect(_url(self._parts, _ADMIN), autocommit=True) as admin:
            admin.execute(statement.format(sql.Identifier(self.name)))
        return True

    def _close(self) -> None:
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.close()
        self._connection = None


def _url(parts: SplitResult, database: str) -> str:
    return parts._replace(path=f"/{database}").geturl()


def _in_use(template: str) -> str:
    return (
        f"a session is connected to the database {template}, which is the template of the tests'"
        " databases: close the session, or connect to the URL that the fixture returns"
    )
