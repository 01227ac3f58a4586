"""Applies the schema statement by statement: every error has a place in a file."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from aiosqlc.diagnostics import Diagnostic, Label
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


def schema_digest(schema: Sequence[SchemaFile], shims: Sequence[SchemaFile]) -> str:
    """Return a hash of everything that makes the database what it is."""
    digest = hashlib.sha256(b"6")  # bump to rebuild every kept database
    for file in (*shims, *schema):
        digest.update(f"{len(file.sql)} {file.transactional} {file.file.path.stem}\0".encode())
        digest.update(file.sql.encode())
    return digest.hexdigest()


def apply_schema(
    connection: Connection,
    schema: Sequence[SchemaFile],
    shims: Sequence[SchemaFile],
    *,
    own_server: bool,
) -> tuple[Diagnostic, ...]:
    """Run all files in order; stop at the first file with an error and say where it is.

    On our own server, roles that a schema merely mentions are made: they matter to nothing here.
    A shim is a file named after the extension it stands in for.
    """
    provided = {file.file.path.stem for file in shims}
    for file in (*shims, *schema):
        problem = _apply_file(connection, file, provided, own_server=own_server)
        connection.run("reset all")
        if problem is not None:
            return (problem,)
    return ()


def _apply_file(
    connection: Connection, file: SchemaFile, provided: set[str], *, own_server: bool
) -> Diagnostic | None:
    transactional = file.transactional
    for _ in range(_MOST_ROLES):
        known = set(provided)
        failure = _run_file(
            connection, file, known, transactional=transactional, own_server=own_server
        )
        if failure is None:
            provided |= known
            return None
        span, error = failure
        if transactional:
            connection.run("rollback")
        if transactional and error.state in _NEEDS_NO_TRANSACTION:
            transactional = False
            continue
        role = _MISSING_ROLE.search(error.message)
        if role and own_server and transactional:
            connection.run(f'create role "{role.group(1)}"')
            continue
        return _diagnostic(file, span, error)
    return None


def _run_file(
    connection: Connection,
    file: SchemaFile,
    provided: set[str],
    *,
    transactional: bool,
    own_server: bool,
) -> tuple[Span, ServerError] | None:
    if transactional:
        connection.run("begin")
    for span in file.statements:
        sql = file.sql[span.start : span.end]
        wanted = extension_of(sql)
        if wanted in provided:
            continue
        if wanted and own_server and not is_available(connection, wanted):
            error = make_stand_in(connection, sql, stand_in_for(wanted) or sql)
            provided.add(wanted)
        elif provided and _NEW_INDEX.match(sql.lstrip()) and _lacks_class(connection, sql):
            continue
        else:
            error = connection.run(sql)
        if error is not None and not (error.state == "42710" and _NEW_ROLE.match(sql.lstrip())):
            return span, error
    if transactional:
        error = connection.run("commit")
        if error is not None:
            return file.statements[-1] if file.statements else Span(0, 0), error
    return None


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
