"""Statements and their outcomes: rows or an error, and the server's warnings."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pymysql
from aiosqlc.diagnostics import Diagnostic, Severity
from aiosqlc.ir import ParsedQuery, TypedQuery
from aiosqlc.mysql.analyzer import AnalysisContext, type_one
from aiosqlc.mysql.catalog import read_schema
from aiosqlc.mysql.executable import kin_of
from aiosqlc.mysql.schema import load
from aiosqlc.parse.queries import parse_file
from aiosqlc.schema.read import schema_file
from aiosqlc.servers.mysql.session import open_session
from aiosqlc.source import Dialect, SourceFile

from tests.inputs_mysql.values import ROWS, SCHEMA

_NUMBER = (int, float, Decimal)
# Of a division by 0, of what is deprecated, and of what EXPLAIN says.
_NO_CONVERSION = frozenset({1365, 1287, 1681, 1003, 1618, 1630, 4153})


@dataclass(frozen=True)
class Outcome:
    """The outcome of a statement. `warned` is its first warning of a converted value, if any."""

    error: int = 0
    warned: str = ""
    rows: tuple[tuple[Any, ...], ...] = ()
    codes: tuple[int, ...] = ()

    @property
    def is_clean(self) -> bool:
        """Return whether the server accepted every value unchanged."""
        return not self.error and not self.warned

    @property
    def is_null(self) -> bool:
        """Return whether the result has only NULL."""
        return all(cell is None for row in self.rows for cell in row)

    def answers_as(self, other: Outcome) -> bool:
        """Return whether both have the same outcome, including types; all numbers are one type."""
        same = (self.error, bool(self.warned)) == (other.error, bool(other.warned))
        return same and _plain(self.rows) == _plain(other.rows)


def _plain(rows: tuple[tuple[Any, ...], ...]) -> list[list[str]]:
    return [
        [
            f"{Decimal(str(cell)).normalize()}" if isinstance(cell, _NUMBER) else repr(cell)
            for cell in row
        ]
        for row in rows
    ]


class Asked:
    """A private MariaDB with the tables, and an analyser that uses it."""

    def __init__(self, cache: Path | None) -> None:
        self._cache = cache
        self.crashes = 0
        self._open()

    def _open(self) -> None:
        self.session = open_session(None, self._cache, "mariadb")
        file = schema_file(SourceFile(Path("schema.sql"), SCHEMA), Dialect.MYSQL)
        loaded, problem = load(self.session, [file])
        assert loaded is not None, problem
        self.session.run("DELETE FROM t")  # the server keeps what a schema made
        self.session.run(ROWS)
        known = read_schema(self.session, loaded.database)
        self.compiler = AnalysisContext(
            known, self.session, loaded.database, kin=kin_of(self.session.version)
        )
        self.session.run("SET max_statement_time = 1, group_concat_max_len = 1024")

    def close(self) -> None:
        """Close the connection; the server ends with the process."""
        self.session.connection.close()

    def typed(self, sql: str) -> tuple[TypedQuery | None, list[Diagnostic]]:
        """Compile a statement; return the typed query and its errors."""
        query = _parsed(sql)
        if query is None:
            return None, []
        try:
            result, problems = type_one(self.compiler, query)
        except (pymysql.OperationalError, pymysql.InterfaceError, OSError):
            self._again()
            return None, []
        return result, [problem for problem in problems if problem.severity is Severity.ERROR]

    def outcome(self, sql: str, values: Sequence[object] = ()) -> Outcome:
        """Run a statement and undo it. `values` are passed to the driver for each `%s`."""
        connection = self.session.connection
        changes = not sql.startswith("SELECT")
        try:
            if changes:
                self.session.run("START TRANSACTION")
            with connection.cursor() as cursor:
                cursor.execute(sql, tuple(values) or None)
                rows = tuple(cursor.fetchall())
                codes = tuple(field[1] for field in cursor.description or ())
                warned = _warning(connection)
                if changes:
                    cursor.execute("SELECT * FROM t ORDER BY id")
                    rows = tuple(cursor.fetchall())
            return Outcome(0, warned, rows, codes)
        except pymysql.MySQLError as error:
            number = error.args[0] if error.args and isinstance(error.args[0], int) else 0
            if number in {2006, 2013, 0} or not connection.open:
                self._again()
                changes = False
            return Outcome(number or 1)
        except ValueError:  # bytes that are no text leave an answer half read
            self._again()
            changes = False
            return Outcome(1)
        finally:
            if changes:
                with suppress(pymysql.MySQLError):
                    self.session.run("ROLLBACK")

    def _again(self) -> None:
        """Start the server again, because some calls crash it."""
        self.crashes += 1
        self._open()


def _warning(connection: Any) -> str:
    if not connection._result.warning_count:
        return ""
    found = [row for row in connection.show_warnings() if row[1] not in _NO_CONVERSION]
    return f"{found[0][1]} {found[0][2]}" if found else ""


def _parsed(sql: str) -> ParsedQuery | None:
    command = ":many" if sql.startswith("SELECT") else ":exec"
    text = SourceFile(Path("q.sql"), f"-- name: Q {command}\n{sql};\n")
    found, _ = parse_file(text, Dialect.MYSQL)
    return found[0] if found else None
