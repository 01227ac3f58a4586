"""Plan classes for the JSON values that a query builds, and decoders that create the objects."""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from aiosqlc.config.project import ModelKind
from aiosqlc.drivers.pytype import Import
from aiosqlc.ir import JsonKind, JsonShape, SqlType, TypeKind
from aiosqlc.plan import pytypes
from aiosqlc.plan.model import PyClass, PyDecoder, PyField, PyType
from aiosqlc.plan.naming import attribute, camel, constant, singular

MODULE = "json_documents"
"""The name of the generated module with the function that creates decoders."""
MAKER = "json_decoder"

_DECIMAL: Import = ("decimal", "Decimal")
# The Python types of scalars in JSON; other scalars are texts.
_SCALARS = {
    "bool": PyType("bool"),
    **dict.fromkeys(("int2", "int4", "int8"), PyType("int")),
    **dict.fromkeys(("float4", "float8"), PyType("float")),
    "numeric": PyType("Decimal", frozenset({_DECIMAL})),
    "date": PyType("date", frozenset({("datetime", "date")})),
    **dict.fromkeys(
        ("timestamp", "timestamptz"), PyType("datetime", frozenset({("datetime", "datetime")}))
    ),
    "time": PyType("time", frozenset({("datetime", "time")})),
    "uuid": PyType("UUID", frozenset({("uuid", "UUID")})),
    "bytea": PyType("bytes"),
}
_MYSQL_SCALARS = {
    **dict.fromkeys(("tinyint", "smallint", "mediumint", "int", "bigint"), PyType("int")),
    **dict.fromkeys(("float", "double"), PyType("float")),
    "decimal": _SCALARS["numeric"],
    "date": _SCALARS["date"],
    **dict.fromkeys(("datetime", "timestamp"), _SCALARS["timestamp"]),
    "time": PyType("timedelta", frozenset({("datetime", "timedelta")})),
    "uuid": _SCALARS["uuid"],
}
# Column names that the server generates for expressions without an alias.
_UNNAMED = re.compile(r"(?:(?:jsonb?|row|array)_.*|to_jsonb?|coalesce|case|\?column\?|)")


