"""Apply the schema statement by statement, so that every error has a position in a file."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from aiosqlc.analysis.advice import Place, place_in
from aiosqlc.diagnostics import Diagnostic, Label, Severity
from aiosqlc.ir import SchemaFile
from aiosqlc.messages.suggest import nearest
from aiosqlc.postgres.failures import Failure, failure_of, settle
from aiosqlc.postgres.foreign_tables import schema_advice
from aiosqlc.postgres.lenient import (
    CONSTRAINT_SKIPPED,
    COUNTED_KEYS,
    creates,
    instead_of,
    is_foreign_type,
    lasting,
    new_role,
    without_effect,
    without_reference,
)
from aiosqlc.postgres.schema_impact import extended_by
from aiosqlc.postgres.standin import (
    NEEDS,
    extension_name,
    extension_of,
    extension_wanted,
    is_available,
    made_in_block,
    make_stand_in,
    schema_wanted,
    stand_in_for,
    without,
)
from aiosqlc.schema.history import with_order
from aiosqlc.servers.postgres.connection import Connection, ServerError
from aiosqlc.source import Dialect, SourceFile, Span
from aiosqlc.store.memo import memo_by

_NEEDS_NO_TRANSACTION = frozenset(
    {"25001", "55P04"}
)  # active_sql_transaction, unsafe new enum value
_MISSING_EXTENSION = re.compile(r'extension "([^"]+)" is not available')
_MISSING_ROLE = re.compile(r'role "([^"]+)" does not exist')
_ROLE_THERE = re.compile(r'role "([^"]+)" already exists')
_MISSING_SCHEMA = re.compile(r'^schema "(.+)" does not exist')
_MISSING_TYPE = re.compile(r'^type "(\w+)" does not exist')
_QUOTED = re.compile(r'"([^"]+)"')
_TEMPLATE = re.compile(r"\{\{.*?\}\}|\$\{\w+\}|<%.*?%>", re.DOTALL)
_CODES = {"42601": "E200", "42P01": "E202", "0A000": "E203", "42P07": "E204", "42710": "E204"}
# Errors for a name without a schema if the search path is empty.
_NOT_FOUND = frozenset({"3F000", "42P01", "42704", "42883"})
_MOST_TRIES = 100
_SAVEPOINT = "aiosqlc_statement"
_TYPE_NAMES = frozenset(
    {"smallint", "integer", "bigint", "numeric", "decimal", "real", "text", "varchar", "boolean"}
    | {"timestamp", "timestamptz", "date", "time", "interval", "uuid", "json", "jsonb", "bytea"}
    | {"serial", "bigserial", "inet", "cidr"}
)


def _digested(*files: Sequence[SchemaFile]) -> tuple[tuple[str, bool, str], ...]:
    return tuple([(f.file.path.stem, f.transactional, f.sql) for some in files for f in some])


# While watching, the schema rarely changes.
@memo_by(lambda schema, shims: _digested(shims, schema))
def schema_digest(schema: Sequence[SchemaFile], shims: Sequence[SchemaFile]) -> str:
    """Return a hash of all inputs that determine the database's content."""
    digest = hashlib.sha256(makers_digest().encode())
    for stem, transactional, sql in _digested(shims, schema):
        digest.update(f"{len(sql)} {transactional} {stem}\0".encode())
        digest.update(sql.encode())
    return digest.hexdigest()


@cache
def makers_digest() -> str:
    """Return a hash of the code that applies a schema, and of the SQL of stub extensions."""
    digest = hashlib.sha256()
    package = Path(__file__).parent
    for path in (*sorted(package.glob("*.py")), *sorted(package.glob("extensions/*.sql"))):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


class Applied(Struct, frozen=True):
    """The result of applying a schema: failed statements, and messages about skipped statements."""

    failures: tuple[Failure, ...] = ()
    notes: tuple[Diagnostic, ...] = ()

    @property
    def failed(self) -> int:
        """Return the number of failed statements."""
        return sum(1 + failure.followers for failure in self.failures)


