"""Resolves database types to Python types, noting the enums and composites they need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from aiosqlc.config.project import ModelKind, PythonTarget
from aiosqlc.drivers.asyncpg import ASYNCPG
from aiosqlc.drivers.port import Types
from aiosqlc.ir import ColumnRef, SqlType, TypeKind
from aiosqlc.plan import pytypes
from aiosqlc.plan.model import Import, PyClass, PyEnum, PyField, PyType
from aiosqlc.plan.naming import attribute, camel, class_name, constant, members
from aiosqlc.plan.overrides import overridden


def _no_rows(_schema: str, _name: str) -> PyClass | None:
    return None


@dataclass
class TypeResolver:
    """Resolves types for one query set; gathers what `models.py` must define.

    `row_of` gives the class of a table's rows: of a *value* of the table's type, which a query can
    make of anything, no constraint of the table is true.
    """

    target: PythonTarget
    models: str
    default_schema: str = "public"
    driver: Types = ASYNCPG.types
    adapter: str = ".adapter"
    enums: dict[tuple[str, str], PyEnum] = field(default_factory=dict)
    composites: dict[tuple[str, str], PyClass] = field(default_factory=dict)
    row_of: Callable[[str, str], PyClass | None] = _no_rows

    def column(
        self,
        sql: SqlType,
        *,
        not_null: bool,
        element_not_null: bool = False,
        origin: ColumnRef | None = None,
        query: str = "",
    ) -> PyType:
        """Return the type of a result column."""
        base = self._overridden(sql, origin, query)
        if base is None:
            base = self._value(sql, element_not_null=element_not_null, parameter=False)
        return base if not_null else pytypes.optional(base)

    def parameter(
        self,
        sql: SqlType,
        *,
        not_null: bool,
        element_not_null: bool = True,
        is_slice: bool = False,
        origin: ColumnRef | None = None,
        query: str = "",
    ) -> PyType:
        """Return the type of a function's parameter; a slice holds values of the column's type."""
        base = self._overridden(sql, origin, query, is_slice=is_slice)
        if base is None:
            base = self._value(sql, element_not_null=element_not_null, parameter=True)
        return base if not_null else pytypes.optional(base)

    def _overridden(
        self, sql: SqlType, origin: ColumnRef | None, query: str, *, is_slice: bool = False
    ) -> PyType | None:
        """Find an override; the most particular wins: query column, table column, database type."""
        names = {"query": {query}, "column": set[str](), "db_type": {sql.name}}
        names["db_type"].add(f"{sql.schema}.{sql.name}")
        if origin:
            names["column"] |= {
                f"{origin.table}.{origin.column}",
                f"{origin.schema}.{origin.table}.{origin.column}",
            }
        for what in ("query", "column", "db_type"):
            for override in self.target.overrides:
                if getattr(override, what) and getattr(override, what) in names[what]:
                    found = overridden(
                        override,
                        sql,
                        self.target.models,
                        json_as_text=self.driver.json_as_text,
                    )
                    if what == "column" and is_slice:
                        return pytypes.list_of(found, parameter=True)
                    array = what == "db_type" and sql.array_dims
                    return pytypes.list_of(pytypes.optional(found)) if array else found
        return None

    def _value(self, sql: SqlType, *, element_not_null: bool, parameter: bool) -> PyType:
        element = self._scalar(sql, parameter=parameter)
        if not sql.array_dims:
            return element
        found = element if element_not_null else pytypes.optional(element)
        exactly = self.driver.user_types_as_text
        for _ in range(max(sql.array_dims, 1)):
            found = pytypes.list_of(found, parameter=parameter, exactly=exactly)
        if not (exactly and is_users(sql)):
            return found
        decode = f"decode_array({{}}, {self._parser(replace(sql, array_dims=0))})"
        imports = found.imports | self._functions
        return replace(found, decode=decode, imports=imports)

    def _scalar(self, sql: SqlType, *, parameter: bool) -> PyType:
        if sql.kind is TypeKind.ENUM:
            return self._enum(sql)
        if not self.driver.structured:
            return self.driver.plain(sql)
        if sql.kind is TypeKind.DOMAIN and sql.base:
            return self._value(sql.base, element_not_null=False, parameter=parameter)
        if sql.kind is TypeKind.COMPOSITE:
            return self._composite(sql, parameter=parameter)
        if sql.kind in {TypeKind.RANGE, TypeKind.MULTIRANGE} and self.driver.range:
            return self._range(sql, self.driver.range, parameter=parameter)
        return self.driver.plain(sql)

    def _range(self, sql: SqlType, range_: PyType, *, parameter: bool) -> PyType:
        """Return the driver's range of the subtype; it holds the values as the driver has them."""
        if self.driver.user_types_as_text and is_users(sql):
            return pytypes.TEXT
        plain = self._bound(sql.base) if sql.base else pytypes.UNKNOWN
        imports = range_.imports | plain.imports
        found = PyType(f"{range_.annotation}[{plain.annotation}]", imports)
        if sql.kind is TypeKind.RANGE:
            return found
        several = pytypes.list_of(found, parameter=parameter)
        if self.driver.multirange is None:
            return several
        imports |= several.imports | {self.driver.multirange}
        encode = f"{self.driver.multirange[1]}({{}})"
        return replace(several, decode="list({})", encode=encode, imports=imports)

    def _bound(self, sql: SqlType) -> PyType:
        """Return the type of a range's bounds, which no class of ours is made of."""
        inner = sql
        while inner.kind is TypeKind.DOMAIN and inner.base and not inner.array_dims:
            inner = inner.base
        if inner.kind is TypeKind.ENUM and not inner.array_dims:
            return pytypes.TEXT
        bound = self._value(inner, element_not_null=False, parameter=False)
        return pytypes.UNKNOWN if bound.decode or inner.name in _SENT_AS_TEXT else bound

    @property
    def _functions(self) -> frozenset[Import]:
        """What expressions take from the adapter; those that are not in them are not imported."""
        return frozenset(
            (self.adapter, name) for name in ("decode_array", "decode_record", "decoder")
        )

    def _parser(self, sql: SqlType) -> str:
        """Return the function that makes a value of its text, inside an array or a composite."""
        if sql.array_dims:
            inner = replace(sql, array_dims=0)
            if is_users(sql):
                return f"lambda item: decode_array(item, {self._parser(inner)})"
            return f'decoder("{sql.name}[]")'
        if sql.kind is TypeKind.DOMAIN and sql.base:
            return self._parser(sql.base)
        if sql.kind in {TypeKind.ENUM, TypeKind.COMPOSITE}:
            decode = self._scalar(sql, parameter=False).decode
            return f"lambda item: {decode.replace('{}', 'item')}"
        return "str" if is_users(sql) else f'decoder("{sql.name}")'

    def class_name(self, schema: str, name: str) -> str:
        """Return the class of a type or table; those outside the default schema carry its name."""
        if schema in {"", self.default_schema}:
            return class_name(name)
        return camel(schema) + camel(name)

    def _enum(self, sql: SqlType) -> PyType:
        name = self.class_name(sql.schema, sql.name)
        table = f"{constant(name)}_BY_LABEL"
        key = (sql.schema, sql.name)
        if key not in self.enums:
            named = tuple(zip(members(sql.labels), sql.labels, strict=True))
            self.enums[key] = PyEnum(name, table, named)
        # MySQL keeps '' for what it could not take: that is no member, and the class says so.
        found = "" if self.driver.structured else f"{table}.get({{}}) or {name}({{}})"
        return PyType(
            name,
            frozenset({(self.models, name), (self.models, table)}),
            decode=found or f"{table}[{{}}]",
        )

    def _composite(self, sql: SqlType, *, parameter: bool) -> PyType:
        name = self.class_name(sql.schema, sql.name)
        key = (sql.schema, sql.name)
        kinds = [
            self._value(kind, element_not_null=False, parameter=parameter)
            for _, kind, _ in sql.fields
        ]
        types = [
            kind if not_null else pytypes.optional(kind)
            for kind, (_, _, not_null) in zip(kinds, sql.fields, strict=True)
        ]
        fields = tuple(
            PyField(attribute(label, self.target.models), kind)
            for (label, _, _), kind in zip(sql.fields, types, strict=True)
        )
        row = self.row_of(sql.schema, sql.name)
        if row is not None and row.name == name and row.fields != fields:
            name = f"{name}Value"
        cls = PyClass(name, self.target.models, fields, doc=f"A value of type {sql.name}.")
        if parameter:  # the class is the one that rows have too
            self._composite(sql, parameter=False)
        else:
            self.composites.setdefault(key, cls)
        imports = frozenset({(self.models, name)}).union(*(item.type.imports for item in fields))
        decode = _build(cls)
        if self.driver.user_types_as_text:
            decode = self._build_of_text(sql, cls)
            imports |= self._functions
        return PyType(name, imports, decode, _take_apart(cls), atomic=cls.atomic)

    def _build_of_text(self, sql: SqlType, cls: PyClass) -> str:
        """Return the expression that makes a composite's object of its text."""
        values = ", ".join(["{}", *(self._parser(kind) for _, kind, _ in sql.fields)])
        if cls.kind is not ModelKind.PYDANTIC:
            return f"{cls.name}(*decode_record({values}))"
        names = ", ".join(f'"{item.name}"' for item in cls.fields)
        fields = f"zip(({names},), decode_record({values}), strict=True)"
        return f"{cls.name}.model_validate(dict({fields}))"


def is_users(sql: SqlType) -> bool:
    """Whether a type is made by the schema or an extension: no two databases number it alike."""
    return sql.schema not in {"", "pg_catalog"}


# What asyncpg has no binary form of: it refuses to decode a range over these.
_SENT_AS_TEXT = frozenset({"money"})


def _build(cls: PyClass) -> str:
    """Return the expression that makes a composite's object of the driver's record."""
    if cls.kind is not ModelKind.PYDANTIC and not any(item.type.decode for item in cls.fields):
        return f"{cls.name}(*{{}})"
    parts = []
    for position, item in enumerate(cls.fields):
        value = (item.type.decode or "{}").replace("{}", f"{{}}[{position}]")
        parts.append(f"{item.name}={value}" if cls.kind is ModelKind.PYDANTIC else value)
    return f"{cls.name}({', '.join(parts)})"


def _take_apart(cls: PyClass) -> str:
    """Return the expression that makes the tuple the driver wants of a composite's object."""
    parts = [(item.type.encode or "{}").replace("{}", f"{{}}.{item.name}") for item in cls.fields]
    return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"
