"""Run a query once on generated rows, return the result, and roll back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pymysql

from aiosqlc.ir import AnalyzeOptions, SchemaFile, SqlType, TableColumn, TypedParam, TypedQuery
from aiosqlc.messages.rows import describe_count, show_row
from aiosqlc.mysql.opened import opened
from aiosqlc.mysql.relations import Schema
from aiosqlc.mysql.types import family
from aiosqlc.parse.placeholders import fill
from aiosqlc.servers.mysql.session import Session

_ROWS = 6  # of each table
_MOST_ROWS = 9  # generated values have one digit
_MOST_TABLES = 300
_MOST_SHOWN = 8
_WORDS = ("ada", "bea", "cem", "dan", "eve", "fay")
_NUMBERS = frozenset({"integer", "decimal", "float", "double"})
_UNDONE = frozenset(
    {"SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "REPLACE", "VALUES", "(", "TABLE"}
)
_MADE = """
SELECT table_name, column_name FROM information_schema.columns
WHERE table_schema = DATABASE() AND coalesce(generation_expression, '') <> ''
"""


def sample(schema: Sequence[SchemaFile], query: TypedQuery, options: AnalyzeOptions) -> list[str]:
    """Run a query; return its arguments and rows as lines, which are the same for every run."""
    with opened(schema, options) as found:
        if found is None:
            return ["no server is available, or the schema has errors"]
        if not is_undone(query.sql):
            return ["not executed: a statement of this kind cannot be rolled back"]
        with sample_rows(found.session, found.schema):
            return _best(found.session, query)


def is_undone(sql: str) -> bool:
    """Return whether ROLLBACK can undo a statement; others may commit the transaction."""
    text = sql.lstrip()
    return text[:1] == "(" or text.split(None, 1)[0].upper() in _UNDONE if text else False


@contextmanager
def sample_rows(session: Session, schema: Schema) -> Iterator[None]:
    """Insert a few rows into each table; remove them when the block ends.

    Values of one type are the same in every table, row by row, so that foreign keys match.
    """
    session.run("BEGIN")
    try:
        insert_rows(session, schema)
        yield
    finally:
        session.run("ROLLBACK")


def insert_rows(
    session: Session, schema: Schema, first: int = 1, *, with_nulls: bool = True
) -> None:
    """Insert a few generated rows into each table; `first` is the number of the first row."""
    session.run("SET foreign_key_checks = 0")
    made = {(row[0], row[1]) for row in session.rows(_MADE)}
    for relation in [r for r in schema.relations if not r.is_view][:_MOST_TABLES]:
        name = relation.table.name
        columns = [c for c in relation.table.columns if (name, c.name) not in made]
        keyed = {column for key in relation.unique for column in key}
        keyed |= set() if with_nulls else {column.name for column in columns}
        for number in range(first, min(first + _ROWS, _MOST_ROWS + 1)):
            _insert(session, name, [(c, _held(c, number, keyed)) for c in columns])
    session.run("SET foreign_key_checks = 1")


def _insert(session: Session, table: str, cells: Sequence[tuple[TableColumn, str]]) -> None:
    names = ", ".join(_quoted(column.name) for column, _ in cells)
    values = ", ".join(value for _, value in cells)
    try:  # a row that violates a constraint is skipped
        session.run(f"INSERT IGNORE INTO {_quoted(table)} ({names}) VALUES ({values})")  # noqa: S608 - quoted names and generated literals
    except pymysql.MySQLError:
        return


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _held(column: TableColumn, number: int, keyed: set[str]) -> str:
    absent = not column.not_null and column.name not in keyed and number % 3 == 0
    return "NULL" if absent else value(column.type, number)


def value(kind: SqlType, number: int) -> str:
    """Return a type's literal for the n-th generated row, so that the rows differ."""
    if kind.labels:
        return _text(kind.labels[(number - 1) % len(kind.labels)])
    word = _WORDS[(number - 1) % len(_WORDS)]
    length = kind.length or len(word)
    known = {
        "integer": str(number), "decimal": f"{number}.5", "float": f"{number}.5",
        "double": f"{number}.5", "year": str(2020 + number), "bit": f"b'{number % 2}'",
        "date": f"'2024-01-0{number}'", "time": f"'0{number}:00:00'",
        "datetime": f"'2024-01-0{number} 12:00:00'", "timestamp": f"'2024-01-0{number} 12:00:00'",
        "bytes": f"x'{number:02x}'" if length < 16 else f"x'{number:032x}'",
        "text": _text(word[:length]),
    }  # fmt: skip
    special = {
        "json": f"""'{{"n": {number}}}'""", "uuid": f"'00000000-0000-0000-0000-{number:012x}'",
        "inet4": f"'10.0.0.{number}'", "inet6": f"'::{number}'", "bool": str(number % 2),
    }  # fmt: skip
    if kind.name == "tinyint" and kind.length == 1:
        return special["bool"]
    return special.get(kind.name) or known.get(family(kind), "NULL")


def _text(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def with_arguments(query: TypedQuery, number: int) -> str:
    """Return a query's text with arguments from the n-th generated row."""
    given = {param.number: _argument(param, number) for param in query.params}
    return fill(query.sql, lambda _index, place: given.get(place.number, "NULL")).sql


def _argument(param: TypedParam, number: int) -> str:
    if param.is_slice and not param.row:  # the text contains one row of a list of rows
        return ", ".join(value(param.type, other) for other in range(1, number + 1))
    return value(param.type, number)


def _best(session: Session, query: TypedQuery) -> list[str]:
    lines = ["the server accepted none of the tried arguments"]
    for number in range(1, _ROWS + 1):
        session.run("SAVEPOINT trial")
        try:
            with session.connection.cursor() as cursor:
                count = cursor.execute(with_arguments(query, number))
                rows = cursor.fetchmany(_MOST_SHOWN) if cursor.description else []
                heads = [head[0] for head in cursor.description or ()]
        except pymysql.MySQLError:
            continue
        finally:
            session.run("ROLLBACK TO trial")
        shown = [_row(heads, row) for row in rows]
        more = [f"… {count - len(shown)} more"] if heads and count > len(shown) else []
        summary = [] if shown else [describe_count(count, written=not heads)]
        lines = [_called(query, number), *shown, *more, *summary]
        if shown or not query.columns:
            break
    return lines


def _called(query: TypedQuery, number: int) -> str:
    given = [f"{param.name} = {_argument(param, number)}" for param in query.params]
    return f"with {', '.join(given)}" if given else "without arguments"


def _row(names: Sequence[str], cells: Sequence[Any]) -> str:
    heads = [
        (name, isinstance(cell, int | float) or type(cell).__name__ == "Decimal")
        for name, cell in zip(names, cells, strict=True)
    ]
    return show_row(heads, [_cell(cell) for cell in cells])


def _cell(cell: Any) -> str | None:
    if cell is None:
        return None
    return cell.hex() if isinstance(cell, bytes) else str(cell)
