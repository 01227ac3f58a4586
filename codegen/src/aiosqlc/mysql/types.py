"""MySQL's types as prepared statements report them, and sample values of the types."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pymysql.constants import FIELD_TYPE, FLAG

from aiosqlc.analysis.typenames.mysql import (
    BYTES,
    CHARACTERS,
    INTEGERS,
    MOMENTS,
    NUMBERS,
    PARSED,
    declared,
)
from aiosqlc.ir import SqlType, TypeKind
from aiosqlc.mysql.prepare import Described
from aiosqlc.parse.placeholders import Place, fill

__all__ = [
    "ANY",
    "BIGINT",
    "BOOL",
    "BYTES",
    "CHARACTERS",
    "DATE",
    "DATETIME",
    "DECIMAL",
    "DOUBLE",
    "GEOMETRY",
    "INT",
    "INTEGERS",
    "JSON",
    "MOMENTS",
    "NUMBERS",
    "PARSED",
    "TEXT",
    "TIME",
    "UUID",
    "VARBINARY",
    "VARCHAR",
    "declared",
    "family",
    "returned",
    "same_family",
    "sample",
    "value_of",
    "with_casts",
    "with_samples",
]

BOOL = SqlType("", "tinyint", length=1)
BIGINT = SqlType("", "bigint")
INT = SqlType("", "int")
DOUBLE = SqlType("", "double")
DECIMAL = SqlType("", "decimal")
VARCHAR = SqlType("", "varchar")
TEXT = SqlType("", "text")
DATE, TIME, DATETIME = SqlType("", "date"), SqlType("", "time"), SqlType("", "datetime")
JSON = SqlType("", "json")
VARBINARY = SqlType("", "varbinary")
UUID = SqlType("", "uuid")
GEOMETRY = SqlType("", "geometry")
ANY = SqlType("", "any", TypeKind.PSEUDO)

_CODES = {
    FIELD_TYPE.TINY: "tinyint",
    FIELD_TYPE.SHORT: "smallint",
    FIELD_TYPE.INT24: "mediumint",
    FIELD_TYPE.LONG: "int",
    FIELD_TYPE.LONGLONG: "bigint",
    FIELD_TYPE.FLOAT: "float",
    FIELD_TYPE.DOUBLE: "double",
    FIELD_TYPE.DECIMAL: "decimal",
    FIELD_TYPE.NEWDECIMAL: "decimal",
    FIELD_TYPE.DATE: "date",
    FIELD_TYPE.NEWDATE: "date",
    FIELD_TYPE.TIME: "time",
    FIELD_TYPE.DATETIME: "datetime",
    FIELD_TYPE.TIMESTAMP: "timestamp",
    FIELD_TYPE.YEAR: "year",
    FIELD_TYPE.BIT: "bit",
    FIELD_TYPE.JSON: "json",
    FIELD_TYPE.GEOMETRY: "geometry",
}
# The size of an expression's text is irrelevant for a compared column.
_SIZED = re.compile(r"^(?:tiny|medium|long)(?=text|blob)")
_TEXTS = {
    FIELD_TYPE.STRING: ("char", "binary"),
    FIELD_TYPE.VAR_STRING: ("varchar", "varbinary"),
    FIELD_TYPE.VARCHAR: ("varchar", "varbinary"),
    FIELD_TYPE.TINY_BLOB: ("tinytext", "tinyblob"),
    FIELD_TYPE.BLOB: ("text", "blob"),
    FIELD_TYPE.MEDIUM_BLOB: ("mediumtext", "mediumblob"),
    FIELD_TYPE.LONG_BLOB: ("longtext", "longblob"),
}


def returned(column: Described) -> SqlType:
    """Return the type of a result column from the server's description of the column."""
    name = _CODES.get(column.type_code)
    if name == "decimal":
        return SqlType("", name, scale=column.decimals, unsigned=column.unsigned)
    if name == "tinyint" and column.length == 1:
        return BOOL
    if name == "bit":
        return SqlType("", name, length=column.length)
    if name:
        return SqlType("", name, unsigned=column.unsigned and name in NUMBERS - {"year"})
    if column.type_code in _TEXTS:
        if column.flags & FLAG.SET:
            return SqlType("", "set")
        name = _TEXTS[column.type_code][column.is_binary]
        return SqlType("", _SIZED.sub("", name))
    return ANY


