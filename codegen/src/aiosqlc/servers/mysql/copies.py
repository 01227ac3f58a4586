"""Copy a template database by its definitions and rows, and reset the copies.

The server creates no database from another one. Each object is created from its definition, and
the rows are copied inside the server.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from urllib.parse import unquote, urlsplit

import pymysql
from pymysql.connections import Connection
from pymysql.constants import CLIENT

from aiosqlc.servers.copies import TemplateError
from aiosqlc.servers.mysql.definitions import Definition, State, named, results, state_of
from aiosqlc.servers.mysql.reset import (
    SESSION,
    Snapshot,
    alone,
    inserting,
    numbering,
    reset,
    restarting,
    snapshot,
)
from aiosqlc.servers.mysql.session import login_of
from aiosqlc.servers.private import NoServerError

_LOCKS = (
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
    "SET lock_wait_timeout = 2, innodb_lock_wait_timeout = 1",
)
# Not on every server, or not for every account.
_OPTIONAL = (
    "SET check_constraint_checks = 0",
    "SET information_schema_stats_expiry = 0",
    "SET sql_log_bin = 0",
)
_SECONDS = 60  # longest time for one answer of the server


class Copies:
    """See `aiosqlc.servers.copies.Copies`. The template is read once, at the first copy."""

    def __init__(self, template: str) -> None:
        self._url = template
        self.template = unquote(urlsplit(template).path.lstrip("/"))
        self._new: Snapshot | None = None

    def create(self, name: str) -> Copy:
        """Create a database with the definitions and rows of the template."""
        with _open(self._url, self.template) as connection:
            new = self._new = self._new or snapshot(connection, self.template)
            (database,) = new.state.of("DATABASE")
            results(connection, [_moved(database.sql, self.template, name, dot="")])
        connection = _open(self._url, name)
        try:
            _create(connection, name, new)
            found, numbers = state_of(connection, name), new.state.numbers
            wrong = {table for table, number in numbers.items() if found.numbers[table] != number}
            results(connection, numbering(new.state, wrong))
            state = State(found.definitions, numbers)
        except BaseException:
            _drop(connection, name)
            raise
        url = urlsplit(self._url)._replace(path=f"/{name}").geturl()
        return Copy(name, url, connection, new, state)


class Copy:
    """See `aiosqlc.servers.copies.Copy`. A session resets the database."""

    def __init__(
        self, name: str, url: str, connection: Connection[Any], new: Snapshot, state: State
    ) -> None:
        self.name, self.url = name, url
        self._connection, self._new, self._state = connection, new, state

    def reset(self) -> bool:
        """Undo all writes to this copy; return False if that is not possible."""
        try:
            return reset(self._connection, self._new, self._state, self.name)
        except pymysql.MySQLError:  # a lock remains, or a test has ended the session or the server
            return False

    def drop(self) -> bool:
        """Drop the database; return False if a session or a prepared transaction still uses it."""
        with suppress(pymysql.MySQLError):
            self._connection.close()
        return _drop(_open(self.url, ""), self.name)


def _open(url: str, database: str) -> Connection[Any]:
    try:
        login = login_of(url)
    except NoServerError as error:
        raise TemplateError(str(error)) from error
    connection: Connection[Any] = pymysql.connect(
        **login,
        database=database or None,
        charset="utf8mb4",
        autocommit=True,
        connect_timeout=10,
        read_timeout=_SECONDS,
        client_flag=CLIENT.MULTI_STATEMENTS,
    )
    results(connection, (*SESSION, *_LOCKS))
    for statement in _OPTIONAL:
        with suppress(pymysql.MySQLError):
            results(connection, [statement])
    return connection


def _create(connection: Connection[Any], name: str, new: Snapshot) -> None:
    """Create all objects in an empty database. Views and triggers follow the rows."""
    state, template = new.state, new.template

    def make(one: Definition) -> None:
        for statement in one.statements:
            results(connection, [_moved(statement, template, name)])

    for one in state.of("FUNCTION", "PROCEDURE", "PACKAGE", "PACKAGE BODY", "SEQUENCE", "TABLE"):
        make(one)
    results(connection, SESSION)
    results(connection, [*restarting(new), *inserting(new, new.tables)])
    views = state.of("VIEW")
    while views:  # a view may use a later view
        left, refused = [], None
        for one in views:
            try:
                make(one)
            except pymysql.MySQLError as error:
                left.append(one)
                refused = error
        if refused is not None and len(left) == len(views):
            raise TemplateError(
                f"the view {left[0].name} cannot be copied: {refused.args[-1]}"
            ) from refused
        views = left
    for one in state.of("TRIGGER", "EVENT"):
        make(one)
    results(connection, SESSION)


def _moved(sql: str, template: str, name: str, *, dot: str = ".") -> str:
    """Replace the template's name in names such as `template`.`table`."""
    return sql.replace(named(template) + dot, named(name) + dot)


def _drop(connection: Connection[Any], name: str) -> bool:
    try:
        ended = alone(connection, name)
        results(connection, [f"DROP DATABASE IF EXISTS {named(name)}"])
    except pymysql.MySQLError:
        return False
    finally:
        with suppress(pymysql.MySQLError):
            connection.close()
    return ended
