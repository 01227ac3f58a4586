"""The Python type of each database type, as the driver really returns it."""

from __future__ import annotations

from aiosqlc.plan.model import Import, PyType


def _type(annotation: str, *imports: Import, atomic: bool = True) -> PyType:
    return PyType(annotation, frozenset(imports), atomic=atomic)


_INT, _STR, _FLOAT = _type("int"), _type("str"), _type("float")
_ANY = _type("Any", ("typing", "Any"), atomic=False)
_DATETIME = _type("datetime", ("datetime", "datetime"))
_TIME = _type("time", ("datetime", "time"))


def _asyncpg(name: str) -> PyType:
    return _type(name, ("asyncpg", name))


# What asyncpg decodes to; every line is checked against a live server in the tests.
POSTGRES: dict[str, PyType] = {
    **dict.fromkeys(("int2", "int4", "int8", "oid", "xid", "cid", "xid8", "pg_lsn"), _INT),
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
    "char": _type("bytes"),
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
    "int2vector": _type("list[int]", atomic=False),
    "oidvector": _type("list[int]", atomic=False),
    "void": _type("None"),
    "record": _ANY,
}  # fmt: skip

# What asyncpg has no binary form of: it refuses to decode a range over these.
SENT_AS_TEXT = frozenset({"money"})
RANGE = _asyncpg("Range")
UNKNOWN = _ANY
TEXT = _STR


def optional(base: PyType) -> PyType:
    """Return the type of a value that may be NULL."""
    annotation = base.annotation
    if annotation not in {"Any", "None"} and not annotation.endswith("| None"):
        annotation = f"{annotation} | None"
    return PyType(
        annotation,
        base.imports,
        _unless_none(base.decode),
        _unless_none(base.encode),
        base.atomic,
    )


def _unless_none(expression: str) -> str:
    return f"None if {{}} is None else {expression}" if expression else ""


def list_of(element: PyType, *, parameter: bool = False) -> PyType:
    """Return the type of an array: a list in results, any sequence as a parameter."""
    name = "Sequence" if parameter else "list"
    imports = element.imports | ({("collections.abc", "Sequence")} if parameter else frozenset())
    return PyType(
        f"{name}[{element.annotation}]",
        imports,
        _each(element.decode),
        _each(element.encode),
        atomic=False,
    )


def _each(expression: str) -> str:
    return f"[{expression.replace('{}', 'item')} for item in {{}}]" if expression else ""