def same_family(left: SqlType, right: SqlType) -> bool:
    """Return whether a schema's type and the type that PREPARE reports have the same family."""
    return family(left) == family(right)


def family(kind: SqlType) -> str:
    """Return the family of a type; values of one family are compared in the same way."""
    if kind.kind is TypeKind.ENUM or kind.name in CHARACTERS | {
        "set",
        "json",
        "uuid",
        "inet6",
        "inet4",
    }:
        return "text"
    if kind.name in BYTES:
        return "bytes"
    if kind.name in INTEGERS:
        return "integer"
    return kind.name


_SHAPES = frozenset(
    {
        "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring",
        "multipolygon", "geometrycollection", "vector",
    }
)  # fmt: skip


def value_of(kind: SqlType) -> str:
    """Return the Python type that the driver returns, before generated code decodes the value."""
    if kind.name == "bit" or kind.name in _SHAPES:
        return "bytes"
    name = family(kind)
    return {"timestamp": "datetime", "double": "float"}.get(name, name)


_SAMPLES = {
    "integer": "1",  # a cast is invalid in LIMIT
    "decimal": "1.5",
    "float": "1e0",
    "double": "1e0",
    "text": "'x'",
    "bytes": "x'41'",
    "date": "DATE '2000-01-01'",
    "time": "TIME '00:00:01'",
    "datetime": "TIMESTAMP '2000-01-01 00:00:00'",
    "timestamp": "TIMESTAMP '2000-01-01 00:00:00'",
}


# Drivers send dates and times as text, and the server treats them as text.
_SENT = {
    "date": "'2000-01-01'",
    "time": "'00:00:01'",
    "datetime": "'2000-01-01 00:00:00'",
    "timestamp": "'2000-01-01 00:00:00'",
}
_LITERALS = {**_SAMPLES, **_SENT}
_CASTS = {"date": "DATE", "time": "TIME(6)", "datetime": "DATETIME(6)", "timestamp": "DATETIME(6)"}
_CASTS_OF_NULL = {**_CASTS, "text": "CHAR", "integer": "SIGNED", "bytes": "BINARY"}


def with_samples(
    sql: str, known: Mapping[int, SqlType], nulls: frozenset[int] = frozenset()
) -> str:
    """Replace each parameter of a known type by a literal, in the form that the driver sends.

    A literal has the type that a value of the parameter has for the server. The parameters in
    `nulls` are sent as NULL.
    """

    def literal(_index: int, place: Place) -> str:
        kind = known.get(place.number)
        if place.number in nulls:
            return "NULL"
        return _LITERALS.get(family(kind), "?") if kind else "?"

    return fill(sql, literal).sql


def sample(kind: SqlType) -> str:
    """Return the literal that the driver sends for a value of a type."""
    return _LITERALS.get(family(kind), "'x'")


def with_casts(sql: str, known: Mapping[int, SqlType], nulls: frozenset[int] = frozenset()) -> str:
    """Return a query in which parameters are cast to their types.

    Dates and times are cast. Among the parameters in `nulls`, texts, integers and bytes are cast
    too.
    """

    def cast(_index: int, place: Place) -> str:
        kind = known.get(place.number)
        casts = _CASTS_OF_NULL if place.number in nulls else _CASTS
        target = casts.get(family(kind)) if kind else None
        return f"CAST(${place.number} AS {target})" if target else f"${place.number}"

    return fill(sql, cast).sql
