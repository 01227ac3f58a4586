"""Apply each schema once to a database of its own, and find the failing statements."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence

import pymysql
from msgspec import Struct, field
from msgspec.structs import replace

from aiosqlc.analysis.advice import place_in, syntax_advice
from aiosqlc.analysis.advice.words import ELSEWHERE
from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.ir import SchemaFile
from aiosqlc.mysql.elsewhere import mysql_advice
from aiosqlc.mysql.elsewhere_types import own_type
from aiosqlc.mysql.errors import (
    UNKNOWN_TYPE,
    absent_function,
    code_of,
    message_of,
    missing_in,
    span_in,
)
from aiosqlc.mysql.foreign import is_foreign_key, without_foreign_keys
from aiosqlc.mysql.mariadb import as_mariadb_has_it, is_index_of_mysql, without_expression
from aiosqlc.mysql.outside import reaches_out
from aiosqlc.mysql.static import changed_by
from aiosqlc.mysql.syntax import mentions
from aiosqlc.schema.history import names_in, with_order
from aiosqlc.servers.mysql import databases
from aiosqlc.servers.mysql.session import SYSTEM, Session
from aiosqlc.source import Dialect, SourceFile, Span

_PREFIX = "aiosqlc_"
_KEPT = 12  # databases of earlier schemas that a private server retains
_BOOKS = f"{_PREFIX}books"


class Loaded(Struct, frozen=True):
    """A database with the schema. On a private server, the schema may create further databases.

    `mark` proves on a user's server that the database is the compiler's. `skipped` are statements
    that MariaDB, which replaces MySQL here, refused, each with the reason. `unkeyed` are statements
    whose foreign keys were removed because the server refused them. `unbuilt` are the statements of
    indexes that only MySQL can build. `given` are statements that declare tables of the server
    itself. `failed` are all other refused statements.
    """

    database: str
    others: tuple[str, ...] = ()
    mark: str = ""
    skipped: tuple[Skipped, ...] = ()
    unkeyed: tuple[Skipped, ...] = ()
    unbuilt: tuple[Skipped, ...] = ()
    given: tuple[Skipped, ...] = ()
    failed: tuple[Failed, ...] = ()


class Skipped(Struct, frozen=True):
    """A statement of the schema that was not applied completely, with the reason."""

    file: SchemaFile
    span: Span
    message: str

    @property
    def sql(self) -> str:
        """Return the statement's text."""
        return self.file.sql[self.span.start : self.span.end]


class Failed(Struct, frozen=True):
    """A refused schema statement: its diagnostic, and the tables that it should have changed.

    `names` is None if the changed tables are unknown. `followers` is the number of later statements
    that failed because they use one of these tables.
    """

    problem: Diagnostic
    names: frozenset[str] | None
    followers: int = 0

    def is_used_in(self, sql: str) -> bool:
        """Return whether an SQL text uses a table that the statement should have changed."""
        return self.names is None or any(mentions(sql, name) for name in self.names)


class _Refusals(Struct):
    """Collects the statements that the server refuses while a schema is applied."""

    skipped: list[Skipped] = field(default_factory=list)
    unkeyed: list[Skipped] = field(default_factory=list)
    unbuilt: list[Skipped] = field(default_factory=list)
    given: list[Skipped] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)

    def add(self, sql: str, problem: Diagnostic) -> None:
        """Add a failure.

        If the statement uses a table of an earlier failure, only increase that failure's
        `followers`.
        """
        changed = changed_by(sql).lower()
        names = frozenset({changed} - {""}) if changed or _types_nothing(sql) else None
        for at, root in enumerate(self.failed):
            if root.names is not None and names is not None and root.is_used_in(sql):
                self.failed[at] = replace(
                    root, names=root.names | names, followers=root.followers + 1
                )
                return
        self.failed.append(Failed(problem, names))

    def loaded(self, database: str, others: tuple[str, ...], mark: str) -> Loaded:
        """Return the database, with a diagnostic for each refused statement."""
        return Loaded(
            database,
            others,
            mark,
            tuple(self.skipped),
            tuple(self.unkeyed),
            tuple(self.unbuilt),
            tuple(self.given),
            tuple(self.failed),
        )

    def any(self) -> bool:
        """Return whether any statement was refused."""
        return bool(self.skipped or self.unkeyed or self.unbuilt or self.given or self.failed)


