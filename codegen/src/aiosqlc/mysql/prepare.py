"""Ask the server for a statement's parameters and columns without running it: COM_STMT_PREPARE."""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import Any

from msgspec import Struct
from pymysql.connections import Connection
from pymysql.constants import COMMAND, FLAG
from pymysql.protocol import FieldDescriptorPacket

# The response to a prepare: `status, statement id, columns, parameters, filler, warnings`.
_PREPARED = struct.Struct("<BIHHBH")
BINARY_CHARSET = 63


class Described(Struct, frozen=True):
    """A result column as the server describes it. `origin` is (schema, table, column) or None.

    `length` is in bytes. `decimals` is the number of digits after the point (31 or more: not
    fixed).
    """

    name: str
    type_code: int
    flags: int
    charset: int
    length: int
    decimals: int
    table_alias: str
    origin: tuple[str, str, str] | None

    @property
    def not_null(self) -> bool:
        """Return whether the server flags the column as NOT NULL; the flag can be wrong."""
        return bool(self.flags & FLAG.NOT_NULL)

    @property
    def unsigned(self) -> bool:
        """Return whether the column is an unsigned number."""
        return bool(self.flags & FLAG.UNSIGNED)

    @property
    def is_binary(self) -> bool:
        """Return whether the column holds bytes or a number instead of text."""
        return self.charset == BINARY_CHARSET


class Prepared(Struct, frozen=True):
    """The server's description of a statement: the number of parameters, and the result columns."""

    parameters: int
    columns: tuple[Described, ...]


def prepare(connection: Connection[Any], sql: str) -> Prepared:
    """Prepare `sql` (parameters are `?`), read its description and close the statement.

    Raises `pymysql.MySQLError` with the server's message if it refuses the statement.
    """
    connection._execute_command(COMMAND.COM_STMT_PREPARE, sql)  # noqa: SLF001 - there is no public call for a prepare
    head = connection._read_packet()  # noqa: SLF001 - as above
    _, statement, columns, parameters, _, _ = _PREPARED.unpack(head.get_all_data()[:12])
    _definitions(connection, parameters)
    encoding = connection.encoding
    described = tuple([_described(data, encoding) for data in _definitions(connection, columns)])
    connection._execute_command(COMMAND.COM_STMT_CLOSE, struct.pack("<I", statement))  # noqa: SLF001 - as above; the server sends no response
    return Prepared(parameters, described)


def _definitions(connection: Connection[Any], count: int) -> list[bytes]:
    read = connection._read_packet  # noqa: SLF001 - as above
    packets = [read().get_all_data() for _ in range(count)]
    if count:
        read()  # the end-of-list packet
    return packets


@lru_cache(maxsize=4096)  # the texts of a query and adjacent queries share columns
def _described(data: bytes, encoding: str) -> Described:
    return described_by(FieldDescriptorPacket(data, encoding), encoding)


def described_by(packet: FieldDescriptorPacket, encoding: str) -> Described:
    """Return the description of a column in a packet from the server."""
    table, column = packet.org_table, packet.org_name
    origin = (packet.db.decode(encoding), table, column) if table and column else None
    return Described(
        name=packet.name,
        type_code=packet.type_code,
        flags=packet.flags,
        charset=packet.charsetnr,
        length=packet.length,
        decimals=packet.scale,
        table_alias=packet.table_name,
        origin=origin,
    )
