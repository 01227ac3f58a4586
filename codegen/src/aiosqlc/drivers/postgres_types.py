"""The Python type that each driver returns for each PostgreSQL type."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from aiosqlc.drivers.port import Types
from aiosqlc.drivers.pytype import Import, PyType
from aiosqlc.ir import SqlType, TypeKind


def _type(annotation: str, *imports: Import, atomic: bool = True) -> PyType:
    return PyType(annotation, frozenset(imports), atomic=atomic)


_INT, _STR, _FLOAT = _type("int"), _type("str"), _type("float")
_ANY = _type("Any", ("typing", "Any"), atomic=False)
_DATETIME = _type("datetime", ("datetime", "datetime"))
_TIME = _type("time", ("datetime", "time"))


# The types that all drivers decode to. Tests compare every line with a server.
_COMMON: dict[str, PyType] = {
    **dict.fromkeys(("int2", "int4", "int8", "oid", "xid", "cid", "xid8"), _INT),
    **dict.fromkeys(("float4", "float8"), _FLOAT),
    **dict.fromkeys(
        (
            "text", "varchar", "bpchar", "name", "citext", "xml", "json", "jsonb", "jsonpath",
            "money", "macaddr", "macaddr8", "tsvector", "tsquery", "ltree", "lquery", "ltxtquery",
            "regclass", "regproc", "regprocedure", "regoper", "regoperator", "regtype", "regrole",
            "regnamespace", "regconfig", "regdictionary", "regcollation", "refcursor", "aclitem",
            "pg_node_tree", "unknown", "cstring", "hstore", "pg_ndistinct", "pg_dependencies",
            "pg_mcv_list",
        ),
        _STR,
    ),
    "bool": _type("bool"),
    "numeric": _type("Decimal", ("decimal", "Decimal")),
    "uuid": _type("UUID", ("uuid", "UUID")),
    "bytea": _type("bytes"),
    "date": _type("date", ("datetime", "date")),
    "time": _TIME,
    "timetz": _TIME,
    "timestamp": _DATETIME,
    "timestamptz": _DATETIME,
    "interval": _type("timedelta", ("datetime", "timedelta")),
    "inet": _type(
        "IPv4Interface | IPv6Interface | IPv4Address | IPv6Address",
        ("ipaddress", "IPv4Interface"),
        ("ipaddress", "IPv6Interface"),
        ("ipaddress", "IPv4Address"),
        ("ipaddress", "IPv6Address"),
    ),
    "cidr": _type(
        "IPv4Network | IPv6Network", ("ipaddress", "IPv4Network"), ("ipaddress", "IPv6Network")
    ),
    "int2vector": _type("list[int]", atomic=False),
    "oidvector": _type("list[int]", atomic=False),
    "void": _type("None"),
    "record": _ANY,
}  # fmt: skip

_TEXTS = (
    "char", "bit", "varbit", "point", "line", "lseg", "box", "path", "polygon", "circle", "tid",
    "pg_snapshot", "txid_snapshot", "pg_lsn",
)  # fmt: skip


def _class(module: str, name: str) -> PyType:
    return _type(name, (module, name))


def _asyncpg(name: str) -> PyType:
    return _class("asyncpg", name)


_OF_ASYNCPG: dict[str, PyType] = {
    "char": _type("bytes"),
    "bit": _asyncpg("BitString"),
    "varbit": _asyncpg("BitString"),
    "point": _asyncpg("Point"),
    "line": _asyncpg("Line"),
    "lseg": _asyncpg("LineSegment"),
    "box": _asyncpg("Box"),
    "path": _asyncpg("Path"),
    "polygon": _asyncpg("Polygon"),
    "circle": _asyncpg("Circle"),
    "tid": _type("tuple[int, int]"),
    "pg_snapshot": _type("tuple[int, int, tuple[int, ...]]"),
    "txid_snapshot": _type("tuple[int, int, tuple[int, ...]]"),
    "pg_lsn": _INT,
}
_OF_PSYCOPG: dict[str, PyType] = dict.fromkeys(_TEXTS, _STR)

KNOWN = frozenset({*_COMMON, *_OF_ASYNCPG})
"""The PostgreSQL types for which the Python type that asyncpg returns is known."""


def _plain(own: dict[str, PyType]) -> Callable[[SqlType], PyType]:
    table = {**_COMMON, **own}

    def plain(sql: SqlType) -> PyType:
        return table.get(sql.name, _ANY if sql.kind is TypeKind.PSEUDO else _STR)

    return plain


OF_ASYNCPG = Types(_plain(_OF_ASYNCPG), range=_asyncpg("Range"))
OF_ASYNCPG_IN_SQLALCHEMY = replace(
    OF_ASYNCPG,  # SQLAlchemy decodes JSON on every connection that it opens
    plain=_plain({**_OF_ASYNCPG, "json": _ANY, "jsonb": _ANY}),
    json_as_text=False,
)
OF_PSYCOPG = Types(
    _plain(_OF_PSYCOPG),
    range=_class("psycopg.types.range", "Range"),
    multirange=("psycopg.types.multirange", "Multirange"),
    user_types_as_text=True,
)