def load(
    session: Session,
    schema: Sequence[SchemaFile],
    *,
    for_mysql: bool = False,
    skips: bool = False,
) -> tuple[Loaded | None, Diagnostic | None]:
    """Create or reuse the database of this schema, and select it.

    `for_mysql` allows MariaDB to replace a type that only MySQL has. With `skips`, the function
    continues after a refused statement.
    """
    lenient = for_mysql and session.private and session.is_mariadb
    if not session.private:
        return _load_among_others(session, schema)
    database = _PREFIX + _digest(session, schema)
    _keep_books(session, database)
    if _is_ready(session, database):
        session.connection.select_db(database)
        return Loaded(database), None
    before = set(_databases(session)) - {database}
    _create(session, database)
    refusals = _Refusals()
    skips = skips and lenient
    problem = _apply(session, database, schema, refusals, lenient=lenient, skips=skips)
    session.restore()
    others = tuple(sorted(set(_databases(session)) - before - {database}))
    loaded = refusals.loaded(database, others, "")
    if problem:
        _drop(session, (database, *others))
        return None, problem
    session.connection.select_db(database)
    if not others and not refusals.any():
        session.run(f"UPDATE `{_BOOKS}`.`databases` SET ready = 1 WHERE name = '{database}'")  # noqa: S608 - a generated name
    return loaded, None


def _load_among_others(
    session: Session, schema: Sequence[SchemaFile]
) -> tuple[Loaded | None, Diagnostic | None]:
    """Create a database on the user's server without changes to other databases there."""
    databases.drop_abandoned(session)
    database, mark = databases.make(session)
    loaded = Loaded(database, mark=mark)
    refusals = _Refusals()
    try:
        session.connection.select_db(database)
        problem = _apply(session, database, schema, refusals, lenient=False)
        session.restore()
    except BaseException:
        forget(session, loaded)
        raise
    if problem:
        forget(session, loaded)
        return None, problem
    session.connection.select_db(database)
    return refusals.loaded(database, (), mark), None


def applied_to(
    session: Session, database: str, schema: Sequence[SchemaFile], *, lenient: bool
) -> list[Diagnostic]:
    """Apply files to the selected database, and return an error for each refused statement."""
    refusals = _Refusals()
    problem = _apply(session, database, schema, refusals, lenient=lenient)
    session.restore()
    return [problem] if problem else [one.problem for one in refusals.failed]


def forget(session: Session, loaded: Loaded) -> None:
    """Drop a temporary database and, on a private server, those that the schema created."""
    if not session.private:
        databases.drop(session, loaded.database, loaded.mark)
    elif loaded.others:
        _drop(session, (loaded.database, *loaded.others))


def _drop(session: Session, names: Iterable[str]) -> None:
    """Drop databases of the private server, whose tables may refer to each other."""
    session.run("SET foreign_key_checks = 0")
    for name in names:
        session.run(f"DROP DATABASE IF EXISTS `{name}`")
    session.run("SET foreign_key_checks = 1")


def _digest(session: Session, schema: Sequence[SchemaFile]) -> str:
    text = "\0".join([session.version, *(file.sql for file in schema)])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _databases(session: Session) -> list[str]:
    return [row[0] for row in session.rows("SHOW DATABASES") if row[0].lower() not in SYSTEM]


def _keep_books(session: Session, database: str) -> None:
    """Record that a database was used now, and drop the databases that were unused the longest."""
    session.run(f"CREATE DATABASE IF NOT EXISTS `{_BOOKS}`")
    session.run(
        f"CREATE TABLE IF NOT EXISTS `{_BOOKS}`.`databases`"
        " (name varchar(64) PRIMARY KEY, ready tinyint(1) NOT NULL DEFAULT 0,"
        " used datetime(6) NOT NULL)"
    )
    session.run(
        f"INSERT INTO `{_BOOKS}`.`databases` (name, used) VALUES ('{database}', now(6))"  # noqa: S608 - a generated name
        " ON DUPLICATE KEY UPDATE used = now(6)"
    )
    kept = [
        row[0]
        for row in session.rows(f"SELECT name FROM `{_BOOKS}`.`databases` ORDER BY used DESC")  # noqa: S608 - as above
    ][:_KEPT]
    _drop(session, set(_databases(session)) - {_BOOKS, *kept})


def _is_ready(session: Session, database: str) -> bool:
    rows = session.rows(
        f"SELECT b.ready FROM `{_BOOKS}`.`databases` b"  # noqa: S608 - a generated name
        " JOIN information_schema.schemata s ON s.schema_name = b.name WHERE b.name = %s",
        database,
    )
    return bool(rows and rows[0][0])


def _create(session: Session, database: str) -> None:
    _drop(session, (database,))
    session.run(f"CREATE DATABASE `{database}` CHARACTER SET utf8mb4")
    session.connection.select_db(database)


