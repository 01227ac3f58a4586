"""Applies the schema statement by statement: every error has a place in a file."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.postgres.failures import Failure, failure_of, settle
from aiosqlc.postgres.server.connection import Connection, ServerError
from aiosqlc.postgres.standin import extension_of, is_available, make_stand_in, stand_in_for
from aiosqlc.source import Span
from aiosqlc.stages import SchemaFile

_NEEDS_NO_TRANSACTION = frozenset(
    {"25001", "55P04"}
)  # active_sql_transaction, unsafe new enum value
_MISSING_EXTENSION = re.compile(r'extension "([^"]+)" is not available')
_MISSING_ROLE = re.compile(r'role "([^"]+)" does not exist')
_NEW_ROLE = re.compile(r"create\s+(?:role|user|group)\b", re.IGNORECASE)
_NEW_INDEX = re.compile(r"create\s+index\b", re.IGNORECASE)
_CLASS = re.compile(r"\b(\w+_ops)\b")
_UNIQUE = re.compile(r"^\s*create\s+unique\b", re.IGNORECASE)
_QUOTED = re.compile(r'"([^"]+)"')
_CODES = {"42601": "E200", "42P01": "E202", "0A000": "E203", "42P07": "E204", "42710": "E204"}
_MOST_ROLES = 100
_SAVEPOINT = "aiosqlc_statement"


def schema_digest(schema: Sequence[SchemaFile], shims: Sequence[SchemaFile]) -> str:
    """Return a hash of everything that makes the database what it is."""
    digest = hashlib.sha256(makers_digest().encode())
    for file in (*shims, *schema):
        digest.update(f"{len(file.sql)} {file.transactional} {file.file.path.stem}\0".encode())
        digest.update(file.sql.encode())
    return digest.hexdigest()


@cache
def makers_digest() -> str:
    """Return a hash of what applies a schema: this package's code and SQL, stand-ins included."""
    digest = hashlib.sha256()
    package = Path(__file__).parent
    for path in (*sorted(package.glob("*.py")), *sorted(package.glob("extensions/*.sql"))):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def apply_schema(
    connection: Connection,
    schema: Sequence[SchemaFile],
    shims: Sequence[SchemaFile],
    *,
    own_server: bool,
) -> tuple[Failure, ...]:
    """Run all files in order; a statement that fails is left out and said, the rest goes on.

    On our own server, roles that a schema merely mentions are made: they matter to nothing here.
    A shim is a file named after the extension it stands in for.
    """
    apply = _Applying(connection, {file.file.path.stem for file in shims}, own_server=own_server)
    failures: list[Failure] = []
    for file in (*shims, *schema):
        failures += apply.file(file)
        connection.run("reset all")
    return settle(connection, failures) if failures else ()


class _Applying:
    """Runs schema files on one connection; `provided` are the extensions stood in for so far."""

    def __init__(self, connection: Connection, provided: set[str], *, own_server: bool) -> None:
        self._connection = connection
        self._provided = provided
        self._own_server = own_server

    def file(self, file: SchemaFile) -> list[Failure]:
        """Run a file as its tool would; where that fails, run what can be run of it."""
        before = set(self._provided)
        if file.transactional and self._runs_whole(file):
            return []
        self._provided = before
        return self._each(file, in_transaction=file.transactional)

    def _runs_whole(self, file: SchemaFile) -> bool:
        """Run a file in one transaction; undo all of it where anything fails."""
        run = self._connection.run
        run("begin")
        for span in file.statements:
            if self._statement(file.sql[span.start : span.end]) is not None:
                run("rollback")
                return False
        return run("commit") is None

    def _each(self, file: SchemaFile, *, in_transaction: bool) -> list[Failure]:
        """Run every statement by itself, in its savepoint."""
        failures: list[Failure] = []
        for span in file.statements:
            sql = file.sql[span.start : span.end]
            error = self._attempt(sql, in_transaction=in_transaction)
            if error is not None:
                failures.append(failure_of(sql, error, _diagnostic(file, span, error)))
        if self._connection.in_transaction:
            error = self._connection.run("commit")
            if error is not None:  # a deferred constraint: statement by statement, it shows where
                return self._each(file, in_transaction=False)
        return failures

    def _attempt(self, sql: str, *, in_transaction: bool) -> ServerError | None:
        run = self._connection.run
        for _ in range(_MOST_ROLES):
            if in_transaction and not self._connection.in_transaction:
                run("begin")
            if self._connection.in_transaction:
                run(f"savepoint {_SAVEPOINT}")
            error = self._statement(sql)
            if error is None:
                if self._connection.in_transaction:
                    run(f"release {_SAVEPOINT}")
                return None
            if self._connection.in_transaction:
                run(f"rollback to {_SAVEPOINT}")
            if error.state == "42710" and _NEW_ROLE.match(sql.lstrip()):
                return None
            role = _MISSING_ROLE.search(error.message)
            if role and self._own_server:
                run(f'create role "{role.group(1)}"')
            elif error.state in _NEEDS_NO_TRANSACTION and self._connection.in_transaction:
                run("commit")
                in_transaction = False
            else:
                return error
        return error

    def _statement(self, sql: str) -> ServerError | None:
        """Run one statement, or what stands in for it."""
        connection = self._connection
        wanted = extension_of(sql)
        if wanted in self._provided:
            return None
        if wanted and self._own_server and not is_available(connection, wanted):
            error = make_stand_in(connection, sql, stand_in_for(wanted) or sql)
            if error is None:
                self._provided.add(wanted)
        elif self._provided and _NEW_INDEX.match(sql.lstrip()) and _lacks_class(connection, sql):
            return None
        else:
            error = connection.run(sql)
        return error


def _lacks_class(connection: Connection, sql: str) -> bool:
    """Whether an index asks for an operator class that a stand-in does not have.

    Such an index only makes queries fast; nothing here runs on its data.
    """
    named = set(_CLASS.findall(sql))
    return any(
        not connection.rows("select 1 from pg_opclass where opcname = $1", (name,))
        for name in named
    ) and not _UNIQUE.search(sql)


def _diagnostic(file: SchemaFile, span: Span, error: ServerError) -> Diagnostic:
    sql = file.sql[span.start : span.end]
    if error.position:
        start = span.start + error.position - 1
        word = re.match(r'"[^"]*"|\w+|\S', file.sql[start:])
        place = Span(start, start + (len(word.group()) if word else 1))
    else:
        place = _mentioned(sql, span, error)
    hint = error.hint
    missing = _MISSING_EXTENSION.search(error.message)
    if missing:
        name = missing.group(1)
        hint = (
            f"set `database.uri` to a server that has {name}, or declare the types and functions"
            f" you use in a shim file named {name}.sql"
        )
    elif error.state == "0A000" and not hint:
        hint = "set `database.uri` to a server that supports this"
    notes = tuple(text for text in (error.detail, error.context) if text)
    code = _CODES.get(error.state, "E201")
    return Diagnostic(code, error.message, (Label(file.file, place),), hint, notes=notes)


def _mentioned(sql: str, span: Span, error: ServerError) -> Span:
    """Point at the name the message quotes, else at the statement's first line."""
    for name in _QUOTED.findall(error.message):
        at = sql.find(name)
        if at >= 0:
            return Span(span.start + at, span.start + at + len(name))
    lead = len(sql) - len(sql.lstrip())
    first = sql[lead:].split("\n", 1)[0]
    return Span(span.start + lead, span.start + lead + len(first))
