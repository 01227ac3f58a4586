"""Rows for the tables of a benchmark, from the literals of its queries, so that some match."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from random import Random

import sqlglot
from sqlglot import exp

_LITERAL = re.compile(r"'((?:[^']|'')*)'")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}$")
_NUMBER = re.compile(r"(?<![\w.'])\d{1,6}(?:\.\d+)?(?![\w.'])")
_KEYS = 12  # keys are drawn from so few numbers that tables join
_ABSENT = 0.2
_WHOLE = frozenset({"INT", "BIGINT", "SMALLINT", "TINYINT"})
_MOMENTS = {"DATE": "", "TIMESTAMP": " 10:00:00", "DATETIME": " 10:00:00"}


def inserts(
    schema: str, queries: Sequence[str], engine: str, count: int, seed: int = 1
) -> Iterator[str]:
    """Yield an INSERT of at most `count` rows for each table; rows that repeat a key are left out.

    `engine` is `postgresql` or `mysql`. Columns of types that are not listed here stay empty.
    """
    random = Random(seed)
    pool = _Pool(queries, random)
    dialect = "postgres" if engine == "postgresql" else engine
    before, after = ("", " on conflict do nothing") if engine == "postgresql" else (" ignore", "")
    for statement in sqlglot.parse(schema, dialect=dialect):
        if not isinstance(statement, exp.Create) or statement.kind != "TABLE":
            continue
        table = statement.find(exp.Table)
        columns = [c for c in statement.find_all(exp.ColumnDef) if pool.has(c)]
        if table is None or not columns:
            continue
        names = ", ".join(column.this.sql(dialect=dialect) for column in columns)
        rows = ",\n".join(f"({', '.join(map(pool.value, columns))})" for _ in range(count))
        name = table.sql(dialect=dialect)
        yield f"insert{before} into {name} ({names}) values\n{rows}{after}"


class _Pool:
    """The literals of queries by the sort of their value."""

    def __init__(self, queries: Sequence[str], random: Random) -> None:
        self._random = random
        whole = "\n".join(queries)
        found = {text.replace("''", "'").strip("%") for text in _LITERAL.findall(whole)}
        self._dates = sorted(text for text in found if _DATE.match(text)) or ["2000-01-01"]
        self._texts = sorted(found) or ["a"]
        self._numbers = sorted(set(_NUMBER.findall(_LITERAL.sub("", whole)))) or ["1"]

    def _choose(self, among: Sequence[str]) -> str:
        return self._random.choice(among)

    def has(self, column: exp.ColumnDef) -> bool:
        """Return whether there are values of the column's type."""
        return self._of(column) is not None

    def value(self, column: exp.ColumnDef) -> str:
        """Return a value in SQL, and sometimes NULL if the column may be NULL."""
        kinds = (exp.NotNullColumnConstraint, exp.PrimaryKeyColumnConstraint)
        filled = any(isinstance(c.kind, kinds) for c in column.constraints)
        if not filled and self._random.random() < _ABSENT:
            return "NULL"
        return self._of(column) or "NULL"

    def _of(self, column: exp.ColumnDef) -> str | None:
        kind = column.args["kind"].this.value
        if kind in _WHOLE:
            literals = [number for number in self._numbers if "." not in number]
            known = self._random.random() < _ABSENT and literals and kind != "TINYINT"
            number = self._choose(literals) if known else str(self._random.randrange(1, _KEYS))
            return number if int(number) < 2**15 else "1"
        if kind in {"DECIMAL", "DOUBLE", "FLOAT"}:
            return self._choose([n for n in self._numbers if float(n) < _KEYS] or ["1.5"])
        if kind in _MOMENTS:
            return f"'{self._choose(self._dates)}{_MOMENTS[kind]}'"
        if kind == "TIME":
            return "'10:00:00'"
        if kind in {"CHAR", "VARCHAR", "TEXT"}:
            size = column.args["kind"].expressions
            length = int(size[0].name) if size and size[0].name.isdigit() else None
            return "'" + self._choose(self._texts)[:length].replace("'", "''") + "'"
        return None
