"""The Python type that the MySQL drivers return for each MySQL type."""

from __future__ import annotations

from aiosqlc.drivers.pytype import PyType
from aiosqlc.ir import SqlType

_INT, _STR, _FLOAT, _BYTES = PyType("int"), PyType("str"), PyType("float"), PyType("bytes")
_DATETIME = PyType("datetime", frozenset({("datetime", "datetime")}))
_TIMEDELTA = PyType("timedelta", frozenset({("datetime", "timedelta")}))
# The protocol has no booleans: TINYINT(1) and comparisons arrive as 0 and 1.
_BOOL = PyType("bool", decode="bool({})")
_BITS = PyType("int", decode='int.from_bytes({}, "big")')
_ANY = PyType("Any", frozenset({("typing", "Any")}), atomic=False)
_MYSQL: dict[str, PyType] = {
    **dict.fromkeys(("tinyint", "smallint", "mediumint", "int", "bigint", "year"), _INT),
    **dict.fromkeys(("float", "double"), _FLOAT),
    **dict.fromkeys(
        (
            "char", "varchar", "tinytext", "text", "mediumtext", "longtext", "set", "json", "inet6",
            "inet4", "enum",
        ),
        _STR,
    ),
    **dict.fromkeys(
        (
            "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "geometry",
            "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon",
            "geometrycollection", "vector",
        ),
        _BYTES,
    ),
    "decimal": PyType("Decimal", frozenset({("decimal", "Decimal")})),
    "date": PyType("date", frozenset({("datetime", "date")})),
    "time": _TIMEDELTA,
    "datetime": _DATETIME,
    "timestamp": _DATETIME,
    "uuid": PyType("UUID", frozenset({("uuid", "UUID")}), decode="UUID({})", encode="str({})"),
    "bit": _BITS,
    "any": _ANY,
}  # fmt: skip


def python_type(sql: SqlType) -> PyType:
    """Return the Python type of a non-null value."""
    if sql.name == "tinyint" and sql.length == 1:
        return _BOOL
    return _MYSQL.get(sql.name, _STR)
