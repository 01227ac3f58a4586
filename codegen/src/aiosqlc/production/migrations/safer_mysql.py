"""Propose migrations with weaker locks for a dangerous statement on MySQL or MariaDB.

A proposal is not verified until it has been run; see `tried.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from aiosqlc.parse.scanner import scan
from aiosqlc.production.migrations.safer import Piece
from aiosqlc.source import Dialect

_I: Final = re.IGNORECASE
_ALTER = re.compile(r"alter\s+(?:online\s+|ignore\s+)*table\s+(?P<table>`[^`]+`|[\w$.]+)\s+", _I)
_OWN_CHOICE = re.compile(
    r"\s*,?\s*\b(?:algorithm\s*=?\s*\w+|lock\s*=?\s*(?:default|none|shared|exclusive))\b", _I
)
_KEY = re.compile(
    r"add\s+(?:constraint\s+(?:`[^`]+`|[\w$]+)?\s*)?foreign\s+key\s*(?:`[^`]+`|[\w$]+)?\s*"
    r"\((?P<columns>[^()]+)\)\s*references\s+(?P<parent>`[^`]+`|[\w$.]+)\s*"
    r"\((?P<referenced>[^()]+)\)",
    _I,
)


def proposals(sql: str) -> Iterator[tuple[Piece, ...]]:
    """Yield the migrations that could replace a statement, the best proposal first."""
    text = sql.strip()
    free = _OWN_CHOICE.sub("", text)
    if free != text:
        yield (_alone(free),)
    if (head := _ALTER.match(free)) is None:
        return
    start = f"ALTER TABLE {head['table']}"
    actions = list(_actions(free[head.end() :]))
    if len(actions) > 1:
        yield tuple(_alone(f"{start} {action}") for action in actions)
    if any(_KEY.match(action) for action in actions):
        yield tuple(_action(start, head["table"], action) for action in actions)


def _alone(*statements: str) -> Piece:
    return Piece(statements, in_block=False)


def _action(start: str, table: str, action: str) -> Piece:
    """Return a migration for one action; a foreign key is added without checking existing rows."""
    found = _KEY.match(action)
    if found is None:
        return _alone(f"{start} {action}")
    columns = [name.strip() for name in found["columns"].split(",")]
    referenced = [name.strip() for name in found["referenced"].split(",")]
    pairs = zip(columns, referenced, strict=False)
    equal = " AND ".join(f"parent.{there} = child.{here}" for here, there in pairs)
    given = " AND ".join(f"child.{here} IS NOT NULL" for here in columns)
    search = (
        f"SELECT * FROM {table} child WHERE {given} AND NOT EXISTS"  # noqa: S608 - the migration's own names
        f" (SELECT 1 FROM {found['parent']} parent WHERE {equal})"
    )
    return _alone(
        "SET SESSION foreign_key_checks = 0",
        "-- The server does not check the existing rows. This query must return no row:\n"
        f"-- {search}\n{start} {action}",
        "SET SESSION foreign_key_checks = 1",
    )


def _actions(text: str) -> Iterator[str]:
    """Yield the actions of an ALTER TABLE, which commas outside of brackets separate."""
    depth, start = 0, 0
    for token in scan(text, Dialect.MYSQL):
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if depth == 0 and token.text == ",":
            yield text[start : token.start].strip()
            start = token.end
    yield text[start:].strip()
