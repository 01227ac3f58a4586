"""Read and write a statistics file, which calls PostgreSQL's functions that restore statistics.

One argument is on one line, in a fixed order, so that a diff shows what changed. The last line
states the number of statements, so that an incomplete file is detected.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Never

from aiosqlc.analysis.planned.statistics import (
    KEYS,
    ColumnStatistics,
    RelationSize,
    Statistics,
    is_setting,
)
from aiosqlc.messages.files import reason
from aiosqlc.store.disk import read_bytes

_TITLE = "-- aiosqlc statistics, format 1"
_FIRST = re.compile(
    r"-- aiosqlc statistics, format (?P<format>\d+)\n"
    r"-- server: (?P<server>[^\n]*)\n-- values: (?P<values>yes|no)\n"
)
_SETTING = re.compile(r"SET (?P<name>\w+) = '(?P<value>(?:[^'\n]|'')*)';\n")
_CALL = re.compile(r"SELECT pg_catalog\.(?P<function>pg_restore_(?:relation|attribute)_stats)\(\n")
_ARGUMENT = re.compile(
    r"    '(?P<key>\w+)', '(?P<text>(?:[^']|'')*)'::(?P<type>\w+(?:\[\])?)(?P<comma>,?)\n"
)
_END = re.compile(r"\);\n")
_LAST = re.compile(r"-- end: (?P<count>\d+) statements\n*\Z")
_BLANK = re.compile(r"\n+")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?", re.IGNORECASE)
_NUMBERS = re.compile(rf"\{{(?:{_NUMBER.pattern}(?:,{_NUMBER.pattern})*)?\}}", re.IGNORECASE)
_INTEGER = re.compile(r"-?\d{1,10}")
_SIZE: Mapping[str, str] = {"relpages": "integer", "reltuples": "real", "relallvisible": "integer"}
_PLACE: Mapping[str, str] = {"schemaname": "text", "relname": "text"}
_COLUMN: Mapping[str, str] = {"attname": "text", "attnum": "smallint", "inherited": "boolean"}


class StatisticsError(Exception):
    """Raised if a file cannot be read as statistics. The error's text is a message for the user."""


def read(path: Path) -> Statistics:
    """Read a file of statistics. Raise `StatisticsError` if the file is incomplete or invalid."""
    try:
        text = read_bytes(path).decode("utf-8")
    except OSError as error:
        raise StatisticsError(f"cannot read {path}: {reason(error)}") from error
    except UnicodeDecodeError as error:
        raise StatisticsError(f"{path} is not a text in UTF-8") from error
    return parsed(text.replace("\r\n", "\n"), path)


def is_statistics(path: Path) -> bool:
    """Return whether a file begins like a statistics file."""
    try:
        with path.open("rb") as opened:
            return opened.read(len(_TITLE)).startswith(_TITLE.rpartition(" ")[0].encode())
    except OSError:
        return False


def parsed(text: str, path: Path) -> Statistics:
    """Parse statistics. `path` is the file name for error messages. Raises `StatisticsError`."""
    return _Parser(text, path).statistics()


def written(statistics: Statistics) -> str:
    """Return statistics as the text of a file, with relations and columns ordered by name."""
    values = "yes" if statistics.with_values else "no"
    parts = [f"{_TITLE}\n-- server: {statistics.server}\n-- values: {values}\n"]
    parts += [f"\nSET {name} = {_literal(value)};" for name, value in statistics.settings]
    parts.append("\n" if statistics.settings else "")
    columns: dict[tuple[str, str], list[ColumnStatistics]] = {}
    for item in statistics.columns:
        columns.setdefault((item.schema, item.relation), []).append(item)
    count = 0
    for size in sorted(statistics.relations, key=lambda size: (size.schema, size.name)):
        mine = columns.get((size.schema, size.name), [])
        parts.append(_call("pg_restore_relation_stats", _of_size(size)))
        for item in sorted(mine, key=lambda item: (_order(item.column), item.inherited)):
            parts.append(_call("pg_restore_attribute_stats", _of_column(item)))
        count += 1 + len(mine)
    parts.append(f"\n-- end: {count} statements\n")
    return "".join(parts)


