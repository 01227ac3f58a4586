"""Parse a MySQL type, in the syntax of SQL or as `information_schema` shows it."""

from __future__ import annotations

import re

from msgspec.structs import replace

from aiosqlc.ir import SqlType, TypeKind

INTEGERS = frozenset({"tinyint", "smallint", "mediumint", "int", "bigint", "year", "bit"})
NUMBERS = INTEGERS | {"decimal", "float", "double"}
CHARACTERS = frozenset({"char", "varchar", "tinytext", "text", "mediumtext", "longtext"})
BYTES = frozenset({"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"})
PARSED = frozenset({"uuid", "inet4", "inet6"})
"""The types whose values the server compares with a text by converting the text, if possible."""
MOMENTS = frozenset({"date", "time", "datetime", "timestamp"})

_DECLARED = re.compile(
    r"^(?P<name>[a-z_0-9 ]+?)\s*(?:\((?P<args>.*)\)(?P<rest>[a-z0-9_ ]*))?$",
    re.DOTALL | re.IGNORECASE,
)
# A storage remark: `datetime /* mariadb-5.3 */`, `blob /*M!100301 COMPRESSED*/`.
_REMARK = re.compile(r"(?:\s*/\*[^']*?\*/)+\s*$")
_LABEL = re.compile(r"'((?:[^'\\]|''|\\.)*)'", re.DOTALL)
ALIASES = {
    "integer": "int", "int4": "int", "int2": "smallint", "int8": "bigint", "int1": "tinyint",
    "int3": "mediumint",
    "middleint": "mediumint", "dec": "decimal", "numeric": "decimal", "fixed": "decimal",
    "double precision": "double",
    "real": "double", "float8": "double", "float4": "float", "character": "char",
    "character varying": "varchar",
    "nchar": "char", "national char": "char", "nvarchar": "varchar", "national varchar": "varchar",
    "national character": "char", "nchar varying": "varchar", "char varying": "varchar",
    "nchar varchar": "varchar", "national char varying": "varchar",
    "national character varying": "varchar",
    "long": "mediumtext", "long varchar": "mediumtext", "long varbinary": "mediumblob",
    "long char varying": "mediumtext", "long character varying": "mediumtext",
    "char byte": "binary",
}  # fmt: skip
_COLLATED = re.compile(r"\s+(?:character\s+set|charset|collate)\s+\w+", re.IGNORECASE)
_SINGLE_FLOAT = 24  # binary digits of the precision
NAMES = frozenset(
    {
        *NUMBERS, *CHARACTERS, *BYTES, *PARSED, *MOMENTS, "enum", "set", "json", "geometry",
        "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon",
        "geometrycollection", "vector",
    }
)  # fmt: skip


def type_named(text: str) -> SqlType | None:
    """Return the type that a column declaration names, or None if the text is not a type.

    The result contains the length, precision and labels in the text, and no defaults.
    """
    plain = " ".join(_COLLATED.sub("", text).split()).lower()
    found = declared(plain if "'" not in text else text)
    if found.name == "float" and found.length is not None:
        name = "float" if found.length <= _SINGLE_FLOAT else "double"
        return SqlType("", name, unsigned=found.unsigned)
    if found.name not in NAMES:
        return None
    return found if "(" in text else replace(found, precision=None, scale=None)


def declared(text: str, *, enum_name: str = "") -> SqlType:
    """Parse a type as `information_schema` writes it: `int(10) unsigned`, `enum('a','b')`.

    `enum_name` is the name for an enum of this column.
    """
    text = _REMARK.sub("", text)
    match = _DECLARED.match(text.strip())
    if match is None:
        return SqlType("", text.strip().lower())
    name, args = match["name"].lower(), match["args"] or ""
    unsigned = "unsigned" in f"{name} {match['rest'] or ''}".lower()
    name = re.sub(r"\s*(unsigned|signed|zerofill)\b", "", name).strip()
    name = ALIASES.get(name, name)
    if name in {"bool", "boolean"}:
        return SqlType("", "tinyint", length=1)
    if name == "serial":
        return SqlType("", "bigint", unsigned=True)
    if name == "enum":
        return SqlType("", enum_name or "enum", TypeKind.ENUM, labels=_labels(args))
    if name == "set":
        return SqlType("", "set", labels=_labels(args))
    numbers = [int(part) for part in args.split(",") if part.strip().isdigit()]
    if name == "decimal":
        precision, scale = [*numbers, *(10, 0)[len(numbers) :]][:2]
        return SqlType("", name, precision=precision, scale=scale, unsigned=unsigned)
    if name in MOMENTS and numbers and numbers[0]:  # the precision is fractional seconds
        return SqlType("", name, precision=numbers[0])
    return SqlType("", name, length=_length(name, numbers), unsigned=unsigned)


def _labels(args: str) -> tuple[str, ...]:
    return tuple(label.replace("''", "'").replace("\\\\", "\\") for label in _LABEL.findall(args))


def _length(name: str, numbers: list[int]) -> int | None:
    """Return the declared length; for an integer, only that of `tinyint(1)` is returned."""
    if name in INTEGERS - {"bit"}:
        return 1 if name == "tinyint" and numbers == [1] else None
    if name in MOMENTS:
        return None
    return numbers[0] if numbers else None