def apply_schema(
    connection: Connection,
    schema: Sequence[SchemaFile],
    shims: Sequence[SchemaFile],
    *,
    own_server: bool,
) -> Applied:
    """Run all files in order; skip and report each statement that fails.

    With `own_server`, the roles that the schema mentions are created. A shim is a SQL file that
    replaces the extension of the same name.
    """
    apply = _Applying(connection, {file.file.path.stem for file in shims}, own_server=own_server)
    failures: list[Failure] = []
    for file in (*shims, *schema):
        failures += apply.file(file)
        connection.run("reset all")
    if any(is_foreign_type(item) for item in apply.notes):
        connection.run(COUNTED_KEYS)
    if failures:
        failures = [_with_past(failure, (*shims, *schema)) for failure in failures]
    settled = settle(connection, failures) if failures else ()
    return Applied(settled, tuple(dict.fromkeys(apply.notes)))


_ABSENT = re.compile(r'^(?:relation|type) "(?:[^".]+\.)?([^".]+)" does not exist')
_NO_COLUMN = re.compile(
    r'^column "?(?:[^".]+\.)?([^".]+?)"? (?:of relation "[^"]+" )?does not exist'
)


def _with_past(failure: Failure, files: Sequence[SchemaFile]) -> Failure:
    """Extend the error for a missing object: name the file that dropped or later creates it."""
    message = failure.problem.message
    absent, column = _ABSENT.search(message), _NO_COLUMN.search(message)
    if absent is None and column is None:
        return failure
    problem = with_order(
        failure.problem,
        files,
        Dialect.POSTGRESQL,
        relation=absent[1] if absent else "",
        column=column[1] if column else "",
        words=failure.names,
    )
    return replace(failure, problem=problem)


_SETS = re.compile(r"(?:\s|--[^\n]*\n|/\*.*?\*/)*set\b|.*\bset_config\b", re.IGNORECASE | re.DOTALL)


def _fails(run: Callable[[str], ServerError | None], waiting: list[str]) -> bool:
    """Run the pending statements together, and return whether one of them fails."""
    script = "\n;\n".join(text for text in waiting if text)  # a comment may end a statement
    waiting.clear()
    return bool(script) and run(script) is not None


