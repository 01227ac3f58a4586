"""Parse a PostgreSQL type in SQL syntax, with every synonym that PostgreSQL's grammar accepts."""

from __future__ import annotations

import re

from aiosqlc.ir import SqlType

# Type names of the grammar. `test_typenames` compares each with the server.
ALIASES = {
    **dict.fromkeys(("int", "integer", "serial", "serial4"), "int4"),
    **dict.fromkeys(("smallint", "smallserial", "serial2"), "int2"),
    **dict.fromkeys(("bigint", "bigserial", "serial8"), "int8"),
    "real": "float4",
    **dict.fromkeys(("float", "double precision"), "float8"),
    **dict.fromkeys(("decimal", "dec"), "numeric"),
    "boolean": "bool",
    **dict.fromkeys(
        (
            "character varying", "char varying", "national character varying",
            "national char varying", "nchar varying",
        ),
        "varchar",
    ),
    **dict.fromkeys(
        ("character", "char", "nchar", "national character", "national char"), "bpchar"
    ),
    "bit varying": "varbit",
    "timestamp with time zone": "timestamptz",
    "timestamp without time zone": "timestamp",
    "time with time zone": "timetz",
    "time without time zone": "time",
}  # fmt: skip
_ARRAY = re.compile(r"(?:\s*\[\s*\d*\s*\])+$|\s+array(?:\s*\[\s*\d+\s*\])?$", re.IGNORECASE)
_MODIFIER = re.compile(r"\s*\(\s*(\d+)\s*(?:,\s*(-?\d+)\s*)?\)")
_QUALIFIED = re.compile(r'(?:("(?:[^"]|"")+"|[\w$]+)\s*\.\s*)?("(?:[^"]|"")+"|[^".]+)')
_SINGLE_FLOAT = 24  # binary digits of the precision
_SIZED = frozenset({"varchar", "bpchar", "bit", "varbit"})


def type_named(text: str) -> SqlType | None:
    """Return the type with a name such as `numeric(8, 2)`, or None if the text is not a type."""
    text = text.strip()
    array = _ARRAY.search(text)
    plain = text[: array.start()] if array else text
    modifier = _MODIFIER.search(plain)
    plain = _MODIFIER.sub("", plain, count=1)
    named = _QUALIFIED.fullmatch(plain)
    if named is None:
        return None
    schema, name = _folded(named[1] or ""), _folded(named[2])
    if not named[1] and not named[2].startswith('"'):
        name = " ".join(name.split())
        schema, name = ("pg_catalog", ALIASES[name]) if name in ALIASES else ("", name)
        if name.startswith("interval "):  # as in `interval year to month`
            name = "interval"
    first = int(modifier[1]) if modifier else None
    if name == "float8" and first is not None:
        name, first = ("float4" if first <= _SINGLE_FLOAT else "float8"), None
    scale = int(modifier[2] or 0) if modifier and name == "numeric" else None
    return SqlType(
        schema,
        name,
        array_dims=1 if array else 0,
        length=first if name in _SIZED else None,
        precision=first if name == "numeric" else None,
        scale=scale,
    )


def _folded(word: str) -> str:
    return word[1:-1].replace('""', '"') if word.startswith('"') else word.lower()
