"""Values of every type as a caller passes them, and the equal literals in SQL."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from aiosqlc.ir import SqlType, TypeKind
from aiosqlc.mysql import types

SCHEMA = """
CREATE TABLE t (
    id int PRIMARY KEY, i int NOT NULL, w decimal(10, 2), f double, s varchar(40) NOT NULL,
    st enum('a', 'b') NOT NULL, se set('a', 'b'), b varbinary(40), born date, at datetime,
    ts timestamp NULL, tm time, ok tinyint(1) NOT NULL, y year, u uuid, ip inet6, js json,
    bt bit(4), g point, FULLTEXT (s)
);
CREATE FUNCTION plus_days(start date, days int) RETURNS date DETERMINISTIC
    RETURN start + INTERVAL days DAY;
CREATE FUNCTION named(label varchar(20), price decimal(10, 2)) RETURNS varchar(40) DETERMINISTIC
    RETURN concat(label, price);
CREATE PROCEDURE noted(IN label varchar(20), IN price decimal(10, 2), IN day date) SET @x = label;
"""
_UUID = "00000000-0000-0000-0000-00000000000{}"
ROWS = (
    "INSERT INTO t VALUES (1, 1, 1.50, 1.5, 'abc', 'a', 'a', x'ff0001', '2024-05-06',"
    " '2024-05-06 07:08:09', '2024-05-06 07:08:09', '10:20:30', 1, 2024,"
    f" '{_UUID.format(1)}', '::1', '{{\"a\": 1}}', b'1', POINT(1, 2)),"
    " (2, 5, 7.25, 20.25, 'zzz', 'b', 'b', x'00', '2001-02-03', '2001-02-03 04:05:06',"
    " '2001-02-03 04:05:06', '01:00:00', 0, 2001,"
    f" '{_UUID.format(2)}', '::2', '[1, 2]', b'10', POINT(3, 4)),"
    " (3, 2024, 1.00, 1, '12', 'a', 'a,b', 'abc', '2020-01-01', '2020-01-01 00:00:00',"
    " '2020-01-01 00:00:00', '00:00:01', 1, 1999,"
    f" '{_UUID.format(3)}', '::3', '\"x\"', b'11', POINT(5, 6))"
)
COLUMNS = (
    "i", "w", "f", "s", "st", "b", "born", "at", "tm", "ok", "y", "u", "ip", "js", "se", "bt", "ts",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Value:
    """A Python value, and the SQL literal with the same type and value."""

    python: object
    literal: str


def _texts(*values: str) -> tuple[Value, ...]:
    return tuple(Value(text, "'" + text.replace("'", "''") + "'") for text in values)


def _numbers(*values: object) -> tuple[Value, ...]:
    return tuple(Value(value, str(value)) for value in values)


def _shape(kind: int, *points: tuple[float, float]) -> bytes:
    """Return a point or a line as WKB."""
    count = b"" if kind == 1 else struct.pack("<I", len(points))
    return struct.pack("<BI", 1, kind) + count + b"".join(struct.pack("<dd", *p) for p in points)


def _ring(*points: tuple[float, float]) -> bytes:
    """Return a polygon of one ring."""
    return struct.pack("<BII", 1, 3, 1) + _shape(2, *points)[5:]


def _many(kind: int, *shapes: bytes) -> bytes:
    """Return several shapes as one."""
    return struct.pack("<BII", 1, kind, len(shapes)) + b"".join(shapes)


GENERAL: dict[str, tuple[Value, ...]] = {
    "text": _texts("abc", "zzz", "a%"),
    "integer": _numbers(1, 5, 2024),
    "decimal": _numbers(Decimal("1.5"), Decimal("7.25")),
    "double": tuple(Value(value, f"{value}e0") for value in (1.5, 20.25, 0.5)),
    "date": (
        Value(date(2024, 5, 6), "DATE'2024-05-06'"), Value(date(2001, 2, 3), "DATE'2001-02-03'"),
    ),
    "datetime": (
        Value(datetime(2024, 5, 6, 7, 8, 9), "TIMESTAMP'2024-05-06 07:08:09'"),  # noqa: DTZ001 - DATETIME has no zone
        Value(datetime(2001, 2, 3, 4, 5, 6), "TIMESTAMP'2001-02-03 04:05:06'"),  # noqa: DTZ001 - as above
    ),
    "time": (
        Value(timedelta(hours=10, minutes=20, seconds=30), "TIME'10:20:30'"),
        Value(timedelta(hours=1), "TIME'01:00:00'"),
    ),
    "bytes": (Value(b"\xff\x00\x01", "x'ff0001'"), Value(b"\x00\xfe", "x'00fe'")),
    "bool": (Value(False, "FALSE"), Value(True, "TRUE")),
}  # fmt: skip
"""Values of each sort, none of which has a form that only some functions read."""

FORMS: dict[str, tuple[Value, ...]] = {
    "text": _texts(
        "POINT(1 2)", "LINESTRING(0 0,1 1,2 0)", "POLYGON((0 0,3 0,3 3,0 0))",
        "MULTIPOINT(1 1,2 2)", "MULTILINESTRING((0 0,1 1),(2 2,3 3))",
        "MULTIPOLYGON(((0 0,3 0,3 3,0 0)))", "GEOMETRYCOLLECTION(POINT(1 1))",
        '{"type": "Point", "coordinates": [1, 2]}', "$.a", "one", "YWJj", "616263",
        "%Y-%m-%d", "2024-05-06", "10:20:30", "12", "10.0.0.1", "::1", _UUID.format(1), "^a",
        "/a", "<a>b</a>", "{} x", "aes-256-cbc", "YYYY-MM-DD", "1 10:20:30", "utf8mb4",
        "abcdefghijklmnop", "%", "+01:00", "1 12",
    ),
    "json": _texts('{"a": 1}', "[1, 2]"),
    "uuid": _texts(_UUID.format(1), _UUID.format(2)),
    "inet6": _texts("::1", "10.0.0.1"),
    "year": _numbers(2024, 2001),
    "bit": _numbers(1, 0),
    "geometry": tuple(
        Value(bytes(4) + shape, f"ST_GeomFromText('{text}')")
        for shape, text in (
            (_shape(1, (1, 2)), "POINT(1 2)"),
            (_shape(2, (0, 0), (1, 1), (2, 0)), "LINESTRING(0 0,1 1,2 0)"),
            (_ring((0, 0), (3, 0), (3, 3), (0, 0)), "POLYGON((0 0,3 0,3 3,0 0))"),
            (_many(4, _shape(1, (1, 1)), _shape(1, (2, 2))), "MULTIPOINT(1 1,2 2)"),
        )
    ),
    "integer": _numbers(256, 0, 4326),
}  # fmt: skip
"""Values in a form, or of types that texts and numbers are converted to."""

MADE = (
    "COMPRESS('abc')", "COLUMN_CREATE('a', 1)", "AES_ENCRYPT('abc', 'abc')", "INET6_ATON('::1')",
    "ST_AsWKB(POINT(1, 2))", "POINT(1, 2)", "ST_GeomFromText('LINESTRING(0 0,1 1,2 0)')",
    "ST_GeomFromText('POLYGON((0 0,3 0,3 3,0 0),(1 1,2 1,2 2,1 1))')",
    "ST_GeomFromText('MULTIPOINT(1 1,2 2)')", "ST_AsWKB(ST_GeomFromText('LINESTRING(0 0,1 1)'))",
    "ST_AsWKB(ST_GeomFromText('POLYGON((0 0,3 0,3 3,0 0))'))",
    "ST_AsWKB(ST_GeomFromText('MULTIPOINT(1 1,2 2)'))",
    "ST_AsWKB(ST_GeomFromText('MULTILINESTRING((0 0,1 1),(2 2,3 3))'))",
    "ST_AsWKB(ST_GeomFromText('MULTIPOLYGON(((0 0,3 0,3 3,0 0)))'))",
    "ST_AsWKB(ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 1))'))",
    "ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 1))')",
)  # fmt: skip
"""Bytes in a form, as the server creates them."""


def sort_of(kind: SqlType) -> str:
    """Return the name under which the values of a type are stored here."""
    if kind == types.BOOL:
        return "bool"
    if kind.kind is TypeKind.ENUM or kind.name == "set":
        return "labels"
    if kind.name in {"json", "uuid", "inet6", "inet4", "year", "bit", "geometry"}:
        return "inet6" if kind.name == "inet4" else kind.name
    family = types.family(kind)
    return {"float": "double", "timestamp": "datetime"}.get(family, family)


def general(kind: SqlType) -> tuple[Value, ...]:
    """Return values of a type as any caller may pass them."""
    sort = sort_of(kind)
    if sort == "labels":
        return _texts(*(kind.labels or ("a", "b")))
    return GENERAL.get(sort) or FORMS.get(sort, ())
