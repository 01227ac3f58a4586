"""Where in the user's text a server's complaint belongs: servers name a word, not a position."""

from __future__ import annotations

import re
from collections.abc import Callable

import pymysql

from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.parse.scanner import Dialect, Kind, scan, unquote
from aiosqlc.source import SourceFile, Span

_NEAR = re.compile(r"near '(?P<text>.*)' at line (?P<line>\d+)$", re.DOTALL)
_NAMED = re.compile(
    r"(?:Unknown column|Column|Unknown table|Table|FUNCTION|PROCEDURE|Duplicate column name"
    r"|Key column|Can't DROP (?:COLUMN|INDEX|FOREIGN KEY|CONSTRAINT)?|Unknown storage engine)"
    r" [`'\"]?(?P<name>[^'`\"\s]+)",
)
_SHORTER = re.compile(
    r"check the manual that corresponds to your \w+ server version for the right syntax to use "
)
_HINTS = {
    1054: "is it spelled as in the schema, and is its table in FROM?",
    1146: "is it created by the schema files?",
    1305: "is it a function of this server, or created by the schema files?",
    1052: "write the table before it: `table.column`",
    1136: "the number of values must be the number of columns",
}


def code_of(error: pymysql.MySQLError) -> int:
    """Return the server's number of an error, 0 where it has none."""
    return error.args[0] if error.args and isinstance(error.args[0], int) else 0


def message_of(error: pymysql.MySQLError, database: str) -> str:
    """Return the server's text without the name of our working database."""
    text = str(error.args[-1]) if error.args else str(error)
    return _SHORTER.sub("", text).replace(f"`{database}`.", "").replace(f"{database}.", "")


def span_in(sql: str, error: pymysql.MySQLError, database: str = "") -> Span:
    """Find what the message talks about in the statement; the first word where it does not say."""
    text = message_of(error, database)
    near = _NEAR.search(text)
    if near:
        return _near(sql, near["text"], int(near["line"]))
    named = _NAMED.search(text)
    found = _word(sql, named["name"].rpartition(".")[2].rstrip(",;")) if named else None
    return found or _first_word(sql)


def query_error(
    file: SourceFile,
    sql: str,
    to_source: Callable[[int], int],
    error: pymysql.MySQLError,
    database: str,
) -> Diagnostic:
    """Describe a statement the server refuses. `to_source` maps offsets of `sql` to the file's."""
    span = span_in(sql, error, database)
    start = to_source(span.start)
    return Diagnostic(
        code="E300",
        message=message_of(error, database),
        labels=(
            Label(file, Span(start, start + (span.end - span.start)), "refused by the server"),
        ),
        hint=_HINTS.get(code_of(error), ""),
    )


def _near(sql: str, text: str, line: int) -> Span:
    starts = [0, *(i + 1 for i, char in enumerate(sql) if char == "\n")]
    at = starts[min(line, len(starts)) - 1]
    quoted = text.removesuffix("...")  # the server cuts long texts
    found = sql.find(quoted, at) if quoted else len(sql.rstrip())
    if found < 0:
        found = at
    word = re.compile(r"\w+|\S").match(sql, found)
    return Span(found, word.end() if word else min(found + 1, len(sql)))


def _word(sql: str, name: str) -> Span | None:
    for token in scan(sql, Dialect.MYSQL):
        if token.kind in {Kind.NAME, Kind.QUOTED} and unquote(token).lower() == name.lower():
            return token.span
    return None


def _first_word(sql: str) -> Span:
    for token in scan(sql, Dialect.MYSQL):
        if token.kind is not Kind.COMMENT:
            return token.span
    return Span(0, len(sql))
