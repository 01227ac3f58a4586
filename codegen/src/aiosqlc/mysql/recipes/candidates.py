"""SQL expressions to try as a column's value; expressions with readable values come first."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

from aiosqlc.analysis.recipes import cycles
from aiosqlc.ir import SqlType
from aiosqlc.mysql import types

_LONGEST = 64
_SHORT = 3
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LARGEST = {"tinyint": 127, "smallint": 32_767, "mediumint": 8_388_607}
_MOMENTS = {
    "date": "DATE('2024-01-01') + INTERVAL ({n} % 100000) DAY",
    "datetime": "TIMESTAMP('2024-01-01') + INTERVAL {n} MINUTE",
    "timestamp": "TIMESTAMP('2024-01-01') + INTERVAL {n} MINUTE",
}
_SHAPES = {
    "point": "POINT(0 0)",
    "geometry": "POINT(0 0)",
    "linestring": "LINESTRING(0 0, 1 1)",
    "polygon": "POLYGON((0 0, 1 0, 1 1, 0 0))",
    "multipoint": "MULTIPOINT(0 0, 1 1)",
    "multilinestring": "MULTILINESTRING((0 0, 1 1))",
    "multipolygon": "MULTIPOLYGON(((0 0, 1 0, 1 1, 0 0)))",
    "geometrycollection": "GEOMETRYCOLLECTION(POINT(0 0))",
}


def candidates(kind: SqlType, place: tuple[str, str], likely: Sequence[str] = ()) -> Iterator[str]:
    """Yield SQL expressions to try as a value of a type.

    `place` are the names of the table and the column, and `likely` the constants of the column's
    constraints.
    """
    if kind.labels:
        yield from map(literal, kind.labels)
        labels = ", ".join(map(literal, kind.labels))
        yield f"ELT({{n}} % {len(kind.labels)} + 1, {labels})"
        return
    name, family = kind.name, types.family(kind)
    if name == "set":
        yield "''"
    elif name == "json":
        yield from ("JSON_OBJECT()", "JSON_ARRAY()", "JSON_OBJECT('n', {n})")
    elif name in {"uuid", "inet4", "inet6"}:
        yield from _addresses(name, place)
    elif name == "bit":
        yield from ("1", "0", f"{{n}} % {2 ** min(kind.length or 1, 32)}")
    elif name == "year":
        yield from ("2024", "1901 + {n} % 255", "2000 + {n} % 100")
    elif family == "integer":
        yield from _numbers(kind, likely)
    elif family in {"decimal", "float", "double"}:
        yield from _decimals(kind, likely)
    elif name in _MOMENTS:
        yield from _moments(name, likely)
    elif name == "time":
        yield from ("SEC_TO_TIME({n} % 86400)", "'09:00:00'", "'17:00:00'")
    elif family == "bytes":
        yield from _bytes(kind)
    elif name in _SHAPES:
        yield f"ST_GeomFromText('{_SHAPES[name]}')"
    else:
        yield from _texts(kind, place, likely)


def _addresses(name: str, place: tuple[str, str]) -> Iterator[str]:
    if name == "uuid":
        seed = literal(".".join(place))
        digest = f"MD5(CONCAT({seed}, {{n}}))"
        parts = (("", 1, 8), ("", 9, 4), ("4", 14, 3), ("a", 18, 3), ("", 21, 12))  # version 4
        pieces = ", '-".join(f"{mark}', SUBSTR({digest}, {at}, {size})" for mark, at, size in parts)
        yield f"CONCAT('{pieces})"
        yield "'00000000-0000-0000-0000-000000000001'"
    elif name == "inet4":
        yield "INET_NTOA(167772160 + {n})"
    else:
        yield "CONCAT('::', HEX({n}))"


def _numbers(kind: SqlType, likely: Sequence[str]) -> Iterator[str]:
    if kind.name == "tinyint" and kind.length == 1:
        yield from ("0", "1")
        return
    most = _LARGEST.get(kind.name)
    yield f"({{n}} % {most + 1})" if most else "{n}"
    literals = [text for text in likely if re.fullmatch(r"-?\d+", text)]
    yield from ("1", "0", "2", "10", "100", *literals)
    yield "-{n}"
    yield from (f"({text} - {{n}})" for text in literals)
    yield from (f"({text} + {{n}})" for text in literals)
    bounds = [Decimal(text) for text in literals]
    if most:
        lowest, highest = (0, 2 * most + 1) if kind.unsigned else (-most - 1, most)
        bounds += [Decimal(lowest), Decimal(highest)]
    yield from (f"({value})" for value in cycles(bounds, 0, ""))
    yield "({n} % 10)"
    yield from (f"({text} + {{n}} % 2)" for text in literals)


def _decimals(kind: SqlType, likely: Sequence[str]) -> Iterator[str]:
    whole = (kind.precision or 10) - (kind.scale or 0)
    yield f"({{n}} % {10 ** min(whole, 9)})" if whole < 9 else "{n}"
    literals = [text for text in likely if re.fullmatch(r"-?\d+(\.\d+)?", text)]
    yield from ("1", "0", "0.5", "2", "10", "100", *literals)
    yield from (f"({text} + {{n}})" for text in literals)
    bounds = [Decimal(text) for text in literals]
    if kind.precision is not None:
        most = Decimal(10) ** whole
        bounds = [b for b in (*bounds, 1 - most, Decimal(0), most) if -most <= b <= most]
    places = kind.scale or 0
    yield from (f"({value})" for value in cycles(bounds, places, "({n} DIV %d %% %d) / %d"))
    yield from (f"({text} + {{n}} % 2)" for text in literals)


def _moments(name: str, likely: Sequence[str]) -> Iterator[str]:
    first = _MOMENTS[name]
    yield f"({first})"
    for distance in ("1 DAY", "1 YEAR"):
        yield f"({first} + INTERVAL {distance})"
    yield f"({first} - INTERVAL 1 DAY)"
    yield from (literal(text) for text in likely if re.match(r"\d{4}-", text))


def _bytes(kind: SqlType) -> Iterator[str]:
    length = kind.length if kind.name in {"binary", "varbinary"} else None
    if length is not None and length <= _SHORT:
        size = 256**length  # a part of a digest repeats earlier
        yield f"CAST(UNHEX(LPAD(HEX({{n}} % {size}), {2 * length}, '0')) AS BINARY({length}))"
    yield f"CAST(LEFT(UNHEX(MD5({{n}})), {min(length or 16, 16)}) AS BINARY)"
    yield f"CAST(LEFT(UNHEX(SHA2({{n}}, 512)), {min(length or 64, 64)}) AS BINARY)"
    yield "x''"


def _texts(kind: SqlType, place: tuple[str, str], likely: Sequence[str]) -> Iterator[str]:
    named = " ".join(re.findall(r"[A-Za-z0-9]+", place[1].lower())) or "text"
    words = named.replace(" ", "-")
    length = kind.length if kind.name in {"char", "varchar"} else None
    if length is not None and length <= _SHORT:
        yield f"RIGHT(CONV({{n}}, 10, 36), {length})"  # more values than with digits alone
    values = [
        f"CONCAT('{named} ', {{n}})",
        "CONCAT('user', {n}, '@example.org')",
        f"CONCAT('{words}-', {{n}})",
        "CONCAT({n}, '')",
        "MD5({n})",
        *_addresses("uuid", place),
        "CONCAT('https://example.org/', {n})",
        "CONCAT('+49', 100000000 + {n})",
        f"CONCAT('{named.split()[0]}:n', {{n}})",
        f"CONCAT('{named.split()[0]}.n', {{n}})",
    ]
    for value in values:
        if length is None:
            yield value
        elif length >= 40 or "MD5" not in value:
            yield f"RIGHT({value}, {length})"
        else:
            yield f"LEFT({value}, {length})"
    # A condition may name a length: `CHAR_LENGTH(isbn) = 13`.
    for size in [text for text in likely if text.isdecimal() and 0 < int(text) <= _LONGEST]:
        yield f"LEFT(MD5({{n}}), {size})"
        yield f"LPAD({{n}}, {size}, '0')"
    for count in (2, 3, 8):
        if length is None or count <= length:
            yield _letters(count)
    for text in (*likely, "EUR", "DE", "12345", "a:b", "a.b", "{}", "[]", ""):
        if length is None or len(text) <= length:
            yield literal(text)


def _letters(count: int) -> str:
    """Return an expression that counts through all texts of `count` letters."""
    places = [26**power for power in reversed(range(count))]
    parts = (f"SUBSTR('{_LETTERS}', {{n}} DIV {place} % 26 + 1, 1)" for place in places)
    return f"CONCAT({', '.join(parts)})"


def literal(text: str) -> str:
    """Return a text as an SQL literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''").replace("{n}", "n") + "'"