class _Applying:
    """Runs the schema files on one connection.

    `provided` are the extensions that stubs and shims have replaced so far. `assumed` are the
    schemas that the compiler has created because no statement creates them. `keyless` are the
    tables with a skipped constraint. `notes` are messages other than failures.
    """

    def __init__(self, connection: Connection, provided: set[str], *, own_server: bool) -> None:
        self._connection = connection
        self._provided = provided
        self._own_server = own_server
        self._assumed: set[str] = set()
        self._repeated: set[tuple[str, str]] = set()
        self._keyless: set[str] = set()
        self.notes: list[Diagnostic] = []

    def file(self, file: SchemaFile) -> list[Failure]:
        """Run a file in one transaction; if a statement fails, run each statement by itself."""
        before, said = set(self._provided), len(self.notes)
        if file.transactional and self._runs_whole(file):
            return []
        self._provided = before
        del self.notes[said:]
        return self._each(file, in_transaction=file.transactional)

    def _runs_whole(self, file: SchemaFile) -> bool:
        """Run a file in one transaction, and return whether it succeeded; if not, roll back.

        Statements that need no special handling are sent together, which saves round trips.
        """
        run = self._connection.run
        run("begin")
        waiting: list[str] = []
        for span in file.statements:
            sql = file.sql[span.start : span.end]
            # Statements inside a block must see the effects of statements before it.
            text = None if any(made_in_block(sql)) else self._as_run(file, span, sql)
            if text is not None:
                waiting.append(text)
            if text is None or _SETS.match(text):  # a setting may affect later statements
                failed = _fails(run, waiting)
                if failed or (text is None and self._statement(file, span, sql) is not None):
                    run("rollback")
                    return False
        if _fails(run, waiting):
            run("rollback")
            return False
        return run("commit") is None

    def _each(self, file: SchemaFile, *, in_transaction: bool) -> list[Failure]:
        """Run every statement in a savepoint of its own."""
        failures: list[Failure] = []
        for span in file.statements:
            sql = file.sql[span.start : span.end]
            error, partly = self._attempt(file, span, sql, in_transaction=in_transaction)
            if error is not None:
                problem = schema_problem(file, span, self._naming_schema(error))
                failures.append(failure_of("" if partly else sql, error, problem))
        if self._connection.in_transaction:
            error = self._connection.run("commit")
            # A deferred constraint, whose statement is found by running each one.
            if error is not None:
                return self._each(file, in_transaction=False)
        return failures

    def _attempt(
        self, file: SchemaFile, span: Span, sql: str, *, in_transaction: bool
    ) -> tuple[ServerError | None, bool]:
        """Run a statement; if the server refuses it, run a replacement if there is one.

        Return the statement's error, if any, and whether later statements can still rely on the
        replacement.
        """
        mistake: ServerError | None = None
        steps: tuple[str, ...] = (sql,)
        notes: list[Diagnostic] = []
        for _ in range(_MOST_TRIES):
            if in_transaction and not self._connection.in_transaction:
                self._connection.run("begin")
            failed = self._together(file, span, steps)
            if failed is None:
                self.notes += notes
                return mistake, mistake is not None
            step, error = failed
            if steps != (sql,):
                error = replace(error, position=0)  # the position refers to a replaced text
            if (error.state == "42710" and new_role(sql)) or self._is_assumed(error):
                return None, False
            if error.state in _NEEDS_NO_TRANSACTION and self._connection.in_transaction:
                self._connection.run("commit")
                in_transaction = False
                continue
            if self._own_server and self._settles_role(error):
                continue
            supplied = self._supplied(file, span, step, error)
            if supplied is not None:
                notes.append(self._note(file, span, *supplied, error))
                continue
            instead = instead_of(step, error) or without_reference(step, error, self._keyless)
            if instead is None or (instead.run and set(instead.run) <= set(steps)):
                return error, False
            at = steps.index(step)
            steps = (*steps[:at], *instead.run, *steps[at + 1 :])
            if instead.partly:
                mistake = mistake or error
            if instead.said == CONSTRAINT_SKIPPED:
                self._keyless |= extended_by(step)
            if instead.said:
                notes.append(self._note(file, span, instead.said, instead.hint, error))
        return error, False

    def _naming_schema(self, error: ServerError) -> ServerError:
        """Replace the message "no schema has been selected" by one that names the schema."""
        if error.state != "3F000" or _QUOTED.search(error.message):
            return error
        ((searched,),) = self._connection.rows("SHOW search_path")
        first = (searched or "").split(",")[0].strip('" ')
        return replace(error, message=f'cannot create the object: schema "{first}" does not exist')

    def _searches_again(self) -> bool:
        """Restore the default search path if a dump's first lines made it empty."""
        if self._connection.rows("SHOW search_path") not in ([("",)], [('""',)]):
            return False
        return self._connection.run("RESET search_path") is None

    def _settles_extension(
        self, file: SchemaFile, span: Span, error: ServerError
    ) -> tuple[str, str] | None:
        """Create the extension that a statement needs; return a message and its hint, or None."""
        wanted, schema = extension_wanted(error), schema_wanted(error)
        create = f'create extension "{wanted}" with schema "{schema}"'
        if wanted and wanted not in self._provided:
            if self._statement(file, span, create) is not None:
                return None
            self._provided.add(wanted)
            return _assumed(wanted)
        script = stand_in_for(wanted) if error.message.startswith("function ") else None
        if not script or (wanted, schema) in self._repeated:
            return None
        self._repeated.add((wanted, schema))
        if make_stand_in(self._connection, create, script) is not None:
            return None
        said = (
            f"the schema of the extension {wanted} is not in the search path; the compiler"
            f" also accepts its functions in {schema}"
        )
        hint = "qualify the names with the schema, or start this file with `SET search_path`"
        return said, hint

    def _settles_role(self, error: ServerError) -> bool:
        """Create a missing role, or rename an existing role that a DO block is about to create.

        Return whether one of the two was done.
        """
        if role := _MISSING_ROLE.search(error.message):
            self._connection.run(f'create role "{role.group(1)}"')
            return True
        taken = _ROLE_THERE.search(error.message)
        if taken is None:
            return False
        aside = f"{taken.group(1)[:40]}_{secrets.token_hex(4)}"
        self._connection.run(f'alter role "{taken.group(1)}" rename to "{aside}"')
        return True

    def _together(
        self, file: SchemaFile, span: Span, steps: tuple[str, ...]
    ) -> tuple[str, ServerError] | None:
        """Run all steps that replace a statement.

        If a step fails, return the step and the error. In a transaction, the earlier steps are then
        undone.
        """
        run = self._connection.run
        within = self._connection.in_transaction
        if within:
            run(f"savepoint {_SAVEPOINT}")
        for step in steps:
            error = self._statement(file, span, step)
            if error is not None:
                if within:
                    run(f"rollback to {_SAVEPOINT}")
                return step, error
        if within and self._connection.in_transaction:
            run(f"release {_SAVEPOINT}")
        return None

    def _statement(self, file: SchemaFile, span: Span, sql: str) -> ServerError | None:
        """Run one statement, or its replacement."""
        connection = self._connection
        text = self._as_run(file, span, sql)
        if text is not None:
            return connection.run(text) if text else None
        wanted = extension_of(sql)
        for name in (NEEDS.get(wanted, wanted), wanted):
            script = stand_in_for(name)
            if name in self._provided:
                continue
            if script is None:
                self.notes.append(_without_extension(file, span, name))
            elif error := make_stand_in(connection, sql, script):
                return error
            self._provided.add(name)
        return None

    def _as_run(self, file: SchemaFile, span: Span, sql: str) -> str | None:
        """Return the SQL to run for a statement, or '' to skip the statement.

        Return None for an extension that a stub must replace.
        """
        if without_effect(sql):
            return ""
        if role := new_role(sql):  # roles belong to the whole server, so none may log in
            return f"create role {role} nologin"
        wanted = extension_of(sql)
        if wanted in self._provided:
            return ""
        if not wanted or not self._own_server or is_available(self._connection, wanted):
            return lasting(self._with_stand_ins(file, span, sql))
        return None

    def _is_assumed(self, error: ServerError) -> bool:
        """Return whether an error is about a schema that the compiler has already created."""
        names = _QUOTED.findall(error.message) if error.state == "42P06" else []
        return any(name in self._assumed for name in names)

    def _with_stand_ins(self, file: SchemaFile, span: Span, sql: str) -> str:
        """Replace CREATE EXTENSION in a DO block by stubs for extensions that the server lacks."""
        if not self._own_server:
            return sql
        made = [
            found
            for found in made_in_block(sql)
            if not is_available(self._connection, found["name"])
        ]
        given = [found for found in made if self._statement(file, span, found[0]) is None]
        return without(sql, given)

    def _supplied(
        self, file: SchemaFile, span: Span, sql: str, error: ServerError
    ) -> tuple[str, str] | None:
        """Create a missing object with a known definition; return a message and a hint, or None."""
        missing = _MISSING_SCHEMA.search(error.message)
        own = missing is not None and creates(sql)  # not an extension's
        if self._own_server and not own and (said := self._settles_extension(file, span, error)):
            return said
        if error.state in _NOT_FOUND and self._searches_again():
            return _SEARCHED_AGAIN
        if not own or missing is None:
            return None
        quoted = missing[1].replace('"', '""')
        if self._connection.run(f'create schema "{quoted}"') is not None:
            return None
        self._assumed.add(missing[1])
        return _assumed_schema(missing[1])

    def _note(
        self, file: SchemaFile, span: Span, said: str, hint: str, error: ServerError
    ) -> Diagnostic:
        label = schema_problem(file, span, error).labels[0]
        return Diagnostic("E217", said, (label,), hint, Severity.WARNING)