def _apply(
    session: Session,
    database: str,
    schema: Sequence[SchemaFile],
    refusals: _Refusals,
    *,
    lenient: bool,
    skips: bool = False,
) -> Diagnostic | None:
    """Run every statement of the schema, and add the failures to `refusals`."""
    for file in schema:
        for span in file.statements:
            sql = file.sql[span.start : span.end]
            outside = "" if session.private else reaches_out(session, sql, database)
            if outside and _OF_THE_SERVER.match(sql):
                refusals.given.append(Skipped(file, span, ""))
                continue
            if outside:
                return _not_ours(file, span, outside)
            try:
                _run(session, sql, lenient=lenient)
            except pymysql.MySQLError as error:
                refused = Skipped(file, span, message_of(error, database))
                problem = located(session, file, span, error, database)
                if not session.connection.open:
                    return problem
                if session.private and _run_unkeyed(session, sql, error, lenient=lenient):
                    refusals.unkeyed.append(refused)
                elif _OF_THE_SERVER.match(sql):
                    refusals.given.append(refused)
                elif lenient and is_index_of_mysql(sql, error):
                    refusals.unbuilt.append(refused)
                elif skips:
                    refusals.skipped.append(refused)
                else:
                    refusals.add(sql, _with_order(problem, schema, sql, error, database))
    return None


def _run(session: Session, sql: str, *, lenient: bool) -> None:
    """Run a statement, or its translation if MariaDB is used in place of MySQL."""
    try:
        session.run(sql)
    except pymysql.MySQLError as error:
        other = as_mariadb_has_it(sql) if lenient else sql
        other = without_expression(other, error) if lenient else other
        if other == sql:
            raise
        try:
            session.run(other)
        except pymysql.MySQLError as second:
            plain = without_expression(other, second)
            if plain == other:
                raise
            session.run(plain)


def _run_unkeyed(session: Session, sql: str, error: pymysql.MySQLError, *, lenient: bool) -> bool:
    """Run a statement without the refused foreign keys, and return whether it succeeded."""
    bare = without_foreign_keys(sql) if is_foreign_key(error) else sql
    if bare == sql:
        return False
    try:
        _run(session, bare, lenient=lenient)
    except pymysql.MySQLError:
        return False
    return True


def _types_nothing(sql: str) -> bool:
    """Return whether a statement cannot affect types, such as one that changes only rows."""
    return _NO_TYPES.match(sql) is not None


def _not_ours(file: SchemaFile, span: Span, outside: str) -> Diagnostic:
    return Diagnostic(
        "E216",
        f"the schema affects other databases: {outside}",
        (Label(file.file, span, "not allowed on a shared server"),),
        hint="remove `database.uri` to use a private server",
    )


def located(
    session: Session, file: SchemaFile, span: Span, error: pymysql.MySQLError, database: str
) -> Diagnostic:
    """Return the diagnostic for a refused statement, with the position in the file."""
    sql = file.sql[span.start : span.end]
    found = span_in(sql, error, database)
    at = Span(span.start + found.start, span.start + found.end)
    return Diagnostic(
        code="E200",
        message=message_of(error, database),
        labels=(Label(file.file, at, "refused by the server"),),
        hint=_HINTS.get(code_of(error), "") or _advice(file, span, at, error),
        notes=(f"asked: {session.version}",),
    )


def _with_order(
    problem: Diagnostic,
    schema: Sequence[SchemaFile],
    sql: str,
    error: pymysql.MySQLError,
    database: str,
) -> Diagnostic:
    """Extend the error for a missing object: name the file that dropped or later creates it."""
    relation, column = missing_in(error, database)
    if not relation and not column:
        return problem
    words = names_in(sql, Dialect.MYSQL)
    return with_order(problem, schema, Dialect.MYSQL, relation=relation, column=column, words=words)


def _advice(file: SchemaFile, span: Span, at: Span, error: pymysql.MySQLError) -> str:
    place = place_in(SourceFile(file.file.path, file.sql), span, at, Dialect.MYSQL)
    code = code_of(error)
    if code == UNKNOWN_TYPE:
        return own_type(place.said())
    if code == _SYNTAX_ERROR:
        return syntax_advice(place, mysql_advice)
    word = absent_function(error)
    own = ELSEWHERE[Dialect.MYSQL].get(word)
    return f"write `{own}`" if own else ""


_SYNTAX_ERROR = 1064
_OF_THE_SERVER = re.compile(
    r"(?i)\s*create\s+(?:or\s+replace\s+)?(?:table|view|schema|database)\s+(?:if\s+not\s+exists\s+)?"
    rf"`?(?:{'|'.join(sorted(SYSTEM))})\b"
)
_NO_TYPES = re.compile(
    r"(?i)\s*(?:insert|replace|update|delete|grant|revoke|call|select|lock|unlock|analyze|optimize"
    r"|drop|create\s+(?:(?:definer\s*=\s*\S+|or\s+replace|unique|fulltext|spatial)\s+)*"
    r"(?:index|procedure|function|trigger|event|user|role))\b"
)
_DENIED = "the account in `database.uri` needs the privilege to create databases called aiosqlc_…"
_HINTS = {
    **dict.fromkeys((1044, 1045, 1142), _DENIED),
    1005: "create the referenced table first, and add a key on the referenced column",
    1170: "MySQL requires a key length: write `id(100)`, or use `varchar`",
}
