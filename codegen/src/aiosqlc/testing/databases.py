"""Copies of a template database. A used copy is reset, or replaced if it cannot be reset."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg import sql

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


class TemplateError(Exception):
    """Raised if the template cannot be copied; the message is a sentence for the user."""


class Databases:
    """Copies of one PostgreSQL database, each for one test at a time.

    `template` is the URL of a database with the schema. No session may be connected to the template
    while a copy is made. The role in the URL must be a superuser; with any other role, each test
    gets a new copy. `name` returns the name of the next copy. With `file_copy`, the server copies
    the files of the template, which is slow on a busy disk. All methods may be called from any
    thread.
    """

    def __init__(
        self, template: str, *, name: Callable[[], str] | None = None, file_copy: bool = False
    ) -> None:
        parts = urlsplit(template)
        self._template = unquote(parts.path.lstrip("/"))
        if parts.scheme not in ("postgres", "postgresql") or not self._template:
            raise TemplateError("the template is not a URL such as postgresql://host/database")
        self._parts, self._file_copy = parts, file_copy
        self._name = name or (lambda: f"{self._template[:40]}_{secrets.token_hex(6)}")
        self._copies: dict[str, _Copy] = {}
        self._free: list[str] = []
        self._new: Snapshot | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def take(self) -> str:
        """Return the URL of a database that is equal to the template.

        Raises `TemplateError` if the template cannot be copied, and `psycopg.Error`.
        """
        with self._lock:
            return self._free.pop() if self._free else self._create(self._name())

    def give_back(self, url: str) -> None:
        """End all sessions in a database that `take` returned, and undo all changes in it.

        Raises `TemplateError` if the template cannot be copied, and `psycopg.Error`.
        """
        with self._lock:
            copy = self._copies.pop(url)
            state = copy.reset(self._new) if self._new else None
            if state is None:
                copy.close()
                self._drop(copy.name)
                self._create(copy.name)
            else:
                self._copies[url] = copy
            self._free.append(url)

    def close(self) -> None:
        """Drop all copies."""
        with self._lock:
            for copy in self._copies.values():
                copy.close()
                self._drop(copy.name)
            self._copies.clear()
            self._free.clear()

    def _url(self, database: str) -> str:
        return self._parts._replace(path=f"/{database}").geturl()

    def _create(self, name: str) -> str:
        how = " STRATEGY FILE_COPY" if self._file_copy else ""
        statement = sql.SQL(f"CREATE DATABASE {{}} TEMPLATE {{}}{how}").format(
            sql.Identifier(name), sql.Identifier(self._template)
        )
        deadline = time.monotonic() + _PATIENCE
        with psycopg.connect(self._url(_ADMIN), autocommit=True) as admin:
            while True:
                try:
                    admin.execute(statement)
                    break
                except psycopg.errors.ObjectInUse as error:
                    if time.monotonic() > deadline:
                        raise TemplateError(_in_use(self._template)) from error
        url = self._url(name)
        self._copies[url] = _Copy(name, url)
        self._new = self._copies[url].opened(self._new)
        return url

    def _drop(self, name: str) -> None:
        statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        with psycopg.connect(self._url(_ADMIN), autocommit=True) as admin:
            admin.execute(statement)


class _Copy:
    """A copy of the template, with a session that resets it."""

    def __init__(self, name: str, url: str) -> None:
        self.name, self._url = name, url
        self._connection: Connection | None = None
        self._state: State | None = None

    def opened(self, new: Snapshot | None) -> Snapshot | None:
        """Connect. If `new` is None, return a snapshot of this copy, or None after an error.

        Otherwise return `new`.
        """
        try:
            self._connection = open_database(self._url)
            found = new or snapshot(self._connection)
            self._state = state_of(self._connection, found)
        except psycopg.Error:
            self.close()
            return new
        return found

    def reset(self, new: Snapshot) -> State | None:
        """Undo all writes to this copy; return its new state, or None if that is not possible."""
        if self._connection is None or self._state is None:
            return None
        try:
            self._state = reset(self._connection, new, self._state)
        except psycopg.Error:  # a test may have ended the session, or the server
            self._state = None
        return self._state

    def close(self) -> None:
        """End the session."""
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.close()
        self._connection = None


def _in_use(template: str) -> str:
    return (
        f"a session is connected to the database {template}, which is the template of the tests'"
        " databases: close the session, or connect to the URL that the fixture returns"
    )