class _Parser:
    """Reads a text from its start, and reports the first line that is not valid."""

    def __init__(self, text: str, path: Path) -> None:
        self._text, self._path, self._at = text, path, 0

    def statistics(self) -> Statistics:
        """Parse the whole text, and return its statistics."""
        first = self._next(_FIRST)
        if first is None:
            raise StatisticsError(
                f"{self._path} is not a file of `aiosqlc stats`: it does not begin with `{_TITLE}`"
            )
        if first["format"] != "1":
            raise StatisticsError(
                f"{self._path} has format {first['format']}, but this version of aiosqlc reads"
                " format 1: write the file again with `aiosqlc stats pull`"
            )
        if _LAST.search(self._text) is None:
            raise StatisticsError(
                f"{self._path} ends before the line `-- end: … statements`: the file is not"
                " complete, so write it again with `aiosqlc stats`"
            )
        settings: list[tuple[str, str]] = []
        sizes: dict[tuple[str, str], RelationSize] = {}
        columns: dict[tuple[str, str, str, bool], ColumnStatistics] = {}
        while True:
            self._next(_BLANK)
            if (found := self._next(_LAST)) is not None:
                break
            if (found := self._next(_SETTING)) is not None:
                settings.append((found["name"], _text(found["value"])))
                if not is_setting(found["name"]):
                    self._fail(f"unknown setting `{found['name']}`", found.start())
            elif (found := self._next(_CALL)) is not None:
                self._call(found, sizes, columns)
            else:
                self._fail("expected a call of pg_restore_…_stats", self._at)
        if int(found["count"]) != len(sizes) + len(columns):
            self._fail(
                f"the file has {len(sizes) + len(columns)} statements instead of {found['count']}",
                found.start(),
            )
        return Statistics(
            first["server"],
            tuple(settings),
            tuple(sizes.values()),
            tuple(columns.values()),
            first["values"] == "yes",
        )

    def _call(
        self,
        call: re.Match[str],
        sizes: dict[tuple[str, str], RelationSize],
        columns: dict[tuple[str, str, str, bool], ColumnStatistics],
    ) -> None:
        is_size = call["function"] == "pg_restore_relation_stats"
        known = {**_PLACE, **(_SIZE if is_size else {**_COLUMN, **KEYS})}
        found = self._arguments(known)
        column = found.get("attname", found.get("attnum", ""))
        lacks = [key for key in (*_PLACE, *(_SIZE if is_size else ())) if key not in found]
        if lacks or (not is_size and not column):
            self._fail(f"the call has no argument `{(*lacks, 'attname')[0]}`", call.start())
        schema, relation = found["schemaname"], found["relname"]
        if is_size:
            pages, visible = int(found["relpages"]), int(found["relallvisible"])
            if (schema, relation) in sizes:
                self._fail(f"the size of {relation} occurs twice", call.start())
            if pages < -1:
                self._fail(f"{pages} is not a number of pages", call.start())
            size = RelationSize(schema, relation, pages, float(found["reltuples"]), visible)
            sizes[schema, relation] = size
            return
        inherited = found.get("inherited", "false") == "true"
        if (schema, relation) not in sizes:
            message = f"the statistics of {relation}.{column} come before the size of {relation}"
            self._fail(message, call.start())
        if (schema, relation, column, inherited) in columns:
            self._fail(f"{relation}.{column} occurs twice", call.start())
        values = tuple((key, found[key]) for key in KEYS if key in found)
        columns[schema, relation, column, inherited] = ColumnStatistics(
            schema, relation, column, values, inherited
        )

    def _arguments(self, known: Mapping[str, str]) -> dict[str, str]:
        """Read the arguments of a function call, and the end of the call."""
        found: dict[str, str] = {}
        while True:
            argument = self._next(_ARGUMENT)
            if argument is None:
                self._fail("expected an argument such as `'relname', 'orders'::text`", self._at)
            key, text = argument["key"], _text(argument["text"])
            if key not in known:
                self._fail(f"unknown argument `{key}`", argument.start())
            if key in found:
                self._fail(f"`{key}` occurs twice", argument.start())
            if argument["type"] != known[key] or not _fits(text, known[key]):
                self._fail(f"`{key}` needs a value of type {known[key]}", argument.start())
            found[key] = text
            if not argument["comma"]:
                break
        if self._next(_END) is None:
            self._fail("expected `);`", self._at)
        return found

    def _next(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self._text, self._at)
        if found:
            self._at = found.end()
        return found

    def _fail(self, why: str, at: int) -> Never:
        line = self._text.count("\n", 0, at) + 1
        raise StatisticsError(f"{self._path}:{line}: {why}")


def _fits(text: str, kind: str) -> bool:
    if kind == "boolean":
        return text in {"true", "false"}
    if kind == "real" and _NUMBER.fullmatch(text):
        return math.isfinite(float(text))
    patterns = {"integer": _INTEGER, "smallint": _INTEGER, "real": _NUMBER, "real[]": _NUMBERS}
    return kind not in patterns or patterns[kind].fullmatch(text) is not None


def _of_size(size: RelationSize) -> Iterator[tuple[str, str, str]]:
    yield "schemaname", size.schema, "text"
    yield "relname", size.name, "text"
    yield "relpages", str(size.pages), "integer"
    yield "reltuples", _number(size.rows), "real"
    yield "relallvisible", str(size.visible), "integer"


def _of_column(item: ColumnStatistics) -> Iterator[tuple[str, str, str]]:
    yield "schemaname", item.schema, "text"
    yield "relname", item.relation, "text"
    if item.column.isdecimal():
        yield "attnum", item.column, "smallint"
    else:
        yield "attname", item.column, "text"
    yield "inherited", "true" if item.inherited else "false", "boolean"
    values = dict(item.values)
    for key, kind in KEYS.items():
        if key in values:
            yield key, values[key], kind


def _call(function: str, arguments: Iterator[tuple[str, str, str]]) -> str:
    lines = [f"    '{key}', {_literal(text)}::{kind}" for key, text, kind in arguments]
    return f"\nSELECT pg_catalog.{function}(\n" + ",\n".join(lines) + "\n);\n"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


def _order(column: str) -> tuple[int, str]:
    return (int(column), "") if column.isdecimal() else (0, column)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _text(literal: str) -> str:
    return literal.replace("''", "'")
