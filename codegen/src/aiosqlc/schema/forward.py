"""Reduce a schema file to the statements that migrate forward."""

from __future__ import annotations

import re

from aiosqlc.parse.scanner import LEXES, Kind, scan, split_statements
from aiosqlc.source import Dialect, Span

# The line in goose, sql-migrate, dbmate and tern that starts the rollback section.
DOWN = re.compile(
    r"^(?:--\s*\+goose\s+down|--\s*\+migrate\s+down|--\s*migrate:down|---\s*migration:down"
    r"|---- create above / drop below ----)",
    re.IGNORECASE,
)
UP = re.compile(r"^(?:--\s*\+goose\s+up|--\s*\+migrate\s+up|--\s*migrate:up)", re.IGNORECASE)
NO_TRANSACTION = re.compile(
    r"^--\s*(?:\+goose\s+no\s+transaction|\+migrate\s+\w+\s+notransaction"
    r"|migrate:up.*transaction:false|transactional:\s*false|atlas:txmode\s+none)",
    re.IGNORECASE,
)
_PSQL = re.compile(r"^\\[A-Za-z!?;]")
_COPY = re.compile(r"^COPY\s", re.IGNORECASE)
_MARKS = (NO_TRANSACTION, DOWN, UP, _PSQL, _COPY)
_QUOTED = frozenset({Kind.STRING, Kind.QUOTED, Kind.NAME})
_FROM_STDIN = re.compile(r"\sFROM\s+stdin\b", re.IGNORECASE)


# The lines that mysqldump and others write around routines for MySQL's client.
_DELIMITER = re.compile(r"^[^\S\n]*DELIMITER[^\S\n]+(?P<sign>\S+)\s*$", re.IGNORECASE)


def forward_sql(text: str, dialect: Dialect = Dialect.POSTGRESQL) -> tuple[str, bool]:
    """Blank out rollbacks, COPY data and psql commands.

    Also return whether the file may run in a transaction.
    """
    if LEXES[dialect].delimits:
        text = without_definers(_with_semicolons(text) if "delimiter" in text.lower() else text)
    kept: list[str] = []
    forward, data, transactional = True, False, True
    start, outside = 0, 0
    for line in text.split("\n"):
        runs = forward and not data
        marked = not runs or any(mark.match(line) for mark in _MARKS)
        if marked and not (runs and _is_quoted(text, dialect, outside, start)):
            if NO_TRANSACTION.match(line):
                transactional = False
            if DOWN.match(line):
                forward = False
            elif UP.match(line):
                forward = True
            runs = forward and not data and not _PSQL.match(line)
            if data and line.startswith("\\."):
                data = False
            elif runs and _copies(line):  # the rows of pg_dump are data for psql and not SQL
                data, runs = True, False
            outside = start if runs else start + len(line)
        start += len(line) + 1
        kept.append(line if runs else " " * len(line))
    return "\n".join(kept), transactional


def _is_quoted(text: str, dialect: Dialect, outside: int, place: int) -> bool:
    """Return whether a position in a text is inside a quoted name or string.

    `outside` is an earlier position that is not inside a name or string.
    """
    for token in scan(text, dialect, outside):
        if token.end > place:
            return token.start < place and token.kind in _QUOTED
    return False


_ACCOUNT = r"(?:`(?:[^`]|``)*`|'[^']*'|\"[^\"]*\"|[\w.%$-]+)"
_DEFINER = re.compile(
    r"(?P<head>\b(?:CREATE|ALTER)\b(?:\s|/\*[!M\d]*|\*/|\bOR\s+REPLACE\b|\bAGGREGATE\b"
    r"|\bALGORITHM\s*=\s*\w+)*)"
    rf"(?P<definer>\bDEFINER\s*=\s*(?:CURRENT_\w+(?:\s*\(\s*\))?|{_ACCOUNT}(?:\s*@\s*{_ACCOUNT})?))",
    re.IGNORECASE,
)


def without_definers(text: str) -> str:
    """Blank out DEFINER in views and routines, so that the compiler's account owns them.

    A view cannot be read if the account in its DEFINER does not exist on the server.
    """
    if "definer" not in text.lower():
        return text
    return _DEFINER.sub(lambda found: found["head"] + " " * len(found["definer"]), text)


def _with_semicolons(text: str) -> str:
    """Return a text without DELIMITER lines, in which `;` is the only delimiter."""
    kept: list[str] = []
    sign = ";"
    for line in text.split("\n"):
        if found := _DELIMITER.match(line):
            sign = found["sign"]
            kept.append(" " * len(line))
        elif sign != ";" and (end := line.rstrip()).endswith(sign):
            kept.append(end.removesuffix(sign) + ";".ljust(len(line) - len(end) + len(sign)))
        else:
            kept.append(line)
    return "\n".join(kept)


def _copies(line: str) -> bool:
    r"""Return whether a line is a COPY whose data rows follow and end with `\.`."""
    begins = _COPY.match(line) is not None and line.rstrip().endswith(";")
    return begins and _FROM_STDIN.search(line) is not None


_NAMED = re.compile(r"^[^\S\n]*(?:--|\#|/\*)\s*name:\s*\w+\s+:\w+", re.MULTILINE)
_DEFINES = re.compile(
    r"(?:create|alter|drop|comment|grant|revoke|do|set|begin|commit|truncate|rename)\b",
    re.IGNORECASE,
)
_CREATES = re.compile(r"create\b", re.IGNORECASE)


def forward_statements(sql: str, dialect: Dialect) -> tuple[Span, ...]:
    """Return the spans of the statements to run.

    If a file also contains queries, return only its schema definitions.

    A query file may also define an object, such as a temporary table for later queries. Statements
    that drop or alter objects in a query file are not part of the schema.
    """
    spans = split_statements(sql, dialect)
    if not _NAMED.search(sql):
        return spans
    kept, before = [], 0
    for span in spans:
        named = _NAMED.search(sql, before, span.start)
        if (_CREATES if named else _DEFINES).match(sql, span.start, span.end):
            kept.append(span)
        before = span.end
    return tuple(kept)