_SEARCHED_AGAIN = (
    (
        "the file starts like a dump and empties the search path; after the file the search path "
        "is `public`"
    ),
    "write `RESET search_path;` before statements that you add to a dump",
)


def _assumed(extension: str) -> tuple[str, str]:
    """Return the message and the hint for an extension that the compiler assumes to exist."""
    name = extension_name(extension)
    said = (
        f"the schema uses the extension {extension} without creating it; the compiler assumes "
        "that it exists"
    )
    return said, f"put `CREATE EXTENSION IF NOT EXISTS {name};` before it"


def _assumed_schema(schema: str) -> tuple[str, str]:
    """Return the message and the hint for a schema that the compiler assumes to exist."""
    said = f'no statement creates the schema "{schema}"; the compiler assumes that it exists'
    return said, f"put `CREATE SCHEMA IF NOT EXISTS {schema};` before this"


def _without_extension(file: SchemaFile, span: Span, name: str) -> Diagnostic:
    at = file.sql.find(name, span.start)
    place = Span(at, at + len(name)) if 0 <= at < span.end else span
    return Diagnostic(
        "E203",
        f'extension "{name}" is not available on this server; queries that use it are rejected',
        (Label(file.file, place),),
        f"set `database.uri` to a server that has {name}, or declare the types and functions"
        f" you use in a file named {name}.sql, and list the file under `shims`",
        Severity.WARNING,
    )


