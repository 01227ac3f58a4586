"""Infer the columns of `SHOW …`. A server describes some kinds of SHOW only by running them."""

from __future__ import annotations

import re
from typing import Any

from msgspec.structs import replace
from pymysql.connections import Connection
from pymysql.protocol import FieldDescriptorPacket

from aiosqlc.mysql.prepare import Described, described_by
from aiosqlc.parse.scanner import first_word

# Column names may contain the database, the pattern and the current account.
_NAMED_FOR = re.compile(r"^(Tables|Database|Grants|CREATE USER)(?:_in_| \(| for ).*$", re.DOTALL)


def is_show(sql: str) -> bool:
    """Return whether a statement is `SHOW …`."""
    return first_word(sql) == "SHOW"


def run(connection: Connection[Any], sql: str) -> tuple[Described, ...]:
    """Run a `SHOW …` and return its columns.

    Raises `pymysql.MySQLError` with the server's message if it refuses the statement.
    """
    with connection.cursor() as cursor:
        cursor.execute(sql)
        result: Any = cursor._result  # noqa: SLF001 - no public attribute has a column's table and flags
        packets: list[FieldDescriptorPacket] = list(result.fields or ())
        return tuple([described_by(packet, connection.encoding) for packet in packets])


def named(columns: tuple[Described, ...]) -> tuple[Described, ...]:
    """Rename the columns, so that no name depends on the database or account."""
    return tuple([replace(c, name=_NAMED_FOR.sub(r"\1", c.name)) for c in columns])
