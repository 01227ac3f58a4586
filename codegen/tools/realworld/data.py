"""Insert random rows into the tables of a MySQL database, skipping constraint violations."""

from __future__ import annotations

import re
from contextlib import suppress
from random import Random
from typing import Any

import pymysql

_COLUMNS = """
SELECT table_name, column_name, data_type, column_type, is_nullable, extra, character_maximum_length
FROM information_schema.columns
WHERE table_schema = database() AND generation_expression IS NULL
ORDER BY table_name, ordinal_position
"""
_KEYS = """
SELECT table_name, column_name, referenced_table_name, referenced_column_name
FROM information_schema.key_column_usage
WHERE table_schema = database() AND referenced_table_name IS NOT NULL
"""
_LABEL = re.compile(r"'((?:[^']|'')*)'")
_TRIES = 3  # passes, so that a table comes after those it refers to
_NUMBERS = ("int", "decimal", "float", "double", "year", "bit")


def quoted(name: str) -> str:
    """Return a quoted name that is safe in a text with `%s`."""
    return f"`{name.replace('`', '``').replace('%', '%%')}`"


async def insert_rows(adapter: Any, random: Random, most: int, nulls: float = 0.4) -> None:
    """Insert up to `most` rows into each table."""
    columns: dict[str, list[tuple[Any, ...]]] = {}
    for table, *column in await adapter.fetch(_COLUMNS):
        columns.setdefault(table, []).append(tuple(column))
    keys = {(row[0], row[1]): (row[2], row[3]) for row in await adapter.fetch(_KEYS)}
    for _ in range(_TRIES):
        for table, described in columns.items():
            for _ in range(random.randint(1, most)):
                await _insert(adapter, random, table, described, keys, nulls)


async def _insert(
    adapter: Any,
    random: Random,
    table: str,
    columns: list[tuple[Any, ...]],
    keys: dict[tuple[str, str], tuple[str, str]],
    nulls: float,
) -> None:
    row: dict[str, object] = {}
    for name, kind, full, nullable, extra, length in columns:
        if "auto_increment" in str(extra).lower():
            continue
        if nullable == "YES" and random.random() < nulls:
            row[name] = None
        elif (table, name) in keys:
            other, column = keys[table, name]
            found = await adapter.fetch(f"select {quoted(column)} from {quoted(other)} limit 20")  # noqa: S608 - names of the catalogue
            if not found and nullable != "YES":
                return
            row[name] = random.choice(found)[0] if found else None
        else:
            row[name] = _value(random, str(kind).lower(), str(full), length)
    names = ", ".join(map(quoted, row))
    marks = ", ".join(["%s"] * len(row))
    sql = f"insert into {quoted(table)} ({names}) values ({marks})"  # noqa: S608 - as above
    with suppress(pymysql.MySQLError):
        await adapter.execute(sql, *row.values())


def _value(random: Random, kind: str, full: str, length: int | None) -> object:
    if kind in {"enum", "set"}:
        return random.choice(_LABEL.findall(full) or [""])
    if kind.endswith(_NUMBERS):
        return random.choice([0, 1, 2, 3, 5])
    if kind in {"datetime", "timestamp"}:
        return random.choice(["2024-01-01 00:00:00", "1999-12-31 23:59:59"])
    if kind == "date":
        return random.choice(["2024-02-29", "1999-12-31"])
    if kind == "time":
        return "12:30:00"
    if kind == "json" or full == "longtext":
        return random.choice(['{"k": 1}', "[]", "null"])
    words = ["", "a", "b", "x y", "Straße", "1"]
    return random.choice(words)[: length or None]
