"""Hints for types of PostgreSQL and SQL Server that MySQL does not have."""

from __future__ import annotations

from typing import Final

from aiosqlc.analysis.advice import Place
from aiosqlc.messages.suggest import did_you_mean

_OWN: Final = {
    **dict.fromkeys(("serial4", "serial8", "bigserial", "smallserial"), "bigint AUTO_INCREMENT"),
    **dict.fromkeys(("timestamptz", "datetime2", "datetimeoffset"), "datetime"),
    "jsonb": "json",
    "bytea": "blob",
    "citext": "varchar(200)",
    "money": "decimal(19, 4)",
    "interval": "bigint",
    "string": "text",
    "uniqueidentifier": "char(36)",
    "number": "decimal(10, 2)",
    **dict.fromkeys(("nvarchar2", "varchar2"), "varchar(200)"),
    **dict.fromkeys(("hstore", "xml", "tsvector"), "text"),
    **dict.fromkeys(("int64", "long"), "bigint"),
}
_KNOWN: Final = (
    *("tinyint", "smallint", "mediumint", "int", "integer", "bigint", "decimal", "float", "double"),
    *("char", "varchar", "text", "tinytext", "mediumtext", "longtext", "binary", "varbinary"),
    *("blob", "date", "datetime", "timestamp", "time", "year", "json", "boolean", "enum", "set"),
)
# The type names in CAST for column types with other names.
_CASTS: Final = {
    **dict.fromkeys(("text", "varchar", "string", "character"), "char"),
    **dict.fromkeys(("int", "integer", "bigint", "smallint", "tinyint", "int8", "int4"), "signed"),
    **dict.fromkeys(("timestamp", "timestamptz"), "datetime"),
    **dict.fromkeys(("numeric", "number", "money"), "decimal(10, 2)"),
    **dict.fromkeys(("bytea", "blob"), "binary"),
    **dict.fromkeys(("real", "float8", "float4"), "double"),
}


def own_type(name: str) -> str:
    """Return the replacement for an unknown type, or an empty string."""
    own = _OWN.get(name.lower())
    return f"write `{own}`" if own else did_you_mean(name, _KNOWN)


def own_cast(name: str) -> str:
    """Return the type that CAST accepts in place of the type `name`, or an empty string."""
    if name.lower() in {"boolean", "bool"}:
        return "write `a <> 0`: MySQL cannot CAST to a boolean"
    own = _CASTS.get(name.lower())
    return f"CAST uses other type names than a column declaration: write `{own}`" if own else ""


def type_advice(place: Place) -> str:
    """Return the replacement for a type near a syntax error, or an empty string."""
    function, _ = place.call
    if place.word(-1) == "AS" and function == "CAST":
        return own_cast(place.said())
    if place.verb in {"CREATE", "ALTER"} and function != "CAST":
        return _column(place)
    return ""


def _column(place: Place) -> str:
    word = place.word()
    if (word == "[" and place.word(1) in {"]", ""}) or word == "[]":
        return "MySQL does not have arrays: use `json`, or a separate table"
    if (word == "WITH" and place.word(1) == "TIME") or word == "WITHOUT":
        return "write `datetime`, and store times in UTC"
    if word == "IDENTITY" or place.word(-1) == "IDENTITY":
        return "write `bigint AUTO_INCREMENT`"
    if word == "TYPE" and place.words[1:2] == ["TABLE"]:
        return f"write `MODIFY COLUMN {place.said(-1)} {place.said(1)}`"
    if "CONCURRENTLY" in {word, place.word(-1)}:
        return "remove `CONCURRENTLY`, which is PostgreSQL syntax"
    if word == "WHERE" and "INDEX" in place.words[1:3]:
        return "MySQL does not support partial indexes: remove the `WHERE`"
    if word in {"TYPE", "EXTENSION", "DOMAIN"} and place.word(-1) == "CREATE":
        own = {"TYPE": ": write `enum('a', 'b')` in the column declaration", "DOMAIN": ""}
        return f"`CREATE {word}` is PostgreSQL's{own.get(word, ': remove it')}"
    if word in {")", ","} and place.word(-1) in {"VARCHAR", "VARBINARY"}:
        return f"write the length: `{place.said(-1).lower()}(200)`"
    return ""