class Documents(Struct):
    """Plans the JSON columns of one query; `classes` and `decoders` collect the results.

    `enum` returns the class of an enum. `declared` returns the type of stored JSON with a declared
    structure.
    """

    query: str
    models: ModelKind
    maker: Import
    enum: Callable[[SqlType], PyType]
    declared: Callable[[JsonShape], PyType]
    taken: set[str]
    classes: list[PyClass] = field(default_factory=list)
    decoders: list[PyDecoder] = field(default_factory=list)

    def column(self, name: str, shape: JsonShape) -> PyType:
        """Return the Python type of a JSON column whose members are known from the query."""
        name = "" if _UNNAMED.fullmatch(name) else name
        found = self._type(shape, f"{self.query}_{name}" if name else "")
        label = self.free(f"_{constant(self.query)}_{constant(name or 'json')}", between="_")
        self.decoders.append(PyDecoder(label, found))
        return replace(
            found,
            imports=found.imports | {self.maker},
            decode=f"{label}({{}})",
            atomic=False,
        )

    def payload(self, name: str, shape: JsonShape) -> PyType:
        """Return the class of a notification's payload, and add its decoder."""
        found = self._type(shape, name)
        self.decoders.append(PyDecoder(self.free(f"_{constant(self.query)}"), found))
        return found

    def _type(self, shape: JsonShape, name: str) -> PyType:
        """Return the Python type of a JSON value.

        `name` is the path of the value, from which a class gets its name, or '' at the top.
        """
        found = self._certain(shape, name)
        return pytypes.optional(found) if shape.nullable else found

    def _certain(self, shape: JsonShape, name: str) -> PyType:
        inside = [member for _, member in shape.members]
        if shape.declared:
            return self.declared(shape)
        if shape.kind is JsonKind.SCALAR and shape.type:
            return self._scalar(shape.type)
        if shape.kind is JsonKind.OBJECT:
            return self._object(shape, name or f"{self.query}_object")
        if shape.kind is JsonKind.ARRAY:
            of = _singular(name) if name else f"{self.query}_item"
            item = self._type(inside[0], of) if inside else pytypes.UNKNOWN
            return generic("list", [item])
        if shape.kind is JsonKind.MAP:
            of = _singular(name) if name else f"{self.query}_value"
            item = self._type(inside[0], of) if inside else pytypes.UNKNOWN
            return generic("dict", [pytypes.TEXT, item])
        if shape.kind is JsonKind.TUPLE:
            of = name or f"{self.query}_item"
            kinds = [self._type(item, f"{of}_{n}") for n, item in enumerate(inside, 1)]
            return generic("tuple", kinds)
        return pytypes.UNKNOWN

    def _scalar(self, sql: SqlType) -> PyType:
        if sql.kind is TypeKind.ENUM:
            found = self.enum(sql)
            return PyType(found.annotation, found.imports_in(found.annotation))
        return scalar_type(sql)

    def _object(self, shape: JsonShape, name: str) -> PyType:
        """Return the class of an object, or a dict if a key cannot be an attribute."""
        keys = [key for key, _ in shape.members]
        if not keys or any(json_attribute(key, self.models) != key for key in keys):
            return generic("dict", [pytypes.TEXT, pytypes.UNKNOWN])
        called = self.free(camel(name))
        kinds = [self._type(member, f"{called}_{key}") for key, member in shape.members]
        members = zip(shape.members, kinds, strict=True)
        made = [member_field(key, kind, absent=member.absent) for (key, member), kind in members]
        fields = tuple(sorted(made, key=lambda item: bool(item.default)))  # as a class must
        cls = PyClass(called, self.models, fields)
        self.classes.append(cls)
        imports = frozenset[Import]().union(*(kind.imports for kind in kinds))
        return PyType(called, imports, atomic=cls.atomic)

    def free(self, name: str, *, between: str = "") -> str:
        """Return a name that no class or decoder of the query has, and reserve the name."""
        found, number = name, 1
        while found in self.taken:
            number += 1
            found = f"{name}{between}{number}"
        self.taken.add(found)
        return found


def member_field(key: str, kind: PyType, *, absent: bool) -> PyField:
    """Return the attribute for a member of an object; the member may be absent."""
    return PyField(key, pytypes.optional(kind), "None") if absent else PyField(key, kind)


def scalar_type(sql: SqlType) -> PyType:
    """Return the Python type of a JSON scalar that is not an enum value."""
    if sql.schema:
        known = _SCALARS.get(sql.name) if sql.schema == "pg_catalog" else None
    else:  # only MySQL's types have no schema; TINYINT(1) is a boolean
        known = _SCALARS["bool"] if sql.length == 1 else _MYSQL_SCALARS.get(sql.name)
    return known or pytypes.TEXT


def generic(name: str, inside: Sequence[PyType]) -> PyType:
    """Return the type `name[…]` of the given types."""
    shown = ", ".join(kind.annotation for kind in inside)
    imports = frozenset[Import]().union(*(kind.imports for kind in inside))
    return PyType(f"{name}[{shown}]", imports, atomic=False)


def json_attribute(key: str, models: ModelKind) -> str:
    """Return the attribute name for a JSON key, which is the key itself if possible."""
    plain = key.isidentifier() and key.isascii() and not key.startswith("_")
    small = key.lower()
    fits = plain and attribute(small, models) == small and not keyword.iskeyword(key)
    return key if fits else attribute(key, models)


def _singular(name: str) -> str:
    """Return the singular of a name, to name the elements of a list."""
    head, _, last = name.rpartition("_")
    return f"{head}_{singular(last)}" if head else singular(last)
