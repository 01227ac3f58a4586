"""Let the server plan each generated SQL text, because PREPARE does not find every error."""

from __future__ import annotations

from collections.abc import Iterator

import pymysql
from msgspec import Struct

from aiosqlc.diagnostics import Diagnostic, Label, Severity
from aiosqlc.ir import TypedQuery
from aiosqlc.mysql.errors import code_of, message_of, query_error
from aiosqlc.mysql.relations import Schema
from aiosqlc.parse.scanner import first_word
from aiosqlc.servers.mysql.session import Session

_EXPLAINED = frozenset({"SELECT", "INSERT", "REPLACE", "UPDATE", "DELETE", "WITH", "("})
_VALUE_COUNT, _NO_FULLTEXT, _UNSUPPORTED, _NO_DEFAULT = 1136, 1191, 1235, 1364
# Errors that no parameter value can cause: names, column counts, unsupported features.
_NAMES = frozenset({1052, 1054, 1109, 1305})
_NEVER = {
    _VALUE_COUNT: "the number of values must equal the number of columns",
    _NO_FULLTEXT: "create a FULLTEXT index on exactly the columns of MATCH",
    _UNSUPPORTED: "",
    _NO_DEFAULT: "give the column a value, or a default in the schema",
    1222: "",
    1241: "",
}


class Asked(Struct, frozen=True):
    """The server that plans the SQL; `stands_in` means that it is MariaDB in place of MySQL.

    `said` means that the configuration says that the queries are for MySQL. `strict` means that the
    configuration must say so.
    """

    session: Session
    schema: Schema
    stands_in: bool
    said: bool
    strict: bool


def refused_plan(asked: Asked, query: TypedQuery, sent: str) -> Iterator[Diagnostic]:
    """Yield an error for SQL that the server cannot plan, whatever the parameter values are."""
    error = _refusal(asked.session, sent)
    code = code_of(error) if error else 0
    if error is None or code not in {*_NAMES, *_NEVER}:
        return
    parsed = query.parsed
    if code in _NAMES:
        to_source = parsed.source_map.to_source
        yield query_error(parsed.file, parsed.sql, to_source, error, "", asked.schema)
        return
    said = message_of(error, "")
    # MySQL does not support this either.
    if code == _UNSUPPORTED and asked.stands_in and "DISTINCT" not in said:
        if asked.said:
            return
        yield Diagnostic(
            "E213",
            f"{parsed.name} cannot be planned: MariaDB, used instead of MySQL, reports: {said}",
            (Label(parsed.file, parsed.name_span, "this query fails on every call on MariaDB"),),
            hint="select the server: `server: mysql` or `server: mariadb`",
            severity=Severity.ERROR if asked.strict else Severity.WARNING,
        )
        return
    yield Diagnostic(
        "E371",
        f"`{parsed.name}` can never succeed: {said}",
        (Label(parsed.file, parsed.name_span, "this query fails on every call"),),
        hint=_NEVER[code],
    )


def _refusal(session: Session, sent: str) -> pymysql.MySQLError | None:
    """Return the server's error when it plans an SQL text, without running the text."""
    if first_word(sent) not in _EXPLAINED:
        return None
    try:
        # A plan with one column and one row is cheap, since only its errors matter.
        session.rows(f"EXPLAIN FORMAT=JSON {sent}")
    except pymysql.MySQLError as error:
        return error
    return None