def schema_problem(file: SchemaFile, span: Span, error: ServerError) -> Diagnostic:
    """Return the diagnostic for a refused schema statement."""
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
            f"install {name} on the server of `database.uri`, or declare the types and functions"
            f" you use in a file named {name}.sql, and list the file under `shims`"
        )
    elif not hint and _TEMPLATE.search(sql):
        hint = "this file is a template that a program fills in: remove the file from `schema`"
    elif said := schema_advice(_placed(file, span, place), error):
        hint = said
    elif error.state == "42704" and (unknown := _MISSING_TYPE.search(error.message)):
        near = nearest(unknown[1], _TYPE_NAMES)
        hint = hint or (f"did you mean `{near}`?" if near else "")
        hint = hint or (
            f"write `CREATE DOMAIN {unknown[1]} AS text;`, with the real type in place of `text`,"
            " in a file that `shims` lists"
        )
    elif error.state == "3F000":
        absent = _QUOTED.search(error.message)
        hint = (
            f"add the file that creates the schema {absent[1] if absent else 'searched'} to"
            f" `schema`, or put `CREATE SCHEMA {absent[1] if absent else '…'};` before it"
        )
    elif error.state == "0A000" and not hint:
        hint = "set `database.uri` to a server that supports this statement"
    notes = tuple(text for text in (error.detail, error.context) if text)
    code = _CODES.get(error.state, "E201")
    return Diagnostic(code, error.message, (Label(file.file, place),), hint, notes=notes)


def _placed(file: SchemaFile, span: Span, place: Span) -> Place:
    return place_in(SourceFile(file.file.path, file.sql), span, place, Dialect.POSTGRESQL)


def _mentioned(sql: str, span: Span, error: ServerError) -> Span:
    """Return the span of a name that the message quotes, or else of the statement's first line."""
    for name in _QUOTED.findall(error.message):
        at = sql.find(name)
        if at >= 0:
            return Span(span.start + at, span.start + at + len(name))
    lead = len(sql) - len(sql.lstrip())
    first = sql[lead:].split("\n", 1)[0]
    return Span(span.start + lead, span.start + lead + len(first))
