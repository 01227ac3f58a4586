"""Resolve database types to Python types, and record the enums and composites they need."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from aiosqlc.analysis.typenames import named
from aiosqlc.config.project import ModelKind, Override, PythonTarget
from aiosqlc.drivers.asyncpg import ASYNCPG
from aiosqlc.drivers.port import Types
from aiosqlc.ir import ColumnRef, SqlType, TableColumn, TypeKind
from aiosqlc.plan import pytypes
from aiosqlc.plan.gathered import Kind
from aiosqlc.plan.model import Import, PyClass, PyEnum, PyField, PyType
from aiosqlc.plan.naming import attribute, camel, class_name, labels_table, members
from aiosqlc.plan.overrides import JSON, of_array, overridden
from aiosqlc.plan.scope import CLASSES, Scope, numbered_names
from aiosqlc.plan.stored import StoredTypes
from aiosqlc.source import Dialect


def _no_rows(_schema: str, _name: str) -> PyClass | None:
    return None


class TypeResolver(Struct):
    """Resolves the types of one query set, and collects the definitions for `models.py`.

    `row_of` returns the class for *values* of a table's row type; such a value may violate the
    table's constraints. `stored` returns the class for rows that are stored in the table. `applied`
    are the overrides that were used. `stored_types` resolves JSON columns whose structure the
    configuration declares.
    """

    target: PythonTarget
    models: str
    default_schema: str = "public"
    driver: Types = ASYNCPG.types
    adapter: str = ".adapter"
    enums: dict[tuple[str, str], PyEnum] = field(default_factory=dict)
    composites: dict[tuple[str, str], PyClass] = field(default_factory=dict)
    row_of: Callable[[str, str], PyClass | None] = _no_rows
    engine: Dialect = Dialect.POSTGRESQL
    columns: Mapping[ColumnRef, TableColumn] = field(default_factory=dict)
    renamed: Mapping[Kind, str] = field(default_factory=dict)
    stored: Callable[[str, str], PyClass | None] = _no_rows
    applied: dict[Override, None] = field(default_factory=dict)
    stored_types: StoredTypes | None = None

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
        base = self._particular(
            sql, origin, query, element_not_null=element_not_null, parameter=False
        )
        if base is None:
            base = self._declared(sql, origin, element_not_null=element_not_null, parameter=False)
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
        is_part: bool = False,
        origin: ColumnRef | None = None,
        query: str = "",
    ) -> PyType:
        """Return the type of a parameter; an item of a slice has the type of the compared column.

        `is_part` means that the value need not be a value of the column, such as a pattern for
        LIKE.
        """
        if is_part:
            found = self._queried(query, parameter=True)
            base = self._whole(found, sql) if found else None
            if base is None and self.driver.plain(sql).annotation == "str" and not is_json(sql):
                base = self._value(sql, element_not_null=True, parameter=True, own=True)
        else:
            sql = self._as_in_column(sql, origin)
            base = self._particular(
                sql,
                origin,
                query,
                element_not_null=element_not_null,
                parameter=True,
                is_slice=is_slice,
            )
            if base is None:
                base = self._declared(
                    sql, origin, element_not_null=True, parameter=True, is_slice=is_slice
                )
        if base is None:
            base = self._value(sql, element_not_null=element_not_null, parameter=True)
        return base if not_null else pytypes.optional(base)

    # --- overrides ------------------------------------------------------------------------------

    def is_overridden(self, sql: SqlType, origin: ColumnRef | None, query: str) -> bool:
        """Return whether an override matches a column, or the database type of the column."""
        found = self._particular(sql, origin, query, element_not_null=False, parameter=False)
        return found is not None or self._by_type(sql) is not None

    def is_column_overridden(self, sql: SqlType, origin: ColumnRef | None, query: str) -> bool:
        """Return whether an override names the column of the query or of the table."""
        found = self._particular(sql, origin, query, element_not_null=False, parameter=False)
        return found is not None

    def _declared(
        self,
        sql: SqlType,
        origin: ColumnRef | None,
        *,
        element_not_null: bool,
        parameter: bool,
        is_slice: bool = False,
    ) -> PyType | None:
        """Return the type of stored JSON, or of a list of it, if its structure is declared."""
        if self.stored_types is None or origin is None:
            return None
        shape = self.stored_types.shapes.get(origin)
        if shape is None or not is_json(replace(sql, array_dims=0)):
            return None
        item = self.stored_types.column(shape, f"{origin.table}.{origin.column}", not_null=True)
        if not (sql.array_dims or is_slice):
            return item
        item = item if element_not_null else pytypes.optional(item)
        return self._list(replace(sql, array_dims=sql.array_dims or 1), item, parameter)

    def _particular(
        self,
        sql: SqlType,
        origin: ColumnRef | None,
        query: str,
        *,
        element_not_null: bool,
        parameter: bool,
        is_slice: bool = False,
    ) -> PyType | None:
        """Return the type that an override sets for the query's column or the table's, or None."""
        override = self._queried(query, parameter=parameter)
        dims, several = sql.array_dims, False
        if override is None and origin:
            names = {f"{origin.table}.{origin.column}"}
            names.add(f"{origin.schema}.{origin.table}.{origin.column}")
            override = self._named("column", frozenset(names))
            column = self.columns.get(origin)
            if override and column:
                if not self._alike(sql, column.type):
                    return None
                several = is_slice or dims > column.type.array_dims
                dims = column.type.array_dims
        if override is None:
            return None
        if not dims:
            item = self._whole(override, replace(sql, array_dims=0))
            if not several:
                return item
            if not (element_not_null or parameter):
                item = pytypes.optional(item)
            return self._list(replace(sql, array_dims=sql.array_dims or 1), item, parameter)
        inside = of_array(override)
        if inside is None and sql.array_dims == dims:
            return self._whole(override, sql)
        if inside is None:  # an element of an array that a function decodes as a whole
            return None
        item = self._whole(inside.element, replace(sql, array_dims=0))
        if not sql.array_dims:
            return item
        item = item if element_not_null and not parameter else pytypes.optional(item)
        return pytypes.held(self._list(sql, item, parameter), inside.holder, parameter=parameter)

    def _queried(self, query: str, *, parameter: bool) -> Override | None:
        """Return the first override that names this query and fits a column (or a parameter)."""
        other = "column" if parameter else "param"
        for override in self.target.overrides:
            if override.query == query and query and override.only != other:
                return override
        return None

    def _named(self, what: str, names: frozenset[str]) -> Override | None:
        """Return the first override whose field `what` is one of the names."""
        for override in self.target.overrides:
            if getattr(override, what) and getattr(override, what) in names:
                return override
        return None

    def _by_type(self, sql: SqlType) -> Override | None:
        """Return the override whose `db_type` matches a database type most closely."""
        found, closest = None, 0
        for override in self.target.overrides:
            fits = named(self.engine, override.db_type).fits(sql) if override.db_type else 0
            if fits > closest:
                found, closest = override, fits
        return found

    def _whole(self, override: Override, sql: SqlType) -> PyType:
        """Return the type that an override sets for a whole value, not for an array's elements."""
        self.applied[override] = None
        return overridden(
            override,
            behind(sql),
            self.target.models,
            json_as_text=self.driver.json_as_text,
        )

    def _alike(self, one: SqlType, other: SqlType) -> bool:
        """Return whether two database types, or their element types, have the same Python type."""
        first, second = (replace(behind(kind), array_dims=0) for kind in (one, other))
        if first.kind is TypeKind.ENUM or second.kind is TypeKind.ENUM:
            return first.kind is second.kind
        if is_json(first) != is_json(second):
            return False
        plain = self.driver.plain
        return plain(first).annotation == plain(second).annotation

    def _as_in_column(self, sql: SqlType, origin: ColumnRef | None) -> SqlType:
        """Return the domain of a column if an override names the domain, or else the type `sql`.

        The server reports only the base type of a domain.
        """
        column = self.columns.get(origin) if origin else None
        if column is None or column.type.kind is not TypeKind.DOMAIN:
            return sql
        if self._by_type(column.type) is None or not self._alike(sql, column.type):
            return sql
        return replace(column.type, array_dims=sql.array_dims)

    # --- values ---------------------------------------------------------------------------------

    def _value(
        self, sql: SqlType, *, element_not_null: bool, parameter: bool, own: bool = False
    ) -> PyType:
        """Return the Python type of a value; if `own` is true, overrides are ignored."""
        if sql.array_dims and not own:
            override = self._by_type(sql)
            written = override and named(self.engine, override.db_type).type
            if override and written and written.array_dims:  # `db_type: text[]`
                return self._of_array_type(override, sql, element_not_null, parameter)
        below = sql.base if sql.kind is TypeKind.DOMAIN and not sql.array_dims else None
        if below and below.array_dims and (own or self._by_type(sql) is None):
            return self._value(
                below, element_not_null=element_not_null, parameter=parameter, own=own
            )
        element = self._scalar(replace(sql, array_dims=0), parameter=parameter, own=own)
        if not sql.array_dims:
            return element
        over = not own and self._by_type(replace(sql, array_dims=0)) is not None
        sure = element_not_null and not (over and parameter)
        return self._list(sql, element if sure else pytypes.optional(element), parameter)

    def _of_array_type(
        self, override: Override, sql: SqlType, element_not_null: bool, parameter: bool
    ) -> PyType:
        inside = of_array(override)
        if inside is None:
            return self._whole(override, sql)
        item = self._whole(inside.element, replace(sql, array_dims=0))
        item = item if element_not_null and not parameter else pytypes.optional(item)
        return pytypes.held(self._list(sql, item, parameter), inside.holder, parameter=parameter)

    def _list(self, sql: SqlType, item: PyType, parameter: bool) -> PyType:
        """Return the type of an array whose elements have the type `item`."""
        found, exactly = item, self.driver.user_types_as_text
        for _ in range(sql.array_dims):
            found = pytypes.list_of(found, parameter=parameter, exactly=exactly)
        if not (exactly and is_users(sql)):
            return found
        decode = f"decode_array({{}}, {self._parser(replace(sql, array_dims=0), item.decode)})"
        imports = found.imports | self._functions
        return replace(found, decode=decode, imports=imports)

    def _scalar(self, sql: SqlType, *, parameter: bool, own: bool = False) -> PyType:
        override = None if own else self._by_type(sql)
        if override is not None:
            return self._whole(override, sql)
        if sql.kind is TypeKind.ENUM:
            return self._enum(sql)
        if not self.driver.structured:
            return self.driver.plain(sql)
        if sql.kind is TypeKind.DOMAIN and sql.base:
            return self._value(sql.base, element_not_null=False, parameter=parameter, own=own)
        if sql.kind is TypeKind.COMPOSITE:
            return self._composite(sql, parameter=parameter)
        if is_record(sql):
            return self._record(sql)
        if sql.kind in {TypeKind.RANGE, TypeKind.MULTIRANGE} and self.driver.range:
            return self._range(sql, self.driver.range, parameter=parameter)
        return self.driver.plain(sql)

    def _record(self, sql: SqlType) -> PyType:
        """Return the tuple type of an anonymous record; untyped values are texts."""
        if self.driver.user_types_as_text:
            kinds = [pytypes.TEXT for _ in sql.fields]
        else:
            kinds = [self._in_record(kind) for _, kind, _ in sql.fields]
        inside = [
            kind if not_null else pytypes.optional(kind)
            for kind, (_, _, not_null) in zip(kinds, sql.fields, strict=True)
        ]
        anything = "str | None" if self.driver.user_types_as_text else "Any"
        shown = ", ".join(kind.annotation for kind in inside) or f"{anything}, ..."
        imports = pytypes.UNKNOWN.imports.union(*(kind.imports for kind in inside))
        return PyType(f"tuple[{shown}]", imports, atomic=False)

    def _in_record(self, sql: SqlType) -> PyType:
        """Return a record field's type, or `Any` if asyncpg reads it differently in a record."""
        if is_record(sql):
            return self._record(sql)
        return self.driver.plain(sql) if sql.name in _READ_IN_RECORDS else pytypes.UNKNOWN

    def _range(self, sql: SqlType, range_: PyType, *, parameter: bool) -> PyType:
        """Return the driver's range class for the subtype; the bounds are not converted."""
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
        """Return the type of a range's bounds, which is never a generated class."""
        inner = sql
        while inner.kind is TypeKind.DOMAIN and inner.base and not inner.array_dims:
            inner = inner.base
        if inner.kind is TypeKind.ENUM and not inner.array_dims:
            return pytypes.TEXT
        bound = self._value(inner, element_not_null=False, parameter=False, own=True)
        return pytypes.UNKNOWN if bound.decode or inner.name in _SENT_AS_TEXT else bound

    @property
    def _functions(self) -> frozenset[Import]:
        """Return the imports of all adapter functions that conversion expressions may call."""
        return frozenset(
            (self.adapter, name) for name in ("decode_array", "decode_record", "decoder")
        )

    def _parser(self, sql: SqlType, decode: str) -> str:
        """Return the function that parses a value's text inside an array or composite.

        `decode` is the conversion of a value that the driver returns.
        """
        raw = self._raw(sql)
        if not decode:
            return raw
        value = "item" if raw == "str" else f"{raw}(item)"
        # The function is never called with None.
        return f"lambda item: {decode.removeprefix(_UNLESS_NONE).replace('{}', value)}"

    def _raw(self, sql: SqlType) -> str:
        """Return the function that parses a text to the same value that the driver returns."""
        if sql.kind is TypeKind.DOMAIN and sql.base and not sql.array_dims:
            return self._raw(sql.base)
        if is_users(sql):
            return "str"
        return f'decoder("{sql.name}[]")' if sql.array_dims else f'decoder("{sql.name}")'

    def class_name(self, schema: str, name: str) -> str:
        """Return the class name of a type or table, with the schema unless it is the default."""
        if schema in {"", self.default_schema}:
            return class_name(name)
        return Scope(CLASSES).free(camel(schema) + camel(name))

    def _enum(self, sql: SqlType) -> PyType:
        name = self.renamed.get(("enum", sql.schema, sql.name))
        name = name or self.class_name(sql.schema, sql.name)
        table = labels_table(name)
        key = (sql.schema, sql.name)
        if key not in self.enums:
            named = tuple(zip(members(sql.labels), sql.labels, strict=True))
            self.enums[key] = PyEnum(name, table, named)
        # MySQL stores '' for an invalid value. It is not a member, so the enum class raises.
        found = "" if self.driver.structured else f"{table}.get({{}}) or {name}({{}})"
        return PyType(
            name,
            frozenset({(self.models, name), (self.models, table)}),
            decode=found or f"{table}[{{}}]",
        )

    def _composite(self, sql: SqlType, *, parameter: bool) -> PyType:
        if any(certain for _, _, certain in sql.fields):  # the fields of rows that a table stores
            row = self.row_of(sql.schema, sql.name)
            if row is not None and row.fields == self._fields(sql, parameter=False):
                return self._made(sql, self.stored(sql.schema, sql.name) or row)
            uncertain = tuple((label, kind, False) for label, kind, _ in sql.fields)
            sql = replace(sql, fields=uncertain)
        name = self.class_name(sql.schema, sql.name)
        key = (sql.schema, sql.name)
        fields = self._fields(sql, parameter=parameter)
        row = self.row_of(sql.schema, sql.name)
        if row is not None and row.fields != fields:
            name = f"{row.name}Value"
        name = self.renamed.get(("type", sql.schema, sql.name), name)
        cls = PyClass(name, self.target.models, fields, doc=f"A value of type `{sql.name}`.")
        if parameter:  # parameters use the class of the result rows
            self._composite(sql, parameter=False)
        else:
            self.composites.setdefault(key, cls)
        return self._made(sql, cls)

    def _made(self, sql: SqlType, cls: PyClass) -> PyType:
        """Return the type of a composite's objects, which are instances of a generated class."""
        fields = cls.fields
        imports = frozenset({(self.models, cls.name)}).union(*(f.type.imports for f in fields))
        decode = _build(cls)
        if self.driver.user_types_as_text:
            decode = self._build_of_text(sql, cls)
            imports |= self._functions
        return PyType(cls.name, imports, decode, _take_apart(cls), atomic=cls.atomic)

    def _fields(self, sql: SqlType, *, parameter: bool) -> tuple[PyField, ...]:
        """Return the fields of a composite's class."""
        kinds = [
            self._in_row(sql, label, kind, parameter=parameter) for label, kind, _ in sql.fields
        ]
        types = [
            kind if not_null else pytypes.optional(kind)
            for kind, (_, _, not_null) in zip(kinds, sql.fields, strict=True)
        ]
        names = numbered_names([attribute(label, self.target.models) for label, *_ in sql.fields])
        return tuple(PyField(name, kind) for name, kind in zip(names, types, strict=True))

    def _in_row(self, row: SqlType, label: str, kind: SqlType, *, parameter: bool) -> PyType:
        """Return the type of a composite's field; JSON in a table's row may have a declared one."""
        found = None
        if any(certain for _, _, certain in row.fields):  # the rows of a table
            at = ColumnRef(row.schema, row.name, label)
            found = self._declared(kind, at, element_not_null=False, parameter=parameter)
        return found or self._value(kind, element_not_null=False, parameter=parameter)

    def _build_of_text(self, sql: SqlType, cls: PyClass) -> str:
        """Return the expression that parses the text form of a composite."""
        parsers = [
            self._parser(kind, item.type.decode)
            for (_, kind, _), item in zip(sql.fields, cls.fields, strict=True)
        ]
        values = ", ".join(["{}", *parsers])
        if cls.kind is not ModelKind.PYDANTIC:
            return f"{cls.name}(*decode_record({values}))"
        names = ", ".join(f'"{item.name}"' for item in cls.fields)
        fields = f"zip(({names},), decode_record({values}), strict=True)"
        return f"{cls.name}.model_validate(dict({fields}))"


_UNLESS_NONE = "None if {} is None else "


def behind(sql: SqlType) -> SqlType:
    """Return a type without its domains; an array of a domain becomes an array of the base type."""
    while sql.kind is TypeKind.DOMAIN and sql.base:
        dims = sql.array_dims or sql.base.array_dims
        sql = replace(sql.base, array_dims=dims)
    return sql


def is_json(sql: SqlType) -> bool:
    """Return whether values of a type are JSON."""
    return behind(sql).name in JSON


def is_record(sql: SqlType) -> bool:
    """Return whether a type is an anonymous record, whose fields the server does not describe."""
    return sql.name == "record" and sql.schema in {"", "pg_catalog"}


# The types that asyncpg decodes in an anonymous record. It returns bytes or fails for others.
_READ_IN_RECORDS = frozenset(
    {
        *("bool", "int2", "int4", "int8", "oid", "float4", "float8", "numeric", "uuid", "bytea"),
        *("text", "varchar", "bpchar", "name", "json", "jsonb", "inet", "cidr"),
        *("date", "time", "timetz", "timestamp", "timestamptz", "interval"),
    }
)


def unreadable_field(sql: SqlType) -> str:
    """Return a field type that asyncpg cannot read in an anonymous record, or ''."""
    if not is_record(sql):
        return ""
    for _, kind, _ in sql.fields:
        inner = unreadable_field(kind)
        refused = kind.array_dims or is_users(kind) or kind.kind in _REFUSED_IN_RECORDS
        if inner or refused:
            return inner or f"{kind.name}{'[]' if kind.array_dims else ''}"
    return ""


_REFUSED_IN_RECORDS = frozenset({TypeKind.RANGE, TypeKind.MULTIRANGE})


def is_users(sql: SqlType) -> bool:
    """Return whether the schema or an extension defines a type, so that its OID varies."""
    return sql.schema not in {"", "pg_catalog"}


# Types without a binary codec in asyncpg, which cannot decode a range over them.
_SENT_AS_TEXT = frozenset({"money"})


def _build(cls: PyClass) -> str:
    """Return the expression that converts the driver's record to a composite's object."""
    if cls.kind is not ModelKind.PYDANTIC and not any(item.type.decode for item in cls.fields):
        return f"{cls.name}(*{{}})"
    parts = []
    for position, item in enumerate(cls.fields):
        value = (item.type.decode or "{}").replace("{}", f"{{}}[{position}]")
        parts.append(f"{item.name}={value}" if cls.kind is ModelKind.PYDANTIC else value)
    return f"{cls.name}({', '.join(parts)})"


def _take_apart(cls: PyClass) -> str:
    """Return the expression that converts a composite's object to the driver's tuple."""
    parts = [(item.type.encode or "{}").replace("{}", f"{{}}.{item.name}") for item in cls.fields]
    return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"
